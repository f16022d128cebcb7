-- What people write: every saved text of a campaign's folder.

CREATE TABLE writings (
  campaign_id bigint NOT NULL REFERENCES campaigns (id),
  file        text COLLATE "C" NOT NULL,
  n           integer NOT NULL CHECK (n > 0),
  hash        text COLLATE "C" NOT NULL,
  content     text COLLATE "C" NOT NULL,
  actor       text COLLATE "C" NOT NULL,
  at          bigint NOT NULL,
  reason      text COLLATE "C" NOT NULL,
  PRIMARY KEY (campaign_id, file, n)
);
