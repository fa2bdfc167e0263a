-- Webhook delivery: how far each endpoint has been told, how it is doing, what was sent to it and what it answered.

-- The endpoint's health stands with the subscription, because people look at both together. These columns change without a new version.
ALTER TABLE webhook ADD COLUMN failing_since BIGINT;           -- first failure in a row
ALTER TABLE webhook ADD COLUMN failures BIGINT NOT NULL DEFAULT 0; -- in a row
ALTER TABLE webhook ADD COLUMN next_attempt_at BIGINT;         -- not before, while failing
ALTER TABLE webhook ADD COLUMN paused_reason TEXT;             -- why the server paused it
ALTER TABLE webhook ADD COLUMN last_attempt_at BIGINT;
ALTER TABLE webhook ADD COLUMN last_result TEXT;               -- the status that was answered, or TIMEOUT, ADDRESS_REFUSED, …

-- Whether it is told of events about access: whoever last said where it goes and what it wants administers the company. Nobody knows who
-- did that for subscriptions made before there was delivery.
ALTER TABLE webhook ADD COLUMN access_events BOOLEAN NOT NULL DEFAULT 0;

-- What nobody is shown: the position in the event table, and the secret before the last rotation.
CREATE TABLE webhook_state (
	company_id BIGINT NOT NULL,
	webhook_id TEXT NOT NULL,
	txid BIGINT NOT NULL,       -- told up to here
	seq BIGINT NOT NULL,
	old_secret TEXT,            -- sealed; still signs until old_secret_until
	old_secret_until BIGINT,
	PRIMARY KEY (company_id, webhook_id)
) WITHOUT ROWID;

-- Subscriptions made before there was delivery begin now.
-- @sqlite
INSERT INTO webhook_state (company_id, webhook_id, txid, seq)
SELECT company_id, id, 0, COALESCE((SELECT MAX(seq) FROM event), 0) FROM webhook;
-- @postgres
INSERT INTO webhook_state (company_id, webhook_id, txid, seq)
SELECT company_id, id, pg_current_xact_id()::text::bigint, 0 FROM webhook;
-- @all

CREATE TABLE webhook_delivery (
	company_id BIGINT NOT NULL,
	id TEXT NOT NULL,           -- msg_…
	message_id TEXT NOT NULL,   -- the webhook-id header: of a replay that of the first delivery
	webhook_id TEXT NOT NULL,
	number BIGINT NOT NULL,     -- rises, for lists and for the order of replays
	event_id BIGINT,            -- the event's number; NULL: a test
	event_type TEXT NOT NULL,
	access BOOLEAN NOT NULL,    -- of an event about access: sent, and its body shown, as such
	reason TEXT NOT NULL,       -- event, replay, test
	state TEXT NOT NULL,        -- pending, delivered, failed
	payload TEXT NOT NULL,      -- the body as sent
	attempts BIGINT NOT NULL,
	version BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	delivered_at BIGINT,
	next_at BIGINT,             -- not before, while pending
	PRIMARY KEY (company_id, id)
) WITHOUT ROWID;
CREATE SEQUENCE webhook_delivery;
CREATE INDEX webhook_delivery_list ON webhook_delivery (company_id, webhook_id, number);
CREATE INDEX webhook_delivery_age ON webhook_delivery (created_at);
CREATE INDEX webhook_delivery_replay ON webhook_delivery (company_id, webhook_id, number) WHERE reason = 'replay' AND state = 'pending';

CREATE TABLE webhook_attempt (
	company_id BIGINT NOT NULL,
	delivery_id TEXT NOT NULL,
	attempt BIGINT NOT NULL,    -- from 1
	at BIGINT NOT NULL,
	duration_us BIGINT NOT NULL,
	url TEXT NOT NULL,
	address TEXT,               -- connected to
	request_headers TEXT NOT NULL, -- JSON, signatures included
	status BIGINT,              -- NULL: no answer
	fault TEXT,                 -- TIMEOUT, ADDRESS_REFUSED, …; NULL: delivered
	answer TEXT,                -- its first 2 kB
	PRIMARY KEY (company_id, delivery_id, attempt)
) WITHOUT ROWID;
