-- Who may know of a campaign, and the interface for programs.

-- The identity provider has vouched for a second factor at this login.
ALTER TABLE sessions ADD COLUMN strong INTEGER NOT NULL DEFAULT 0 CHECK (strong = 0 OR strong = 1);

CREATE TABLE embargoes (
  campaign_id INTEGER PRIMARY KEY REFERENCES campaigns (id),
  until       INTEGER NOT NULL,
  members     TEXT NOT NULL, -- joined by '|'
  gen         INTEGER NOT NULL
) STRICT;

CREATE TABLE api_tokens (
  id          INTEGER PRIMARY KEY,
  name        TEXT NOT NULL UNIQUE,
  hash        BLOB NOT NULL UNIQUE, -- keyed
  scopes      TEXT NOT NULL, -- joined by '|'
  per_minute  INTEGER NOT NULL,
  look_ups    INTEGER NOT NULL, -- an hour
  created_at  INTEGER NOT NULL,
  created_by  TEXT NOT NULL,
  expires_at  INTEGER NOT NULL,
  revoked_at  INTEGER NOT NULL,
  seen_at     INTEGER NOT NULL
) STRICT;

-- Answers to requests that carried an idempotency key.
CREATE TABLE api_answers (
  token_id INTEGER NOT NULL REFERENCES api_tokens (id),
  key      BLOB NOT NULL,
  request  BLOB NOT NULL,
  at       INTEGER NOT NULL,
  status   INTEGER NOT NULL, -- 0: being worked on
  body     BLOB NOT NULL, -- sealed
  PRIMARY KEY (token_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX api_answers_at ON api_answers (at);
