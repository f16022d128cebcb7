-- What came back, raw and sealed, and what became of it. The messages themselves
-- lie apart, as in the SQLite engine.

CREATE TABLE inbox (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  key          bytea   NOT NULL UNIQUE CHECK (length(key) = 32),
  source       text COLLATE "C" NOT NULL,
  at           bigint  NOT NULL,
  state        text COLLATE "C" NOT NULL CHECK (state IN ('pending', 'applied', 'recorded', 'forwarded', 'quarantined', 'unmatched', 'garbage')),
  notice_id    bigint  NOT NULL,
  attempt      integer NOT NULL,
  kind         text COLLATE "C" NOT NULL,
  outcome      text COLLATE "C" NOT NULL,
  code         text COLLATE "C" NOT NULL,
  judged_at    bigint  NOT NULL,
  rules        integer NOT NULL,
  forwarded_at bigint  NOT NULL
);
CREATE INDEX inbox_state ON inbox (state, kind, id);
CREATE INDEX inbox_pending ON inbox (id) WHERE state = 'pending';
CREATE INDEX inbox_notice ON inbox (notice_id) WHERE notice_id > 0;

-- Sealed data do not compress.
CREATE TABLE inbox_raw (
  id     bigint PRIMARY KEY,
  sealed bytea NOT NULL
);
ALTER TABLE inbox_raw ALTER COLUMN sealed SET STORAGE EXTERNAL;
