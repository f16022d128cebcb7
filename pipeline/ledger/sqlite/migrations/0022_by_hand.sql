-- Letters that only hands can pull out of a print run: the page of a run reads them
-- among all that is on record of a campaign.
CREATE INDEX audits_by_hand ON audits (campaign_id, id) WHERE action = 'pull-by-hand';
