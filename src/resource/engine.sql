-- The engine's fixed statements; those of resources are made from their tables.

-- name: event_add
INSERT INTO event (company_id, seq, type, object_type, object_id, actor_id, actor_name, request_id, at, old_values, new_values)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)

-- name: text_id_next
INSERT INTO id_sequence (company_id, resource, last) VALUES ($1, $2, $3)
ON CONFLICT (company_id, resource) DO UPDATE SET last = id_sequence.last + $3
RETURNING last

-- name: search_text_put
INSERT INTO search_text (company_id, resource, object_id, folded) VALUES ($1, $2, $3, $4)
ON CONFLICT (company_id, resource, object_id) DO UPDATE SET folded = excluded.folded

-- name: search_text_remove
DELETE FROM search_text WHERE company_id = $1 AND resource = $2 AND object_id = $3
