-- Who is connected to what, so that several nodes show the same people. A node that died is told by seen_at.

CREATE TABLE presence (
	company_id BIGINT NOT NULL,
	object_type TEXT NOT NULL,
	object_id TEXT NOT NULL,
	node TEXT NOT NULL,
	person_id BIGINT NOT NULL,
	username TEXT NOT NULL,
	since BIGINT NOT NULL,
	seen_at BIGINT NOT NULL,
	PRIMARY KEY (company_id, object_type, object_id, node, person_id)
) WITHOUT ROWID;
CREATE INDEX presence_seen ON presence (seen_at);

-- The event table as the engine lists it: the number is the row's id.
-- @sqlite
CREATE VIEW event_log AS SELECT company_id, seq AS id, type, object_type, object_id, actor_id, actor_name, request_id, at, old_values, new_values FROM event;
-- @postgres
CREATE VIEW event_log AS SELECT company_id, seq AS id, type, object_type, object_id, actor_id, actor_name, request_id, at, old_values, new_values FROM event;
-- @all
