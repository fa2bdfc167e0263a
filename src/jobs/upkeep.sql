-- Removing what is kept for a time only, a part at a time, so that no transaction holds the writer for long.

-- name: upkeep_answers
DELETE FROM idempotency WHERE (company_id, user_id, key) IN
	(SELECT company_id, user_id, key FROM idempotency WHERE created_at < $1 ORDER BY created_at LIMIT $2)

-- A session takes its refresh tokens along.
-- name: upkeep_sessions
DELETE FROM session WHERE company_id = $1 AND id IN
	(SELECT id FROM session WHERE company_id = $1 AND expires_at < $2 ORDER BY expires_at LIMIT $3)

-- Of a session that goes on, tokens that were renewed long ago.
-- name: upkeep_refresh_tokens
DELETE FROM refresh_token WHERE (company_id, token_hash) IN
	(SELECT company_id, token_hash FROM refresh_token WHERE company_id = $1 AND expires_at < $2 LIMIT $3)

-- Deliveries that ended, and those of endpoints that are gone; the others still have to be sent. Both statements choose the same rows.
-- name: upkeep_deliveries
DELETE FROM webhook_delivery WHERE (company_id, id) IN
	(SELECT d.company_id, d.id FROM webhook_delivery d WHERE d.created_at < $1 AND (d.state <> 'pending'
		OR NOT EXISTS (SELECT 1 FROM webhook w WHERE w.company_id = d.company_id AND w.id = d.webhook_id))
	ORDER BY d.created_at, d.company_id, d.id LIMIT $2)

-- name: upkeep_attempts
DELETE FROM webhook_attempt WHERE (company_id, delivery_id) IN
	(SELECT d.company_id, d.id FROM webhook_delivery d WHERE d.created_at < $1 AND (d.state <> 'pending'
		OR NOT EXISTS (SELECT 1 FROM webhook w WHERE w.company_id = d.company_id AND w.id = d.webhook_id))
	ORDER BY d.created_at, d.company_id, d.id LIMIT $2)

-- The last event of the next $3 behind a position, and whether any of them is old.
-- name: upkeep_event_page
SELECT MAX(p.txid), MAX(p.seq), MIN(p.at) FROM
	(SELECT txid, seq, at FROM event WHERE (txid, seq) > ($1, $2) ORDER BY txid, seq LIMIT $3) p

-- Behind ($2, $3) up to ($4, $5) and older than $1, unless an active webhook of the company has not been told yet.
-- name: upkeep_events
DELETE FROM event WHERE (txid, seq) > ($2, $3) AND (txid, seq) <= ($4, $5) AND at < $1
AND NOT EXISTS (SELECT 1 FROM webhook w LEFT JOIN webhook_state s ON s.company_id = w.company_id AND s.webhook_id = w.id
	WHERE w.company_id = event.company_id AND w.status = 'active'
	AND (s.seq IS NULL OR (s.txid, s.seq) < (event.txid, event.seq)))

-- name: upkeep_notices
DELETE FROM notice WHERE (company_id, id) IN (SELECT company_id, id FROM notice WHERE at < $1 LIMIT $2)

-- name: upkeep_mail_jobs
DELETE FROM job WHERE (company_id, id) IN
	(SELECT company_id, id FROM job WHERE queue IN ('notice', 'mail') AND state = 'waiting' AND created_at < $1 LIMIT $2)
