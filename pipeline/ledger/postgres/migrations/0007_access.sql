-- Who may know of a campaign, and the interface for programs.

-- The identity provider has vouched for a second factor at this login.
ALTER TABLE sessions ADD COLUMN strong boolean NOT NULL DEFAULT false;

CREATE TABLE embargoes (
  campaign_id bigint PRIMARY KEY REFERENCES campaigns (id),
  until       bigint NOT NULL,
  members     text COLLATE "C" NOT NULL, -- joined by '|'
  gen         bigint NOT NULL
);

CREATE TABLE api_tokens (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name        text COLLATE "C" NOT NULL UNIQUE,
  hash        bytea NOT NULL UNIQUE, -- keyed
  scopes      text COLLATE "C" NOT NULL, -- joined by '|'
  per_minute  bigint NOT NULL,
  look_ups    bigint NOT NULL, -- an hour
  created_at  bigint NOT NULL,
  created_by  text COLLATE "C" NOT NULL,
  expires_at  bigint NOT NULL,
  revoked_at  bigint NOT NULL,
  seen_at     bigint NOT NULL
);

-- Answers to requests that carried an idempotency key.
CREATE TABLE api_answers (
  token_id bigint NOT NULL REFERENCES api_tokens (id),
  key      bytea NOT NULL,
  request  bytea NOT NULL,
  at       bigint NOT NULL,
  status   bigint NOT NULL, -- 0: being worked on
  body     bytea NOT NULL, -- sealed
  PRIMARY KEY (token_id, key)
);
CREATE INDEX api_answers_at ON api_answers (at);
