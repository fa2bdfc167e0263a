-- Reading events after commit. On PostgreSQL only those whose transaction, and every older one, has ended (docs/decisions/0020).

-- name: outbox_end @sqlite
SELECT txid, seq FROM event ORDER BY txid DESC, seq DESC LIMIT 1
-- name: outbox_end @postgres
SELECT txid, seq FROM event WHERE txid < CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)
ORDER BY txid DESC, seq DESC LIMIT 1

-- name: outbox_snapshot @sqlite
SELECT '0:0:'
-- name: outbox_snapshot @postgres
SELECT CAST(pg_current_snapshot() AS text)

-- name: outbox_find
SELECT txid FROM event WHERE company_id = $1 AND seq = $2

-- name: outbox_held_back @sqlite
SELECT 1 FROM event WHERE txid < 0 LIMIT 1
-- name: outbox_held_back @postgres
SELECT seq FROM event WHERE txid >= CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint) LIMIT 1
