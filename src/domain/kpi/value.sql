-- Measured values and their day rollups.

-- name: kpi_value_any
SELECT 1 FROM kpi_value WHERE company_id = $1 AND kpi_id = $2 LIMIT 1;

-- name: kpi_value_insert
INSERT INTO kpi_value (company_id, kpi_id, at, dimensions, value, note, recorded_by, recorded_at, campaign_id, number)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING;

-- name: kpi_value_between
SELECT 1 FROM kpi_value WHERE company_id = $1 AND kpi_id = $2 AND at >= $3 AND at <= $4 LIMIT 1;

-- name: kpi_value_update
UPDATE kpi_value SET value = $5, note = $6, recorded_by = $7, recorded_at = $8, campaign_id = $9, number = COALESCE(number, $10)
WHERE company_id = $1 AND kpi_id = $2 AND at = $3 AND dimensions = $4;

-- name: kpi_value_delete
DELETE FROM kpi_value WHERE company_id = $1 AND kpi_id = $2 AND at = $3 AND dimensions = $4;

-- name: kpi_value_get
SELECT value, note, recorded_by, recorded_at, number FROM kpi_value
WHERE company_id = $1 AND kpi_id = $2 AND at = $3 AND dimensions = $4;

-- name: kpi_value_at
SELECT dimensions FROM kpi_value WHERE company_id = $1 AND kpi_id = $2 AND at = $3 ORDER BY dimensions;

-- name: kpi_value_day
SELECT at, value FROM kpi_value WHERE company_id = $1 AND kpi_id = $2 AND at >= $3 AND at < $4 ORDER BY at, dimensions;

-- name: kpi_value_day_slice
SELECT at, value FROM kpi_value WHERE company_id = $1 AND kpi_id = $2 AND at >= $3 AND at < $4 AND dimensions = $5 ORDER BY at;

-- name: kpi_value_day_slices
SELECT dimensions, at, value FROM kpi_value WHERE company_id = $1 AND kpi_id = $2 AND at >= $3 AND at < $4 AND dimensions <> ''
ORDER BY dimensions, at;

-- name: kpi_value_days_of_kpi
SELECT at, dimensions FROM kpi_value WHERE company_id = $1 AND kpi_id = $2 ORDER BY at, dimensions;

-- name: kpi_rollup_get
SELECT value_count, value_sum, value_min, value_max, value_last, last_at FROM kpi_rollup
WHERE company_id = $1 AND kpi_id = $2 AND dimensions = $3 AND day = $4;

-- name: kpi_rollup_put
INSERT INTO kpi_rollup (company_id, kpi_id, dimensions, day, value_count, value_sum, value_min, value_max, value_last, last_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (company_id, kpi_id, dimensions, day) DO UPDATE SET value_count = excluded.value_count, value_sum = excluded.value_sum,
  value_min = excluded.value_min, value_max = excluded.value_max, value_last = excluded.value_last, last_at = excluded.last_at;

-- name: kpi_rollup_update
UPDATE kpi_rollup SET value_count = $5, value_sum = $6, value_min = $7, value_max = $8, value_last = $9, last_at = $10
WHERE company_id = $1 AND kpi_id = $2 AND dimensions = $3 AND day = $4;

-- name: kpi_rollup_delete
DELETE FROM kpi_rollup WHERE company_id = $1 AND kpi_id = $2 AND dimensions = $3 AND day = $4;

-- name: kpi_rollup_range
SELECT day, value_count, value_sum, value_min, value_max, value_last, last_at FROM kpi_rollup
WHERE company_id = $1 AND kpi_id = $2 AND dimensions = $3 AND day >= $4 AND day <= $5 ORDER BY day;

-- The values without dimensions have no slice of their own: they are what the others leave of all.
-- name: kpi_rollup_counts_of_unsliced
SELECT day, CAST(SUM(CASE WHEN dimensions = '*' THEN value_count ELSE -value_count END) AS BIGINT) FROM kpi_rollup
WHERE company_id = $1 AND kpi_id = $2 AND day >= $3 AND day <= $4 GROUP BY day ORDER BY day;

-- name: kpi_rollup_first
SELECT day FROM kpi_rollup WHERE company_id = $1 AND kpi_id = $2 AND dimensions = '*' ORDER BY day LIMIT 1;

-- name: kpi_rollup_last
SELECT day, value_last FROM kpi_rollup WHERE company_id = $1 AND kpi_id = $2 AND dimensions = '*' AND day <= $3
ORDER BY day DESC LIMIT 1;

-- The slices one after the other, each found from the index by what comes after the last.
-- name: kpi_rollup_next_slice
SELECT dimensions FROM kpi_rollup WHERE company_id = $1 AND kpi_id = $2 AND dimensions > $3 ORDER BY dimensions LIMIT 1;

-- name: kpi_rollup_keys
SELECT dimensions, day FROM kpi_rollup WHERE company_id = $1 AND kpi_id = $2 ORDER BY dimensions, day;
