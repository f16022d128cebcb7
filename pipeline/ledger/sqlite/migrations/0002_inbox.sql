-- What came back, raw and sealed, and what became of it. The messages themselves
-- lie apart, so that judging does not write them again.

CREATE TABLE inbox (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  key          BLOB    NOT NULL UNIQUE CHECK (length(key) = 32),
  source       TEXT    NOT NULL,
  at           INTEGER NOT NULL,
  state        TEXT    NOT NULL CHECK (state = 'pending' OR state = 'applied' OR state = 'recorded' OR state = 'forwarded' OR state = 'quarantined' OR state = 'unmatched' OR state = 'garbage'),
  notice_id    INTEGER NOT NULL,
  attempt      INTEGER NOT NULL,
  kind         TEXT    NOT NULL,
  outcome      TEXT    NOT NULL,
  code         TEXT    NOT NULL,
  judged_at    INTEGER NOT NULL,
  rules        INTEGER NOT NULL,
  forwarded_at INTEGER NOT NULL
) STRICT;
CREATE INDEX inbox_state ON inbox (state, kind, id);
CREATE INDEX inbox_pending ON inbox (id) WHERE state = 'pending';
CREATE INDEX inbox_notice ON inbox (notice_id) WHERE notice_id > 0;

CREATE TABLE inbox_raw (
  id     INTEGER PRIMARY KEY,
  sealed BLOB NOT NULL
) STRICT;
