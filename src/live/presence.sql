-- Who is connected to what. A node writes its own rows and renews them; a row that was not renewed in time is of a node that died.

-- name: presence_put
INSERT INTO presence (company_id, object_type, object_id, node, person_id, username, since, seen_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (company_id, object_type, object_id, node, person_id) DO UPDATE SET seen_at = excluded.seen_at

-- name: presence_drop
DELETE FROM presence WHERE company_id = $1 AND object_type = $2 AND object_id = $3 AND node = $4 AND person_id = $5

-- name: presence_renew
UPDATE presence SET seen_at = $2 WHERE node = $1

-- name: presence_drop_node
DELETE FROM presence WHERE node = $1

-- name: presence_drop_others
DELETE FROM presence WHERE node <> $1

-- name: presence_drop_dead
DELETE FROM presence WHERE seen_at < $1

-- name: presence_list
SELECT company_id, object_type, object_id, person_id, MIN(username), MIN(since) FROM presence
WHERE seen_at >= $1
GROUP BY company_id, object_type, object_id, person_id
ORDER BY company_id, object_type, object_id, MIN(since), person_id
