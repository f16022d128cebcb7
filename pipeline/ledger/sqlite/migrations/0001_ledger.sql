-- The ledger, first version. The PostgreSQL engine's migrations have equal
-- numbers and the same tables and columns.
--
-- Times are UTC microseconds since 1970; 0 means never. Lists of codes are text
-- joined by '|'. '' means none. CHECK constraints repeat the states of package
-- pipeline. They and the partial indexes spell "one of" with OR: for IN, SQLite
-- builds a temporary table in every statement that writes the row.

CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Numbers that are never given twice. 'notice': the next free notice id.
CREATE TABLE sequences (
  name TEXT PRIMARY KEY,
  next INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO sequences (name, next) VALUES ('notice', 1);

CREATE TABLE campaigns (
  id         INTEGER PRIMARY KEY,
  name       TEXT    NOT NULL UNIQUE,
  code_name  TEXT    NOT NULL,
  kind       TEXT    NOT NULL,
  state      TEXT    NOT NULL CHECK (state = 'draft' OR state = 'approved' OR state = 'running' OR state = 'paused' OR state = 'cancelled'),
  version    INTEGER NOT NULL,
  launch_at  INTEGER NOT NULL,
  canary     INTEGER NOT NULL,
  paused_for TEXT    NOT NULL,
  email      TEXT    NOT NULL, -- EmailPolicy as JSON
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE versions (
  campaign_id INTEGER NOT NULL REFERENCES campaigns (id),
  n           INTEGER NOT NULL,
  hash        TEXT    NOT NULL,
  content     BLOB    NOT NULL,
  diff        TEXT    NOT NULL,
  authored_by TEXT    NOT NULL,
  approved_by TEXT    NOT NULL,
  approved_at INTEGER NOT NULL,
  population  INTEGER NOT NULL,
  imports     TEXT    NOT NULL, -- ids joined by '|'
  PRIMARY KEY (campaign_id, n)
) STRICT;

CREATE TABLE breakers (
  campaign_id INTEGER NOT NULL REFERENCES campaigns (id),
  scope       TEXT    NOT NULL,
  reason      TEXT    NOT NULL,
  detail      TEXT    NOT NULL,
  since       INTEGER NOT NULL,
  until       INTEGER NOT NULL,
  PRIMARY KEY (campaign_id, scope)
) STRICT, WITHOUT ROWID;

CREATE TABLE audits (
  id          INTEGER PRIMARY KEY,
  campaign_id INTEGER NOT NULL, -- 0: of the installation
  at          INTEGER NOT NULL,
  actor       TEXT    NOT NULL,
  action      TEXT    NOT NULL,
  reason      TEXT    NOT NULL,
  detail      TEXT    NOT NULL
) STRICT;
CREATE INDEX audits_campaign ON audits (campaign_id);

-- What a campaign ever counted: 'attempts', 'doubts', 'again', and 'version/N',
-- the attempts under version N of the letters. Kept in the transaction of the
-- change that counts.
CREATE TABLE counters (
  campaign_id INTEGER NOT NULL,
  name        TEXT    NOT NULL,
  n           INTEGER NOT NULL,
  PRIMARY KEY (campaign_id, name)
) STRICT, WITHOUT ROWID;

-- An import is in force when it is published and not replaced. Every reader goes
-- through the imports in force.
CREATE TABLE imports (
  id           INTEGER PRIMARY KEY,
  campaign_id  INTEGER NOT NULL REFERENCES campaigns (id),
  content      TEXT    NOT NULL,
  staged_at    INTEGER NOT NULL,
  published_at INTEGER NOT NULL DEFAULT 0,
  replaced_at  INTEGER NOT NULL DEFAULT 0,
  merged_at    INTEGER NOT NULL DEFAULT 0,
  swept_at     INTEGER NOT NULL DEFAULT 0, -- replaced, and its notices are gone
  absorbed     INTEGER NOT NULL DEFAULT 0,
  actor        TEXT    NOT NULL,
  manifest     TEXT    NOT NULL -- JSON
) STRICT;
CREATE INDEX imports_campaign ON imports (campaign_id);

CREATE TABLE notices (
  id          INTEGER PRIMARY KEY,
  campaign_id INTEGER NOT NULL,
  import_id   INTEGER NOT NULL,
  parent_id   INTEGER NOT NULL, -- 0: none
  role        TEXT    NOT NULL CHECK (role = 'primary' OR role = 'supplement' OR role = 'copy'),
  person      BLOB    NOT NULL,

  state       TEXT    NOT NULL CHECK (state = 'held' OR state = 'due' OR state = 'queued' OR state = 'sending' OR state = 'in_doubt' OR state = 'accepted' OR state = 'printing' OR state = 'posted' OR state = 'informed' OR state = 'unreachable' OR state = 'excluded' OR state = 'cancelled'),
  channel     TEXT    NOT NULL CHECK (channel = 'email' OR channel = 'post' OR channel = 'none'),
  lane        INTEGER NOT NULL,
  attempt     INTEGER NOT NULL,
  kind        TEXT    NOT NULL CHECK (kind = 'first' OR kind = 'retry' OR kind = 'resend' OR kind = 'fallback' OR kind = 'copy'),
  due_at      INTEGER NOT NULL,
  reason      TEXT    NOT NULL,
  reach       INTEGER NOT NULL,
  doubts      INTEGER NOT NULL,
  resends     INTEGER NOT NULL,
  first_at    INTEGER NOT NULL,
  gen         INTEGER NOT NULL,
  owner       TEXT    NOT NULL,
  moved_at    INTEGER NOT NULL,

  born        TEXT    NOT NULL CHECK (born = 'held' OR born = 'due' OR born = 'queued' OR born = 'sending' OR born = 'in_doubt' OR born = 'accepted' OR born = 'printing' OR born = 'posted' OR born = 'informed' OR born = 'unreachable' OR born = 'excluded' OR born = 'cancelled'),
  provider    TEXT    NOT NULL,
  locale      TEXT    NOT NULL,
  format      TEXT    NOT NULL,
  country     TEXT    NOT NULL,
  area        TEXT    NOT NULL,
  sender      TEXT    NOT NULL,
  kinds       TEXT    NOT NULL,
  products    TEXT    NOT NULL,
  flags       TEXT    NOT NULL,
  defects     TEXT    NOT NULL
) STRICT;

-- Never rewritten after the import:
CREATE INDEX notices_import ON notices (import_id);
CREATE INDEX notices_person ON notices (import_id, person) WHERE role = 'primary';
CREATE INDEX notices_parent ON notices (parent_id) WHERE role = 'supplement';
CREATE INDEX notices_supplement ON notices (import_id) WHERE role = 'supplement';
-- Partial, so that a move touches only the index that it leaves and the one that
-- it enters:
CREATE INDEX notices_due ON notices (import_id, role, lane, channel, provider, due_at) WHERE state = 'due';
CREATE INDEX notices_print ON notices (import_id, format, country, area) WHERE state = 'due' AND channel = 'post';
CREATE INDEX notices_moving ON notices (state, moved_at) WHERE state = 'queued' OR state = 'sending';
CREATE INDEX notices_window ON notices (import_id, state, due_at) WHERE state = 'in_doubt' OR state = 'accepted' OR state = 'posted';
CREATE INDEX notices_reason ON notices (import_id, state, reason) WHERE state = 'held' OR state = 'unreachable' OR state = 'excluded' OR state = 'cancelled';

-- The sealed personal part, apart so that the rows which move stay small.
CREATE TABLE people (
  notice_id INTEGER PRIMARY KEY,
  sealed    BLOB NOT NULL
) STRICT;

-- How many notices stand where, kept in the transaction of every move. The rows
-- themselves are counted by Recount.
CREATE TABLE tallies (
  import_id INTEGER NOT NULL,
  role      TEXT    NOT NULL,
  channel   TEXT    NOT NULL,
  state     TEXT    NOT NULL,
  n         INTEGER NOT NULL,
  PRIMARY KEY (import_id, role, channel, state)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempts (
  notice_id INTEGER NOT NULL,
  n         INTEGER NOT NULL,
  kind      TEXT    NOT NULL CHECK (kind = 'first' OR kind = 'retry' OR kind = 'resend' OR kind = 'fallback' OR kind = 'copy'),
  channel   TEXT    NOT NULL CHECK (channel = 'email' OR channel = 'post'),
  version   INTEGER NOT NULL,
  told      INTEGER NOT NULL,
  at        INTEGER NOT NULL,
  tries     INTEGER NOT NULL,
  letter    BLOB    NOT NULL,
  bytes     BLOB    NOT NULL,
  renderer  TEXT    NOT NULL,
  run_id    INTEGER NOT NULL,
  seq       INTEGER NOT NULL,
  queue_id  TEXT    NOT NULL,
  PRIMARY KEY (notice_id, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
  id         INTEGER PRIMARY KEY,
  notice_id  INTEGER NOT NULL,
  attempt    INTEGER NOT NULL,
  kind       TEXT    NOT NULL,
  outcome    TEXT    NOT NULL CHECK (outcome = '' OR outcome = 'dead' OR outcome = 'transient' OR outcome = 'ours' OR outcome = 'none'),
  at         INTEGER NOT NULL,
  actor      TEXT    NOT NULL,
  code       TEXT    NOT NULL,
  detail     TEXT    NOT NULL,
  into_state TEXT    NOT NULL CHECK (into_state = 'held' OR into_state = 'due' OR into_state = 'queued' OR into_state = 'sending' OR into_state = 'in_doubt' OR into_state = 'accepted' OR into_state = 'printing' OR into_state = 'posted' OR into_state = 'informed' OR into_state = 'unreachable' OR into_state = 'excluded' OR into_state = 'cancelled'),
  channel    TEXT    NOT NULL CHECK (channel = 'email' OR channel = 'post' OR channel = 'none')
) STRICT;
CREATE INDEX events_notice ON events (notice_id);

-- The blind index. An import's tokens are loaded in this order. notice_id 0: a
-- person of the directory who is not concerned.
CREATE TABLE tokens (
  import_id INTEGER NOT NULL,
  hash      BLOB    NOT NULL,
  notice_id INTEGER NOT NULL,
  PRIMARY KEY (import_id, hash, notice_id)
) STRICT, WITHOUT ROWID;

-- Supplements that a notice not yet queued took in: where their tokens lead.
CREATE TABLE absorptions (
  notice_id INTEGER PRIMARY KEY,
  parent_id INTEGER NOT NULL
) STRICT;
CREATE INDEX absorptions_parent ON absorptions (parent_id);

CREATE TABLE runs (
  id           INTEGER PRIMARY KEY,
  campaign_id  INTEGER NOT NULL REFERENCES campaigns (id),
  state        TEXT    NOT NULL CHECK (state = 'cut' OR state = 'assembled' OR state = 'released' OR state = 'deposited' OR state = 'voided' OR state = 'recalled'),
  profile      TEXT    NOT NULL,
  class        TEXT    NOT NULL,
  sheets       INTEGER NOT NULL,
  letters      INTEGER NOT NULL,
  pages        INTEGER NOT NULL,
  version      INTEGER NOT NULL,
  cut_at       INTEGER NOT NULL,
  letter_date  INTEGER NOT NULL,
  file         TEXT    NOT NULL,
  sha256       TEXT    NOT NULL,
  assembled_at INTEGER NOT NULL,
  released_at  INTEGER NOT NULL,
  closed_at    INTEGER NOT NULL,
  deposit      TEXT    NOT NULL -- JSON
) STRICT;
CREATE INDEX runs_campaign ON runs (campaign_id);

CREATE TABLE run_items (
  run_id     INTEGER NOT NULL,
  seq        INTEGER NOT NULL,
  notice_id  INTEGER NOT NULL,
  attempt    INTEGER NOT NULL,
  first_page INTEGER NOT NULL,
  pages      INTEGER NOT NULL,
  state      TEXT    NOT NULL CHECK (state = 'in' OR state = 'posted' OR state = 'rejected' OR state = 'out'),
  PRIMARY KEY (run_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE leases (
  name  TEXT PRIMARY KEY,
  owner TEXT    NOT NULL,
  until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
