-- What the cell says and hears: questions and answers with their history, queries
-- that have no answer yet, forgeries that callers report.

CREATE TABLE qa (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  campaign_id bigint NOT NULL REFERENCES campaigns (id),
  topic       text COLLATE "C" NOT NULL,
  locale      text COLLATE "C" NOT NULL,
  UNIQUE (campaign_id, topic, locale)
);

CREATE TABLE qa_versions (
  qa_id     bigint NOT NULL REFERENCES qa (id),
  n         integer NOT NULL CHECK (n > 0),
  audiences text COLLATE "C" NOT NULL, -- joined by '|'
  question  text COLLATE "C" NOT NULL,
  answer    text COLLATE "C" NOT NULL, -- Markdown
  author    text COLLATE "C" NOT NULL,
  at        bigint NOT NULL,
  reason    text COLLATE "C" NOT NULL,
  PRIMARY KEY (qa_id, n)
);

CREATE TABLE qa_steps (
  id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  qa_id  bigint NOT NULL REFERENCES qa (id),
  n      integer NOT NULL,
  kind   text COLLATE "C" NOT NULL CHECK (kind = 'published' OR kind = 'withdrawn'),
  actor  text COLLATE "C" NOT NULL,
  at     bigint NOT NULL,
  reason text COLLATE "C" NOT NULL,
  FOREIGN KEY (qa_id, n) REFERENCES qa_versions (qa_id, n)
);
CREATE INDEX qa_steps_qa ON qa_steps (qa_id, id);

CREATE TABLE qa_given (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  campaign_id bigint NOT NULL,
  qa_id       bigint NOT NULL,
  n           integer NOT NULL,
  call_id     bigint NOT NULL, -- 0: outside a noted call
  actor       text COLLATE "C" NOT NULL,
  at          bigint NOT NULL,
  FOREIGN KEY (qa_id, n) REFERENCES qa_versions (qa_id, n)
);
CREATE INDEX qa_given_campaign ON qa_given (campaign_id, qa_id);
CREATE INDEX qa_given_call ON qa_given (call_id) WHERE call_id > 0;

-- Nobody rewrites what was said.
CREATE FUNCTION qa_history() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'history is not rewritten' USING ERRCODE = 'restrict_violation'; END $$;
CREATE TRIGGER qa_versions_stay BEFORE UPDATE OR DELETE ON qa_versions FOR EACH ROW EXECUTE FUNCTION qa_history();
CREATE TRIGGER qa_versions_kept BEFORE TRUNCATE ON qa_versions FOR EACH STATEMENT EXECUTE FUNCTION qa_history();
CREATE TRIGGER qa_steps_stay BEFORE UPDATE OR DELETE ON qa_steps FOR EACH ROW EXECUTE FUNCTION qa_history();
CREATE TRIGGER qa_steps_kept BEFORE TRUNCATE ON qa_steps FOR EACH STATEMENT EXECUTE FUNCTION qa_history();
CREATE TRIGGER qa_given_stay BEFORE UPDATE OR DELETE ON qa_given FOR EACH ROW EXECUTE FUNCTION qa_history();
CREATE TRIGGER qa_given_kept BEFORE TRUNCATE ON qa_given FOR EACH STATEMENT EXECUTE FUNCTION qa_history();

-- The newest step that somebody has looked at.
CREATE TABLE qa_looks (
  user_id     bigint NOT NULL REFERENCES users (id),
  campaign_id bigint NOT NULL REFERENCES campaigns (id),
  step        bigint NOT NULL,
  PRIMARY KEY (user_id, campaign_id)
);

CREATE TABLE queries (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  campaign_id bigint NOT NULL REFERENCES campaigns (id),
  call_id     bigint NOT NULL,
  locale      text COLLATE "C" NOT NULL,
  sealed      bytea NOT NULL,
  asked_by    text COLLATE "C" NOT NULL,
  asked_at    bigint NOT NULL,
  state       text COLLATE "C" NOT NULL CHECK (state = 'open' OR state = 'answered' OR state = 'dismissed'),
  qa_id       bigint NOT NULL,
  reason      text COLLATE "C" NOT NULL,
  closed_by   text COLLATE "C" NOT NULL,
  closed_at   bigint NOT NULL
);
CREATE INDEX queries_campaign ON queries (campaign_id, id);

CREATE TABLE forgeries (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  campaign_id bigint NOT NULL REFERENCES campaigns (id),
  notice_id   bigint NOT NULL, -- 0: none
  way         text COLLATE "C" NOT NULL,
  verdict     text COLLATE "C" NOT NULL,
  print       bytea NOT NULL, -- keyed hash of the words
  sealed      bytea NOT NULL,
  actor       text COLLATE "C" NOT NULL,
  at          bigint NOT NULL
);
CREATE INDEX forgeries_campaign ON forgeries (campaign_id, id);
