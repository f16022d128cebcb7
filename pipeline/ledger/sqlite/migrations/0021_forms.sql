-- What makes a request count once serves the forms of people too: they have numbers
-- below 0, and no token.

ALTER TABLE api_answers RENAME TO api_answers_before;
DROP INDEX api_answers_at;
CREATE TABLE api_answers (
  token_id INTEGER NOT NULL, -- of a program; below 0: the negative of a user
  key      BLOB NOT NULL,
  request  BLOB NOT NULL,
  at       INTEGER NOT NULL,
  status   INTEGER NOT NULL, -- 0: being worked on
  body     BLOB NOT NULL, -- sealed
  PRIMARY KEY (token_id, key)
) STRICT, WITHOUT ROWID;
INSERT INTO api_answers (token_id, key, request, at, status, body) SELECT token_id, key, request, at, status, body FROM api_answers_before;
DROP TABLE api_answers_before;
CREATE INDEX api_answers_at ON api_answers (at);
