-- A request takes the key before it does its work. A row with status 0 is such a request under way; one that is left over from a crash,
-- and a row that is older than it is kept, give way.

-- name: idempotency_take
INSERT INTO idempotency (company_id, user_id, key, method_path, body_hash, status, created_at)
VALUES ($1, $2, $3, $4, $5, 0, $6)
ON CONFLICT (company_id, user_id, key) DO UPDATE
SET method_path = excluded.method_path, body_hash = excluded.body_hash, status = 0, answer = NULL, content_type = NULL,
    created_at = excluded.created_at
WHERE idempotency.created_at < $7 OR (idempotency.status = 0 AND idempotency.created_at < $8)

-- name: idempotency_find
SELECT method_path, body_hash, status, answer, content_type FROM idempotency
WHERE company_id = $1 AND user_id = $2 AND key = $3

-- name: idempotency_keep
UPDATE idempotency SET status = $4, answer = $5, content_type = $6 WHERE company_id = $1 AND user_id = $2 AND key = $3

-- name: idempotency_release
DELETE FROM idempotency WHERE company_id = $1 AND user_id = $2 AND key = $3 AND status = 0

-- name: idempotency_sweep
DELETE FROM idempotency WHERE created_at < $1
