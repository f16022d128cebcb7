-- The ledger, first version. The SQLite engine's migrations have equal numbers and
-- the same tables and columns, but for what concurrent writers need: tallies and
-- counters are split into shards, one a connection, so that no two transactions
-- wait for each other's sum; and people carries the columns that never change and
-- are searched, because an index on notices would be written with every move.
--
-- Times are UTC microseconds since 1970; 0 means never. Lists of codes are text
-- joined by '|'. '' means none. CHECK constraints repeat the states of package
-- pipeline. Text is compared byte by byte, whatever the database's locale.
-- The big tables have no foreign keys: a trigger a row would double the time of an
-- import, and only one statement writes each of them.

CREATE TABLE meta (
  key   text COLLATE "C" PRIMARY KEY,
  value text COLLATE "C" NOT NULL
);

-- The next free number of notices, and of print runs: those have no gaps, a person
-- would look for the missing one.
CREATE TABLE sequences (
  name text COLLATE "C" PRIMARY KEY,
  next bigint NOT NULL
);
INSERT INTO sequences (name, next) VALUES ('notice', 1), ('run', 1);

CREATE TABLE campaigns (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name       text COLLATE "C" NOT NULL UNIQUE,
  code_name  text COLLATE "C" NOT NULL,
  kind       text COLLATE "C" NOT NULL,
  state      text COLLATE "C" NOT NULL CHECK (state IN ('draft', 'approved', 'running', 'paused', 'cancelled')),
  version    integer NOT NULL,
  launch_at  bigint NOT NULL,
  canary     integer NOT NULL,
  paused_for text COLLATE "C" NOT NULL,
  email      text COLLATE "C" NOT NULL, -- EmailPolicy as JSON
  created_at bigint NOT NULL
);

CREATE TABLE versions (
  campaign_id bigint NOT NULL REFERENCES campaigns (id),
  n           integer NOT NULL,
  hash        text COLLATE "C" NOT NULL,
  content     bytea NOT NULL,
  diff        text COLLATE "C" NOT NULL,
  authored_by text COLLATE "C" NOT NULL,
  approved_by text COLLATE "C" NOT NULL,
  approved_at bigint NOT NULL,
  population  bigint NOT NULL,
  imports     text COLLATE "C" NOT NULL, -- ids joined by '|'
  PRIMARY KEY (campaign_id, n)
);

CREATE TABLE breakers (
  campaign_id bigint NOT NULL REFERENCES campaigns (id),
  scope       text COLLATE "C" NOT NULL,
  reason      text COLLATE "C" NOT NULL,
  detail      text COLLATE "C" NOT NULL,
  since       bigint NOT NULL,
  until       bigint NOT NULL,
  PRIMARY KEY (campaign_id, scope)
);

CREATE TABLE audits (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  campaign_id bigint NOT NULL, -- 0: of the installation
  at          bigint NOT NULL,
  actor       text COLLATE "C" NOT NULL,
  action      text COLLATE "C" NOT NULL,
  reason      text COLLATE "C" NOT NULL,
  detail      text COLLATE "C" NOT NULL
);
CREATE INDEX audits_campaign ON audits (campaign_id, id);

-- What a campaign ever counted: 'attempts', 'doubts', 'again', and 'version/N',
-- the attempts under version N of the letters. Kept in the transaction of the
-- change that counts; the sum over the shards is the number.
CREATE TABLE counters (
  campaign_id bigint NOT NULL,
  name        text COLLATE "C" NOT NULL,
  shard       integer NOT NULL,
  n           bigint NOT NULL,
  PRIMARY KEY (campaign_id, name, shard)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- An import is in force when it is published and not replaced. Every reader goes
-- through the imports in force.
CREATE TABLE imports (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  campaign_id  bigint NOT NULL REFERENCES campaigns (id),
  content      text COLLATE "C" NOT NULL,
  staged_at    bigint NOT NULL,
  published_at bigint NOT NULL DEFAULT 0,
  replaced_at  bigint NOT NULL DEFAULT 0,
  merged_at    bigint NOT NULL DEFAULT 0,
  swept_at     bigint NOT NULL DEFAULT 0, -- replaced, and its notices are gone
  absorbed     bigint NOT NULL DEFAULT 0,
  actor        text COLLATE "C" NOT NULL,
  manifest     text COLLATE "C" NOT NULL -- JSON
);
CREATE INDEX imports_campaign ON imports (campaign_id, id);
-- Two imports of the same content may be staged side by side; one is published.
CREATE UNIQUE INDEX imports_content ON imports (campaign_id, content) WHERE published_at <> 0 AND replaced_at = 0;

CREATE TABLE notices (
  id          bigint PRIMARY KEY,
  campaign_id bigint NOT NULL,
  import_id   bigint NOT NULL,
  role        text COLLATE "C" NOT NULL CHECK (role IN ('primary', 'supplement', 'copy')),

  state    text COLLATE "C" NOT NULL CHECK (state IN ('held', 'due', 'queued', 'sending', 'in_doubt', 'accepted', 'printing', 'posted', 'informed', 'unreachable', 'excluded', 'cancelled')),
  channel  text COLLATE "C" NOT NULL CHECK (channel IN ('email', 'post', 'none')),
  lane     integer NOT NULL,
  attempt  integer NOT NULL,
  kind     text COLLATE "C" NOT NULL CHECK (kind IN ('first', 'retry', 'resend', 'fallback', 'copy')),
  due_at   bigint NOT NULL,
  reason   text COLLATE "C" NOT NULL,
  reach    integer NOT NULL,
  doubts   integer NOT NULL,
  resends  integer NOT NULL,
  first_at bigint NOT NULL,
  gen      bigint NOT NULL,
  owner    text COLLATE "C" NOT NULL,
  moved_at bigint NOT NULL,

  born     text COLLATE "C" NOT NULL CHECK (born IN ('held', 'due', 'queued', 'sending', 'in_doubt', 'accepted', 'printing', 'posted', 'informed', 'unreachable', 'excluded', 'cancelled')),
  provider text COLLATE "C" NOT NULL,
  locale   text COLLATE "C" NOT NULL,
  format   text COLLATE "C" NOT NULL,
  country  text COLLATE "C" NOT NULL,
  area     text COLLATE "C" NOT NULL,
  sender   text COLLATE "C" NOT NULL,
  kinds    text COLLATE "C" NOT NULL,
  products text COLLATE "C" NOT NULL,
  flags    text COLLATE "C" NOT NULL,
  defects  text COLLATE "C" NOT NULL
-- A row is rewritten three or four times within seconds: with room on its page the
-- versions stay together, and the dead ones make room for the next. Vacuum by
-- count, not by share: the dead entries at the head of the due index are what it
-- has to take away.
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200000,
        autovacuum_analyze_scale_factor = 0.2, autovacuum_vacuum_cost_delay = 1);

-- All of them are partial, so that a move is entered in one of them and in the
-- primary key.
CREATE INDEX notices_due ON notices (import_id, role, lane, channel, due_at, id) WHERE state = 'due';
CREATE INDEX notices_paced ON notices (import_id, role, lane, channel, provider, due_at, id) WHERE state = 'due';
CREATE INDEX notices_print ON notices (import_id, format, country, area, id) WHERE state = 'due' AND channel = 'post';
CREATE INDEX notices_moving ON notices (state, moved_at) WHERE state IN ('queued', 'sending');
CREATE INDEX notices_window ON notices (import_id, state, due_at) WHERE state IN ('in_doubt', 'accepted', 'posted');
CREATE INDEX notices_reason ON notices (import_id, state, reason) WHERE state IN ('held', 'unreachable', 'excluded', 'cancelled');

-- The sealed personal part, apart so that the rows which move stay small, with
-- what never moves and is searched.
CREATE TABLE people (
  notice_id bigint PRIMARY KEY,
  import_id bigint NOT NULL,
  parent_id bigint NOT NULL, -- 0: none
  role      text COLLATE "C" NOT NULL,
  person    bytea NOT NULL,
  sealed    bytea NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX people_import ON people (import_id, notice_id);
CREATE INDEX people_person ON people (import_id, person) WHERE role = 'primary';
CREATE INDEX people_parent ON people (parent_id, notice_id) WHERE role = 'supplement';
CREATE INDEX people_supplement ON people (import_id, notice_id) WHERE role = 'supplement';

-- How many notices stand where, kept in the transaction of every move; the sum
-- over the shards is the number. The rows themselves are counted by Recount.
CREATE TABLE tallies (
  import_id bigint NOT NULL,
  role      text COLLATE "C" NOT NULL,
  channel   text COLLATE "C" NOT NULL,
  state     text COLLATE "C" NOT NULL,
  shard     integer NOT NULL,
  n         bigint NOT NULL,
  PRIMARY KEY (import_id, role, channel, state, shard)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

CREATE TABLE attempts (
  notice_id bigint NOT NULL,
  n         integer NOT NULL,
  kind      text COLLATE "C" NOT NULL CHECK (kind IN ('first', 'retry', 'resend', 'fallback', 'copy')),
  channel   text COLLATE "C" NOT NULL CHECK (channel IN ('email', 'post')),
  version   integer NOT NULL,
  told      bigint NOT NULL,
  at        bigint NOT NULL,
  tries     integer NOT NULL,
  letter    bytea NOT NULL,
  bytes     bytea NOT NULL,
  renderer  text COLLATE "C" NOT NULL,
  run_id    bigint NOT NULL,
  seq       integer NOT NULL,
  queue_id  text COLLATE "C" NOT NULL,
  PRIMARY KEY (notice_id, n)
) WITH (fillfactor = 80);

CREATE TABLE events (
  id         bigint GENERATED ALWAYS AS IDENTITY,
  notice_id  bigint NOT NULL,
  attempt    integer NOT NULL,
  kind       text COLLATE "C" NOT NULL,
  outcome    text COLLATE "C" NOT NULL CHECK (outcome IN ('', 'dead', 'transient', 'ours', 'none')),
  at         bigint NOT NULL,
  actor      text COLLATE "C" NOT NULL,
  code       text COLLATE "C" NOT NULL,
  detail     text COLLATE "C" NOT NULL,
  into_state text COLLATE "C" NOT NULL CHECK (into_state IN ('held', 'due', 'queued', 'sending', 'in_doubt', 'accepted', 'printing', 'posted', 'informed', 'unreachable', 'excluded', 'cancelled')),
  channel    text COLLATE "C" NOT NULL CHECK (channel IN ('email', 'post', 'none')),
  moved      boolean NOT NULL, -- came with a change; else recorded only
  PRIMARY KEY (notice_id, id)
);
-- Two processes that record the same report at the same time store it once.
CREATE UNIQUE INDEX events_once ON events (notice_id, attempt, kind, code, md5(detail)) WHERE NOT moved AND detail <> '';

-- The blind index. An import's tokens are loaded in this order. notice_id 0: a
-- person of the directory who is not concerned. A hash is 16 bytes, which is what
-- the type uuid holds without a length.
CREATE TABLE tokens (
  import_id bigint NOT NULL,
  hash      uuid NOT NULL,
  notice_id bigint NOT NULL,
  PRIMARY KEY (import_id, hash, notice_id)
);

-- Supplements that a notice not yet queued took in: where their tokens lead.
CREATE TABLE absorptions (
  notice_id bigint PRIMARY KEY,
  parent_id bigint NOT NULL
);
CREATE INDEX absorptions_parent ON absorptions (parent_id);

CREATE TABLE runs (
  id           bigint PRIMARY KEY,
  campaign_id  bigint NOT NULL REFERENCES campaigns (id),
  state        text COLLATE "C" NOT NULL CHECK (state IN ('cut', 'assembled', 'released', 'deposited', 'voided', 'recalled')),
  profile      text COLLATE "C" NOT NULL,
  class        text COLLATE "C" NOT NULL,
  sheets       integer NOT NULL,
  letters      integer NOT NULL,
  pages        integer NOT NULL,
  version      integer NOT NULL,
  cut_at       bigint NOT NULL,
  letter_date  bigint NOT NULL,
  file         text COLLATE "C" NOT NULL,
  sha256       text COLLATE "C" NOT NULL,
  assembled_at bigint NOT NULL,
  released_at  bigint NOT NULL,
  closed_at    bigint NOT NULL,
  deposit      text COLLATE "C" NOT NULL -- JSON
);
CREATE INDEX runs_campaign ON runs (campaign_id, id);

CREATE TABLE run_items (
  run_id     bigint NOT NULL,
  seq        integer NOT NULL,
  notice_id  bigint NOT NULL,
  attempt    integer NOT NULL,
  first_page integer NOT NULL,
  pages      integer NOT NULL,
  state      text COLLATE "C" NOT NULL CHECK (state IN ('in', 'posted', 'rejected', 'out')),
  PRIMARY KEY (run_id, seq)
);

-- Times of leases are the database's.
CREATE TABLE leases (
  name  text COLLATE "C" PRIMARY KEY,
  owner text COLLATE "C" NOT NULL,
  until timestamptz NOT NULL
);
