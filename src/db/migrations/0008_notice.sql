-- Notices to people: what waits to be mailed. A row is gone when the mail with it has been taken over by the mail server.

CREATE TABLE notice (
	company_id BIGINT NOT NULL,
	id BIGINT NOT NULL,
	person_id BIGINT NOT NULL,
	period TEXT NOT NULL,       -- IMMEDIATE, DAILY, WEEKLY: with which mail; REFUSED: with none
	type TEXT NOT NULL,         -- of the event: threshold.breached, …
	object_id TEXT NOT NULL,
	at BIGINT NOT NULL,         -- when it happened
	details TEXT NOT NULL,      -- JSON object
	PRIMARY KEY (company_id, id),
	FOREIGN KEY (company_id, person_id) REFERENCES person (company_id, id)
) WITHOUT ROWID;
CREATE SEQUENCE notice;
CREATE INDEX notice_person ON notice (company_id, person_id, period, id);
