-- KPIs and what is kept about them; values and rollups are in value.sql, assignments in assignment.sql.

-- name: kpi_exists
SELECT 1 FROM kpi WHERE company_id = $1 AND id = $2 AND deleted_at IS NULL;

-- Writers of one KPI's values follow each other.
-- name: kpi_lock
SELECT 1 FROM kpi WHERE company_id = $1 AND id = $2 AND deleted_at IS NULL FOR UPDATE;

-- Held by who changes what refers to what in a company: neither a cycle nor a deletion can slip between a check and its writing.
-- name: kpi_reference_lock
SELECT id FROM company WHERE company_id = 0 AND id = $1 FOR UPDATE;

-- name: kpi_reference_add
INSERT INTO kpi_reference (company_id, kpi_id, source_id) VALUES ($1, $2, $3);

-- name: kpi_reference_clear
DELETE FROM kpi_reference WHERE company_id = $1 AND kpi_id = $2;

-- A living KPI whose formula reads this one.
-- name: kpi_reference_user
SELECT r.kpi_id FROM kpi_reference r JOIN kpi k ON k.company_id = r.company_id AND k.id = r.kpi_id
WHERE r.company_id = $1 AND r.source_id = $2 AND k.deleted_at IS NULL ORDER BY r.kpi_id LIMIT 1;

-- name: kpi_reference_users
SELECT r.kpi_id FROM kpi_reference r JOIN kpi k ON k.company_id = r.company_id AND k.id = r.kpi_id
WHERE r.company_id = $1 AND r.source_id = $2 AND k.deleted_at IS NULL ORDER BY r.kpi_id;

-- How deep the formulas below $2 go (at most $3 levels are looked at), and whether $4 is among them.
-- name: kpi_reference_depth
WITH RECURSIVE below (id, depth) AS (
  SELECT CAST($2 AS TEXT), 0
  UNION
  SELECT r.source_id, b.depth + 1 FROM below b JOIN kpi_reference r ON r.company_id = $1 AND r.kpi_id = b.id WHERE b.depth < $3
)
SELECT MAX(depth), MAX(CASE WHEN id = $4 THEN 1 ELSE 0 END) FROM below;

-- The state, the last day with values up to $3, and how many formulas read it.
-- name: kpi_facts
SELECT (SELECT state FROM kpi_state WHERE company_id = $1 AND kpi_id = $2),
  (SELECT day FROM kpi_rollup WHERE company_id = $1 AND kpi_id = $2 AND dimensions = '*' AND day <= $3 ORDER BY day DESC LIMIT 1),
  (SELECT COUNT(*) FROM kpi_reference WHERE company_id = $1 AND source_id = $2);

-- name: kpi_state_put
INSERT INTO kpi_state (company_id, kpi_id, state, since, achievement) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (company_id, kpi_id) DO UPDATE SET state = excluded.state, since = excluded.since, achievement = excluded.achievement;

-- name: kpi_active_list
SELECT id FROM kpi WHERE company_id = $1 AND id > $2 AND status = 'active' AND deleted_at IS NULL ORDER BY id LIMIT $3;

-- name: kpi_state_delete
DELETE FROM kpi_state WHERE company_id = $1 AND kpi_id = $2;

-- The targets of the day, week, month, quarter and year that begin on $3 to $7, in the order of enum period.
-- name: kpi_target_on
SELECT (SELECT target_value FROM kpi_target WHERE company_id = $1 AND kpi_id = $2 AND period = 'day' AND start = $3),
  (SELECT target_value FROM kpi_target WHERE company_id = $1 AND kpi_id = $2 AND period = 'week' AND start = $4),
  (SELECT target_value FROM kpi_target WHERE company_id = $1 AND kpi_id = $2 AND period = 'month' AND start = $5),
  (SELECT target_value FROM kpi_target WHERE company_id = $1 AND kpi_id = $2 AND period = 'quarter' AND start = $6),
  (SELECT target_value FROM kpi_target WHERE company_id = $1 AND kpi_id = $2 AND period = 'year' AND start = $7);

-- name: kpi_target_get
SELECT target_value FROM kpi_target WHERE company_id = $1 AND kpi_id = $2 AND period = $3 AND start = $4;

-- name: kpi_target_put
INSERT INTO kpi_target (company_id, kpi_id, period, start, target_value, updated_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (company_id, kpi_id, period, start) DO UPDATE SET target_value = excluded.target_value, updated_at = excluded.updated_at;

-- name: kpi_target_delete
DELETE FROM kpi_target WHERE company_id = $1 AND kpi_id = $2 AND period = $3 AND start = $4;

-- name: kpi_target_list
SELECT period, start, target_value FROM kpi_target WHERE company_id = $1 AND kpi_id = $2 ORDER BY start, period;
