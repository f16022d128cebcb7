-- What the cell says and hears: questions and answers with their history, queries
-- that have no answer yet, forgeries that callers report.

CREATE TABLE qa (
  id          INTEGER PRIMARY KEY,
  campaign_id INTEGER NOT NULL REFERENCES campaigns (id),
  topic       TEXT    NOT NULL,
  locale      TEXT    NOT NULL,
  UNIQUE (campaign_id, topic, locale)
) STRICT;

CREATE TABLE qa_versions (
  qa_id     INTEGER NOT NULL REFERENCES qa (id),
  n         INTEGER NOT NULL CHECK (n > 0),
  audiences TEXT    NOT NULL, -- joined by '|'
  question  TEXT    NOT NULL,
  answer    TEXT    NOT NULL, -- Markdown
  author    TEXT    NOT NULL,
  at        INTEGER NOT NULL,
  reason    TEXT    NOT NULL,
  PRIMARY KEY (qa_id, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE qa_steps (
  id     INTEGER PRIMARY KEY AUTOINCREMENT,
  qa_id  INTEGER NOT NULL REFERENCES qa (id),
  n      INTEGER NOT NULL,
  kind   TEXT    NOT NULL CHECK (kind = 'published' OR kind = 'withdrawn'),
  actor  TEXT    NOT NULL,
  at     INTEGER NOT NULL,
  reason TEXT    NOT NULL,
  FOREIGN KEY (qa_id, n) REFERENCES qa_versions (qa_id, n)
) STRICT;
CREATE INDEX qa_steps_qa ON qa_steps (qa_id, id);

CREATE TABLE qa_given (
  id          INTEGER PRIMARY KEY,
  campaign_id INTEGER NOT NULL,
  qa_id       INTEGER NOT NULL,
  n           INTEGER NOT NULL,
  call_id     INTEGER NOT NULL, -- 0: outside a noted call
  actor       TEXT    NOT NULL,
  at          INTEGER NOT NULL,
  FOREIGN KEY (qa_id, n) REFERENCES qa_versions (qa_id, n)
) STRICT;
CREATE INDEX qa_given_campaign ON qa_given (campaign_id, qa_id);
CREATE INDEX qa_given_call ON qa_given (call_id) WHERE call_id > 0;

-- Nobody rewrites what was said.
CREATE TRIGGER qa_versions_stay BEFORE UPDATE ON qa_versions BEGIN SELECT RAISE(ABORT, 'history is not rewritten'); END;
CREATE TRIGGER qa_versions_kept BEFORE DELETE ON qa_versions BEGIN SELECT RAISE(ABORT, 'history is not rewritten'); END;
CREATE TRIGGER qa_steps_stay BEFORE UPDATE ON qa_steps BEGIN SELECT RAISE(ABORT, 'history is not rewritten'); END;
CREATE TRIGGER qa_steps_kept BEFORE DELETE ON qa_steps BEGIN SELECT RAISE(ABORT, 'history is not rewritten'); END;
CREATE TRIGGER qa_given_stay BEFORE UPDATE ON qa_given BEGIN SELECT RAISE(ABORT, 'history is not rewritten'); END;
CREATE TRIGGER qa_given_kept BEFORE DELETE ON qa_given BEGIN SELECT RAISE(ABORT, 'history is not rewritten'); END;

-- The newest step that somebody has looked at.
CREATE TABLE qa_looks (
  user_id     INTEGER NOT NULL REFERENCES users (id),
  campaign_id INTEGER NOT NULL REFERENCES campaigns (id),
  step        INTEGER NOT NULL,
  PRIMARY KEY (user_id, campaign_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE queries (
  id          INTEGER PRIMARY KEY,
  campaign_id INTEGER NOT NULL REFERENCES campaigns (id),
  call_id     INTEGER NOT NULL,
  locale      TEXT    NOT NULL,
  sealed      BLOB    NOT NULL,
  asked_by    TEXT    NOT NULL,
  asked_at    INTEGER NOT NULL,
  state       TEXT    NOT NULL CHECK (state = 'open' OR state = 'answered' OR state = 'dismissed'),
  qa_id       INTEGER NOT NULL,
  reason      TEXT    NOT NULL,
  closed_by   TEXT    NOT NULL,
  closed_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX queries_campaign ON queries (campaign_id, id);

CREATE TABLE forgeries (
  id          INTEGER PRIMARY KEY,
  campaign_id INTEGER NOT NULL REFERENCES campaigns (id),
  notice_id   INTEGER NOT NULL, -- 0: none
  way         TEXT    NOT NULL,
  verdict     TEXT    NOT NULL,
  print       BLOB    NOT NULL, -- keyed hash of the words
  sealed      BLOB    NOT NULL,
  actor       TEXT    NOT NULL,
  at          INTEGER NOT NULL
) STRICT;
CREATE INDEX forgeries_campaign ON forgeries (campaign_id, id);
