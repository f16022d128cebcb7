-- When an accepted correction was in force; 0 until then, so that one whose program
-- was stopped between the two is found again.
ALTER TABLE proposals ADD COLUMN applied_at INTEGER NOT NULL DEFAULT 0;
UPDATE proposals SET applied_at = decided_at WHERE state = 'accepted';
CREATE INDEX proposals_unapplied ON proposals (id) WHERE state = 'accepted' AND applied_at = 0;
