-- The people who work with the console, and their logins.

CREATE TABLE users (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  login        text COLLATE "C" NOT NULL UNIQUE,
  name         text COLLATE "C" NOT NULL,
  roles        text COLLATE "C" NOT NULL, -- joined by '|'
  source       text COLLATE "C" NOT NULL,
  subject      text COLLATE "C" NOT NULL,
  password     text COLLATE "C" NOT NULL,
  must_change  boolean NOT NULL,
  password_at  bigint NOT NULL,
  totp         bytea NOT NULL, -- sealed
  totp_step    bigint NOT NULL,
  failures     integer NOT NULL,
  locked_until bigint NOT NULL,
  disabled     boolean NOT NULL,
  epoch        bigint NOT NULL,
  locale       text COLLATE "C" NOT NULL,
  created_at   bigint NOT NULL,
  seen_at      bigint NOT NULL,
  gen          bigint NOT NULL
);
CREATE UNIQUE INDEX users_subject ON users (source, subject) WHERE subject <> '';

CREATE TABLE sessions (
  hash       bytea PRIMARY KEY, -- SHA-256 of the token
  user_id    bigint NOT NULL REFERENCES users (id),
  epoch      bigint NOT NULL,
  created_at bigint NOT NULL,
  seen_at    bigint NOT NULL,
  sure_at    bigint NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
