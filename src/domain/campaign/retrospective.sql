-- Retrospectives, their actions and settings.

-- name: retro_of_campaign
SELECT 1 FROM retrospective WHERE company_id = $1 AND task_id = $2 LIMIT 1;

-- name: retro_reminded
UPDATE retrospective SET reminded_for = $3 WHERE company_id = $1 AND id = $2;

-- What is left to do of the retrospectives before this one ($2): those of team $3 or, where it has none, those without a team that the
-- same person ($4) scheduled.
-- name: retro_actions_left
SELECT a.id FROM retro_action a JOIN retrospective r ON r.company_id = a.company_id AND r.id = a.retrospective_id
WHERE a.company_id = $1 AND a.retrospective_id <> $2 AND a.status IN ('Open', 'In Progress')
  AND (r.team_id = $3 OR (CAST($3 AS BIGINT) IS NULL AND r.team_id IS NULL AND r.created_by = $4))
ORDER BY a.id;

-- name: retro_action_of_insight
SELECT 1 FROM retro_action WHERE company_id = $1 AND insight_id = $2 AND title = $3 LIMIT 1;

-- What somebody has to do by a day ($2) or should have done, and was not reminded of.
-- name: retro_actions_due
SELECT id FROM retro_action WHERE company_id = $1 AND status IN ('Open', 'In Progress') AND due_date <= $2 AND owner_id IS NOT NULL
  AND (reminded_for IS NULL OR reminded_for <> due_date) ORDER BY id LIMIT $3;

-- name: retro_action_reminded
UPDATE retro_action SET reminded_for = due_date WHERE company_id = $1 AND id = $2;

-- name: retro_settings_insert
INSERT INTO retro_settings (company_id, id, version, created_at, updated_at, auto_schedule, delay_hours, remind_hours, deadline_days,
  false_positive_rate, rules)
VALUES ($1, 1, 0, $2, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (company_id, id) DO NOTHING;
