-- What a report reads beside the records themselves.

-- name: report_extent
SELECT MIN(at), MAX(at), COUNT(*) FROM kpi_value WHERE company_id = $1 AND campaign_id = $2;

-- name: report_values
SELECT v.kpi_id, v.value, v.at, v.dimensions FROM kpi_value v WHERE v.company_id = $1 AND v.campaign_id = $2;

-- Campaigns of the team that ran before; one without dates counts as earlier when it was made earlier.
-- name: report_earlier
SELECT k.id, k.name, k.start_date, k.end_date FROM campaign k
WHERE k.company_id = $1 AND k.team_id = $2 AND k.id <> $3 AND k.status <> 'Cancelled'
  AND CASE WHEN COALESCE(k.start_date, k.end_date) IS NULL OR CAST($4 AS TEXT) IS NULL THEN k.id < $3
    ELSE COALESCE(k.start_date, k.end_date) < CAST($4 AS TEXT) END
  AND EXISTS (SELECT 1 FROM kpi_value v WHERE v.company_id = k.company_id AND v.campaign_id = k.id)
ORDER BY COALESCE(k.start_date, k.end_date, '') DESC, k.id DESC LIMIT $5;

-- name: report_person
SELECT first_name, last_name, username FROM person WHERE company_id = $1 AND id = $2;

-- name: report_team
SELECT name FROM team WHERE company_id = $1 AND id = $2;

-- name: report_insights
SELECT id, type, summary, severity, action_suggestion, generated_by, evidence, created_at FROM insight
WHERE company_id = $1 AND retrospective_task_id = $2
ORDER BY CASE severity WHEN 'Critical' THEN 0 WHEN 'High' THEN 1 WHEN 'Medium' THEN 2 ELSE 3 END, id LIMIT $3;

-- name: report_insight_counts
SELECT severity, COUNT(*) FROM insight WHERE company_id = $1 AND retrospective_task_id = $2 GROUP BY severity;

-- Those that stand here, and those accepted here that were carried on.
-- name: report_actions
SELECT id, title, owner_id, due_date, status, insight_id, carried, first_retrospective_id, retrospective_id FROM retro_action
WHERE company_id = $1 AND (retrospective_id = $2 OR first_retrospective_id = $2)
ORDER BY COALESCE(due_date, '9999-12-31'), id LIMIT $3;

-- name: report_put
INSERT INTO retro_report (company_id, retrospective_id, made_at, content) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING;

-- name: report_get
SELECT content FROM retro_report WHERE company_id = $1 AND retrospective_id = $2;
