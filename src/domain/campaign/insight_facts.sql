-- What the insight rules read of a campaign's values.

-- The team whose campaigns these are: the campaign's own, or that of its retrospective.
-- name: insight_team
SELECT COALESCE(k.team_id, (SELECT MAX(r.team_id) FROM retrospective r WHERE r.company_id = k.company_id AND r.task_id = k.id))
FROM campaign k WHERE k.company_id = $1 AND k.id = $2;

-- Up to five campaigns of the team whose last value is before this one's last value, the latest first.
-- name: insight_earlier
SELECT k.id FROM campaign k
JOIN (SELECT v.campaign_id, MAX(v.at) AS last_at FROM kpi_value v WHERE v.company_id = $1 AND v.campaign_id IS NOT NULL
  GROUP BY v.campaign_id) l ON l.campaign_id = k.id
WHERE k.company_id = $1 AND k.id <> $2 AND k.status <> 'Cancelled'
  AND (k.team_id = $3 OR (k.team_id IS NULL AND EXISTS (SELECT 1 FROM retrospective r
    WHERE r.company_id = k.company_id AND r.task_id = k.id AND r.team_id = $3)))
  AND l.last_at < (SELECT MAX(o.at) FROM kpi_value o WHERE o.company_id = $1 AND o.campaign_id = $2)
ORDER BY l.last_at DESC, k.id DESC LIMIT 5;

-- Sums by metric, slice and quarter of an hour: midnight of every time zone falls between two of these.
-- name: insight_cells
SELECT m.part, k.decimals, v.dimensions, v.at / 900000000 AS quarter, SUM(CAST(v.value AS DOUBLE PRECISION)), COUNT(*)
FROM kpi_value v
JOIN campaign_metric m ON m.company_id = v.company_id AND m.kpi_id = v.kpi_id
JOIN kpi k ON k.company_id = v.company_id AND k.id = v.kpi_id AND k.deleted_at IS NULL
WHERE v.company_id = $1 AND v.campaign_id = $2 AND m.part <> 'other'
GROUP BY m.part, k.decimals, v.dimensions, v.at / 900000000
ORDER BY v.dimensions, quarter;

-- Sums by metric of a whole campaign.
-- name: insight_totals
SELECT m.part, k.decimals, SUM(CAST(v.value AS DOUBLE PRECISION)), COUNT(*)
FROM kpi_value v
JOIN campaign_metric m ON m.company_id = v.company_id AND m.kpi_id = v.kpi_id
JOIN kpi k ON k.company_id = v.company_id AND k.id = v.kpi_id AND k.deleted_at IS NULL
WHERE v.company_id = $1 AND v.campaign_id = $2 AND m.part <> 'other'
GROUP BY m.part, k.decimals;

-- Summaries that a rule has told this retrospective already are not told again.
-- name: insight_told
SELECT 1 FROM insight WHERE company_id = $1 AND retrospective_task_id = $2 AND generated_by = $3 AND summary = $4 LIMIT 1;
