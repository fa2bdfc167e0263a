-- Webhook delivery: how far each endpoint has been told, what was sent to it and what it answered.

-- An endpoint's position in the event table and its health; beside the subscription, because it moves with every delivery.
CREATE TABLE webhook_state (
	company_id BIGINT NOT NULL,
	webhook_id TEXT NOT NULL,
	txid BIGINT NOT NULL,       -- told up to here
	seq BIGINT NOT NULL,
	failing_since BIGINT,       -- first failure in a row
	failures BIGINT NOT NULL,   -- in a row
	next_at BIGINT,             -- not before, while failing
	paused_reason TEXT,         -- why the server paused it
	old_secret TEXT,            -- sealed; still signs until old_secret_until
	old_secret_until BIGINT,
	PRIMARY KEY (company_id, webhook_id)
) WITHOUT ROWID;

CREATE TABLE webhook_delivery (
	company_id BIGINT NOT NULL,
	id TEXT NOT NULL,           -- the webhook-id header: msg_…
	webhook_id TEXT NOT NULL,
	number BIGINT NOT NULL,     -- rises, for lists
	event_seq BIGINT,           -- NULL: a test
	event_type TEXT NOT NULL,
	reason TEXT NOT NULL,       -- event, replay, test
	state TEXT NOT NULL,        -- pending, delivered, failed
	payload TEXT NOT NULL,      -- the body as sent
	attempts BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	delivered_at BIGINT,
	next_at BIGINT,
	PRIMARY KEY (company_id, id)
) WITHOUT ROWID;
CREATE SEQUENCE webhook_delivery;
CREATE INDEX webhook_delivery_list ON webhook_delivery (company_id, webhook_id, number);
CREATE INDEX webhook_delivery_age ON webhook_delivery (created_at);

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
	fault TEXT,                 -- TIMEOUT, ADDRESS_REFUSED, …
	answer TEXT,                -- its first 2 kB
	PRIMARY KEY (company_id, delivery_id, attempt)
) WITHOUT ROWID;
