-- A large print run is filled some letters at a time, and may be found half full
-- after a crash.
ALTER TABLE runs DROP CONSTRAINT runs_state_check,
  ADD CONSTRAINT runs_state_check CHECK (state IN ('filling', 'cut', 'assembled', 'released', 'deposited', 'voided', 'recalled'));
