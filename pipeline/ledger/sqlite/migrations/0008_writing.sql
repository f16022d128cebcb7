-- What people write: every saved text of a campaign's folder.

CREATE TABLE writings (
  campaign_id INTEGER NOT NULL REFERENCES campaigns (id),
  file        TEXT    NOT NULL,
  n           INTEGER NOT NULL CHECK (n > 0),
  hash        TEXT    NOT NULL,
  content     TEXT    NOT NULL,
  actor       TEXT    NOT NULL,
  at          INTEGER NOT NULL,
  reason      TEXT    NOT NULL,
  PRIMARY KEY (campaign_id, file, n)
) STRICT;
