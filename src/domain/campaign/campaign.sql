-- Campaigns, their metrics and values; retrospectives are in retrospective.sql.

-- Makers of campaigns, metrics and retrospectives of a company follow each other.
-- name: campaign_company_lock
SELECT id FROM company WHERE company_id = 0 AND id = $1 FOR UPDATE;

-- name: campaign_exists
SELECT 1 FROM campaign WHERE company_id = $1 AND id = $2;

-- The same, held against deletion until the transaction ends.
-- name: campaign_hold @sqlite
SELECT 1 FROM campaign WHERE company_id = $1 AND id = $2;
-- name: campaign_hold @postgres
SELECT 1 FROM campaign WHERE company_id = $1 AND id = $2 FOR KEY SHARE;

-- name: campaign_has_values
SELECT 1 FROM kpi_value WHERE company_id = $1 AND campaign_id = $2 LIMIT 1;

-- The first id above $2 that nobody has; $2 itself is taken.
-- name: campaign_gap
SELECT MIN(k.id) + 1 FROM campaign k WHERE k.company_id = $1 AND k.id >= $2
  AND NOT EXISTS (SELECT 1 FROM campaign n WHERE n.company_id = k.company_id AND n.id = k.id + 1);

-- name: campaign_insert
INSERT INTO campaign (company_id, id, version, created_at, updated_at, name, status, targets)
VALUES ($1, $2, 1, $3, $3, $4, 'Active', '{}') ON CONFLICT (company_id, id) DO NOTHING;

-- name: campaign_person
SELECT 1 FROM person WHERE company_id = $1 AND id = $2 AND deleted_at IS NULL;

-- The metric of a folded name whose KPI still lives.
-- name: campaign_metric_get
SELECT m.name, m.kpi_id, m.part, m.is_signed, k.decimals FROM campaign_metric m JOIN kpi k ON k.company_id = m.company_id AND k.id = m.kpi_id
WHERE m.company_id = $1 AND m.name_key = $2 AND k.deleted_at IS NULL;

-- name: campaign_metric_of_kpi
SELECT name FROM campaign_metric WHERE company_id = $1 AND kpi_id = $2;

-- name: campaign_metric_list
SELECT m.name, m.kpi_id, m.part, m.is_signed, k.decimals FROM campaign_metric m JOIN kpi k ON k.company_id = m.company_id AND k.id = m.kpi_id
WHERE m.company_id = $1 AND k.deleted_at IS NULL ORDER BY m.name_key;

-- name: campaign_metric_put
INSERT INTO campaign_metric (company_id, name_key, name, kpi_id, part, is_signed) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (company_id, name_key) DO UPDATE SET name = excluded.name, kpi_id = excluded.kpi_id, part = excluded.part,
  is_signed = excluded.is_signed;

-- Whether a KPI's id or name is taken; a deleted KPI keeps its id.
-- name: campaign_kpi_taken
SELECT 1 FROM kpi WHERE company_id = $1 AND (id = $2 OR (name = $3 AND deleted_at IS NULL)) LIMIT 1;

-- The values of a campaign, with their metrics. $3 NULL: of every metric.
-- name: campaign_value_list
SELECT v.number, m.name, v.value, k.decimals, v.at, v.dimensions FROM kpi_value v
JOIN campaign_metric m ON m.company_id = v.company_id AND m.kpi_id = v.kpi_id
JOIN kpi k ON k.company_id = v.company_id AND k.id = v.kpi_id AND k.deleted_at IS NULL
WHERE v.company_id = $1 AND v.campaign_id = $2 AND (CAST($3 AS TEXT) IS NULL OR v.kpi_id = $3) AND v.at >= $4 AND v.at < $5
ORDER BY v.at, v.number LIMIT $6 OFFSET $7;
