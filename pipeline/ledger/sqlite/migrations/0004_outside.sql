-- What people and the post reported, to be counted without reading the rest.

CREATE INDEX events_outside ON events (kind, code, notice_id, attempt) WHERE kind = 'returned' OR kind = 'notified';
CREATE INDEX notices_told ON notices (import_id, role) WHERE state = 'informed' AND reason = 'told-otherwise';
