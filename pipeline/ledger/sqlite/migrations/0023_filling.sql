-- A large print run is filled some letters at a time, and may be found half full
-- after a crash. SQLite changes no CHECK: the table is made again.
ALTER TABLE runs RENAME TO runs_before;
CREATE TABLE runs (
  id           INTEGER PRIMARY KEY,
  campaign_id  INTEGER NOT NULL REFERENCES campaigns (id),
  state        TEXT    NOT NULL CHECK (state = 'filling' OR state = 'cut' OR state = 'assembled' OR state = 'released' OR state = 'deposited' OR state = 'voided' OR state = 'recalled'),
  profile      TEXT    NOT NULL,
  class        TEXT    NOT NULL,
  sheets       INTEGER NOT NULL,
  letters      INTEGER NOT NULL,
  pages        INTEGER NOT NULL,
  version      INTEGER NOT NULL,
  cut_at       INTEGER NOT NULL,
  letter_date  INTEGER NOT NULL,
  file         TEXT    NOT NULL,
  sha256       TEXT    NOT NULL,
  assembled_at INTEGER NOT NULL,
  released_at  INTEGER NOT NULL,
  closed_at    INTEGER NOT NULL,
  deposit      TEXT    NOT NULL -- JSON
) STRICT;
INSERT INTO runs SELECT id, campaign_id, state, profile, class, sheets, letters, pages, version, cut_at, letter_date, file, sha256, assembled_at, released_at, closed_at, deposit FROM runs_before;
DROP TABLE runs_before;
CREATE INDEX runs_campaign ON runs (campaign_id);
