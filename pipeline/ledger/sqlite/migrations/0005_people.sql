-- The people who work with the console, and their logins.

CREATE TABLE users (
  id           INTEGER PRIMARY KEY,
  login        TEXT    NOT NULL UNIQUE,
  name         TEXT    NOT NULL,
  roles        TEXT    NOT NULL, -- joined by '|'
  source       TEXT    NOT NULL,
  subject      TEXT    NOT NULL,
  password     TEXT    NOT NULL,
  must_change  INTEGER NOT NULL CHECK (must_change = 0 OR must_change = 1),
  password_at  INTEGER NOT NULL,
  totp         BLOB    NOT NULL, -- sealed
  totp_step    INTEGER NOT NULL,
  failures     INTEGER NOT NULL,
  locked_until INTEGER NOT NULL,
  disabled     INTEGER NOT NULL CHECK (disabled = 0 OR disabled = 1),
  epoch        INTEGER NOT NULL,
  locale       TEXT    NOT NULL,
  created_at   INTEGER NOT NULL,
  seen_at      INTEGER NOT NULL,
  gen          INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX users_subject ON users (source, subject) WHERE subject <> '';

CREATE TABLE sessions (
  hash       BLOB    PRIMARY KEY, -- SHA-256 of the token
  user_id    INTEGER NOT NULL REFERENCES users (id),
  epoch      INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  seen_at    INTEGER NOT NULL,
  sure_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_user ON sessions (user_id);
