-- Whom notices concern, and what waits to be mailed.

-- Whom a KPI ($2) concerns on a day ($3), those first who say so themselves: 0 by an own assignment, 1 by one of a team, 2 as its owner.
-- name: notice_kpi_people
SELECT x.person_id AS person, CAST(0 AS BIGINT) AS standing, x.preference, x.threshold_alerts FROM kpi_assignment x
WHERE x.company_id = $1 AND x.kpi_id = $2 AND x.target_type = 'USER' AND x.person_id IS NOT NULL AND x.status = 'ACTIVE' AND x.can_view = 1
	AND x.effective_date <= $3 AND (x.end_date IS NULL OR x.end_date >= $3)
UNION ALL
SELECT m.person_id, CAST(1 AS BIGINT), x.preference, x.threshold_alerts FROM kpi_assignment x
JOIN team_member m ON m.company_id = x.company_id AND m.team_id = x.target_id
WHERE x.company_id = $1 AND x.kpi_id = $2 AND x.target_type = 'TEAM' AND x.status = 'ACTIVE' AND x.can_view = 1
	AND x.effective_date <= $3 AND (x.end_date IS NULL OR x.end_date >= $3)
UNION ALL
SELECT p.id, CAST(2 AS BIGINT), 'IMMEDIATE', CAST(1 AS BIGINT) FROM kpi k
JOIN person p ON p.company_id = k.company_id AND p.employee_id = k.owner_id
WHERE k.company_id = $1 AND k.id = $2
ORDER BY person, standing

-- Who scheduled it, is or leads its team, or has something to do in it.
-- name: notice_retrospective_people
SELECT r.created_by FROM retrospective r WHERE r.company_id = $1 AND r.id = $2 AND r.created_by IS NOT NULL
UNION
SELECT m.person_id FROM retrospective r JOIN team_member m ON m.company_id = r.company_id AND m.team_id = CAST(r.team_id AS TEXT)
WHERE r.company_id = $1 AND r.id = $2
UNION
SELECT t.lead_id FROM retrospective r JOIN team t ON t.company_id = r.company_id AND t.id = CAST(r.team_id AS TEXT)
WHERE r.company_id = $1 AND r.id = $2 AND t.lead_id IS NOT NULL
UNION
SELECT a.owner_id FROM retro_action a WHERE a.company_id = $1 AND a.retrospective_id = $2 AND a.owner_id IS NOT NULL
	AND a.status IN ('Open', 'In Progress')
ORDER BY 1

-- name: notice_role
SELECT r.name, r.built_in, r.permissions FROM person p JOIN role r ON r.company_id = p.company_id AND r.id = p.role_id
WHERE p.company_id = $1 AND p.id = $2

-- name: notice_administrators
SELECT id FROM person WHERE company_id = $1 AND role = 'ADMIN' AND active = 1 AND suspended = 0 AND deleted_at IS NULL

-- Whether a reminder of a retrospective ($2) still holds for its time ($3).
-- name: notice_reminder_holds
SELECT 1 FROM retrospective WHERE company_id = $1 AND id = $2 AND status = 'Scheduled' AND scheduled_time = $3

-- name: notice_add
INSERT INTO notice (company_id, id, person_id, period, type, object_id, at, details, together) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- Somebody with an address who may log in.
-- name: notice_person
SELECT username, first_name, last_name, email FROM person
WHERE company_id = $1 AND id = $2 AND active = 1 AND suspended = 0 AND deleted_at IS NULL AND email <> ''

-- What comes next: first what was refused together, in its smallest parts, then what was not tried yet. $5: but not this one.
-- name: notice_of_person
SELECT id, type, object_id, at, details, together FROM notice WHERE company_id = $1 AND person_id = $2 AND period = $3 AND id <> $5
ORDER BY together, id LIMIT $4

-- name: notice_set_aside_find
SELECT id, type, object_id, at, details, together FROM notice WHERE company_id = $1 AND person_id = $2 AND id = $3 AND period = 'REFUSED'

-- name: notice_part
UPDATE notice SET together = $3 WHERE company_id = $1 AND id = $2

-- name: notice_set_aside
UPDATE notice SET period = 'REFUSED' WHERE company_id = $1 AND id = $2

-- name: notice_remove
DELETE FROM notice WHERE company_id = $1 AND id = $2

-- name: notice_waiting
SELECT DISTINCT person_id FROM notice WHERE company_id = $1 AND period = $2
