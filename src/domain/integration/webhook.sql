-- Webhook delivery. Statements that change a webhook's health leave its version alone.

-- name: webhook_state_add @sqlite
INSERT INTO webhook_state (company_id, webhook_id, txid, seq)
VALUES ($1, $2, 0, COALESCE((SELECT seq FROM event ORDER BY txid DESC, seq DESC LIMIT 1), 0))
-- name: webhook_state_add @postgres
INSERT INTO webhook_state (company_id, webhook_id, txid, seq)
VALUES ($1, $2, CAST(CAST(pg_current_xact_id() AS text) AS bigint), 9223372036854775807)

-- name: webhook_state_remove
DELETE FROM webhook_state WHERE company_id = $1 AND webhook_id = $2

-- name: webhook_next
SELECT w.url, w.events, w.secret, w.status, w.failures, w.next_attempt_at, s.txid, s.seq, s.old_secret, s.old_secret_until,
	w.access_events
FROM webhook w JOIN webhook_state s ON s.company_id = w.company_id AND s.webhook_id = w.id
WHERE w.company_id = $1 AND w.id = $2

-- Both rows: of one that is not locked PostgreSQL would show the version from before the wait.
-- name: webhook_lock
SELECT w.status, w.failures, w.failing_since, w.url, s.txid, s.seq, w.owner_id
FROM webhook w JOIN webhook_state s ON s.company_id = w.company_id AND s.webhook_id = w.id
WHERE w.company_id = $1 AND w.id = $2 FOR UPDATE OF w, s

-- name: webhook_position_put
UPDATE webhook_state SET txid = $3, seq = $4 WHERE company_id = $1 AND webhook_id = $2 AND txid = $5 AND seq = $6

-- name: webhook_health_put
UPDATE webhook SET failing_since = $3, failures = $4, next_attempt_at = $5, last_attempt_at = $6, last_result = $7
WHERE company_id = $1 AND id = $2

-- name: webhook_pause
UPDATE webhook SET status = 'paused', paused_reason = $3, next_attempt_at = NULL, version = version + 1, updated_at = $4
WHERE company_id = $1 AND id = $2

-- name: webhook_remove
DELETE FROM webhook WHERE company_id = $1 AND id = $2

-- name: webhook_secret_rotate
UPDATE webhook_state SET old_secret = $3, old_secret_until = $4 WHERE company_id = $1 AND webhook_id = $2

-- name: webhook_delivery_put
INSERT INTO webhook_delivery (company_id, id, message_id, webhook_id, number, event_id, event_type, access, reason, state, payload,
	attempts, version, created_at, updated_at, delivered_at, next_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, $13, $13, $14, $15)
ON CONFLICT (company_id, id) DO UPDATE SET state = excluded.state, attempts = webhook_delivery.attempts + excluded.attempts,
	version = webhook_delivery.version + 1, updated_at = excluded.updated_at, delivered_at = excluded.delivered_at, next_at = excluded.next_at
RETURNING attempts

-- name: webhook_attempt_add
INSERT INTO webhook_attempt (company_id, delivery_id, attempt, at, duration_us, url, address, request_headers, status, fault, answer)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)

-- name: webhook_attempt_list
SELECT attempt, at, duration_us, url, address, request_headers, status, fault, answer FROM webhook_attempt
WHERE company_id = $1 AND delivery_id = $2 ORDER BY attempt DESC LIMIT $3

-- $3: 1 when events about access may be sent there; without it they wait.
-- name: webhook_replay_next
SELECT id, message_id, event_id, event_type, payload, attempts, next_at FROM webhook_delivery
WHERE company_id = $1 AND webhook_id = $2 AND reason = 'replay' AND state = 'pending' AND access <= $3 ORDER BY number LIMIT 1

-- name: webhook_active_list
SELECT company_id, id, events, access_events FROM webhook WHERE status = 'active' ORDER BY company_id, id

-- Endpoints that something may wait for, at most $3 behind ($1, $2).
-- name: webhook_behind_list
SELECT w.company_id, w.id, w.failures, w.next_attempt_at
FROM webhook w JOIN webhook_state s ON s.company_id = w.company_id AND s.webhook_id = w.id
WHERE w.status = 'active' AND (w.company_id, w.id) > ($1, $2) AND (w.failures > 0
	OR EXISTS (SELECT 1 FROM event e WHERE e.company_id = w.company_id AND (e.txid, e.seq) > (s.txid, s.seq)))
ORDER BY w.company_id, w.id LIMIT $3

-- Those with replays to send, in the same way.
-- name: webhook_replays_list
SELECT DISTINCT d.company_id, d.webhook_id FROM webhook_delivery d
JOIN webhook w ON w.company_id = d.company_id AND w.id = d.webhook_id AND w.status = 'active'
WHERE d.reason = 'replay' AND d.state = 'pending' AND d.access <= w.access_events AND (d.company_id, d.webhook_id) > ($1, $2)
ORDER BY d.company_id, d.webhook_id LIMIT $3
