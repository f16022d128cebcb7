-- The cell: who called, what happened in the call, and corrected addresses that wait
-- for a second person. None of it holds a person in clear.

CREATE TABLE calls (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  campaign_id  bigint  NOT NULL, -- 0: nobody was found
  notice_id    bigint  NOT NULL, -- 0: nobody, or not in the population
  import_id    bigint  NOT NULL,
  agent        text COLLATE "C" NOT NULL,
  source       text COLLATE "C" NOT NULL,
  opened_at    bigint  NOT NULL,
  closed_at    bigint  NOT NULL,
  key          text COLLATE "C" NOT NULL, -- its kind
  token        bytea   NOT NULL,
  found        text COLLATE "C" NOT NULL,
  verified     text COLLATE "C" NOT NULL CHECK (verified IN ('', 'crm', 'reference', 'callback', 'values')),
  verified_at  bigint  NOT NULL,
  tries        integer NOT NULL,
  told         text COLLATE "C" NOT NULL,
  cause        text COLLATE "C" NOT NULL,
  outcome      text COLLATE "C" NOT NULL,
  escalated    text COLLATE "C" NOT NULL,
  escalated_at bigint  NOT NULL,
  handled_by   text COLLATE "C" NOT NULL,
  handled_at   bigint  NOT NULL,
  gen          bigint  NOT NULL
);
CREATE INDEX calls_opened ON calls (opened_at);
CREATE INDEX calls_agent ON calls (agent, id);
CREATE INDEX calls_notice ON calls (notice_id) WHERE notice_id > 0;
CREATE INDEX calls_token ON calls (campaign_id, token) WHERE notice_id = 0 AND token <> '';
CREATE INDEX calls_waiting ON calls (id) WHERE escalated <> '' AND handled_at = 0;
CREATE INDEX calls_told ON calls (campaign_id, id) WHERE told = 'not-concerned';

CREATE TABLE call_steps (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  call_id bigint  NOT NULL,
  at      bigint  NOT NULL,
  agent   text COLLATE "C" NOT NULL,
  kind    text COLLATE "C" NOT NULL,
  code    text COLLATE "C" NOT NULL,
  detail  text COLLATE "C" NOT NULL,
  sealed  bytea   NOT NULL
);
CREATE INDEX call_steps_call ON call_steps (call_id);
CREATE INDEX call_steps_look_up ON call_steps (agent, at) WHERE kind = 'look-up';

CREATE TABLE proposals (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  call_id     bigint  NOT NULL,
  campaign_id bigint  NOT NULL,
  notice_id   bigint  NOT NULL,
  what        text COLLATE "C" NOT NULL CHECK (what IN ('email', 'post')),
  sealed      bytea   NOT NULL,
  reason      text COLLATE "C" NOT NULL,
  asked_by    text COLLATE "C" NOT NULL,
  asked_at    bigint  NOT NULL,
  state       text COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'accepted', 'refused', 'failed')),
  decided_by  text COLLATE "C" NOT NULL,
  decided_at  bigint  NOT NULL,
  note        text COLLATE "C" NOT NULL
);
CREATE INDEX proposals_state ON proposals (state, id);

-- Copies that the cell asked for after the import.
ALTER TABLE imports ADD COLUMN copied bigint NOT NULL DEFAULT 0;
