-- Who had an account in their hands, as JSON: whoever gives a role or a password may be
-- the same person.
ALTER TABLE users ADD COLUMN hands TEXT NOT NULL DEFAULT '';
