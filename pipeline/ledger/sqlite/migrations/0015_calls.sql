-- The cell: who called, what happened in the call, and corrected addresses that wait
-- for a second person. None of it holds a person in clear.

CREATE TABLE calls (
  id           INTEGER PRIMARY KEY,
  campaign_id  INTEGER NOT NULL, -- 0: nobody was found
  notice_id    INTEGER NOT NULL, -- 0: nobody, or not in the population
  import_id    INTEGER NOT NULL,
  agent        TEXT    NOT NULL,
  source       TEXT    NOT NULL,
  opened_at    INTEGER NOT NULL,
  closed_at    INTEGER NOT NULL,
  key          TEXT    NOT NULL, -- its kind
  token        BLOB    NOT NULL,
  found        TEXT    NOT NULL,
  verified     TEXT    NOT NULL CHECK (verified = '' OR verified = 'crm' OR verified = 'reference' OR verified = 'callback' OR verified = 'values'),
  verified_at  INTEGER NOT NULL,
  tries        INTEGER NOT NULL,
  told         TEXT    NOT NULL,
  cause        TEXT    NOT NULL,
  outcome      TEXT    NOT NULL,
  escalated    TEXT    NOT NULL,
  escalated_at INTEGER NOT NULL,
  handled_by   TEXT    NOT NULL,
  handled_at   INTEGER NOT NULL,
  gen          INTEGER NOT NULL
) STRICT;
CREATE INDEX calls_opened ON calls (opened_at);
CREATE INDEX calls_agent ON calls (agent, id);
CREATE INDEX calls_notice ON calls (notice_id) WHERE notice_id > 0;
CREATE INDEX calls_token ON calls (campaign_id, token) WHERE notice_id = 0 AND token <> x'';
CREATE INDEX calls_waiting ON calls (id) WHERE escalated <> '' AND handled_at = 0;
CREATE INDEX calls_told ON calls (campaign_id, id) WHERE told = 'not-concerned';

CREATE TABLE call_steps (
  id      INTEGER PRIMARY KEY,
  call_id INTEGER NOT NULL,
  at      INTEGER NOT NULL,
  agent   TEXT    NOT NULL,
  kind    TEXT    NOT NULL,
  code    TEXT    NOT NULL,
  detail  TEXT    NOT NULL,
  sealed  BLOB    NOT NULL
) STRICT;
CREATE INDEX call_steps_call ON call_steps (call_id);
CREATE INDEX call_steps_look_up ON call_steps (agent, at) WHERE kind = 'look-up';

CREATE TABLE proposals (
  id          INTEGER PRIMARY KEY,
  call_id     INTEGER NOT NULL,
  campaign_id INTEGER NOT NULL,
  notice_id   INTEGER NOT NULL,
  what        TEXT    NOT NULL CHECK (what = 'email' OR what = 'post'),
  sealed      BLOB    NOT NULL,
  reason      TEXT    NOT NULL,
  asked_by    TEXT    NOT NULL,
  asked_at    INTEGER NOT NULL,
  state       TEXT    NOT NULL CHECK (state = 'waiting' OR state = 'accepted' OR state = 'refused' OR state = 'failed'),
  decided_by  TEXT    NOT NULL,
  decided_at  INTEGER NOT NULL,
  note        TEXT    NOT NULL
) STRICT;
CREATE INDEX proposals_state ON proposals (state, id);

-- Copies that the cell asked for after the import.
ALTER TABLE imports ADD COLUMN copied INTEGER NOT NULL DEFAULT 0;
