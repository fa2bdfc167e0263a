-- KPI assignments: rights they give, who is in whose team, what an employee carries.

-- The rights that living assignments to a person or the person's teams give on a KPI, counted.
-- name: assignment_rights
SELECT CAST(COALESCE(SUM(x.can_view), 0) AS BIGINT), CAST(COALESCE(SUM(x.can_edit), 0) AS BIGINT),
  CAST(COALESCE(SUM(x.can_assign), 0) AS BIGINT), CAST(COALESCE(SUM(x.can_delete), 0) AS BIGINT),
  CAST(COALESCE(SUM(x.can_approve), 0) AS BIGINT)
FROM kpi_assignment x
WHERE x.company_id = $1 AND x.kpi_id = $2 AND x.status = 'ACTIVE' AND (x.end_date IS NULL OR x.end_date >= $4)
  AND (x.person_id = $3 OR (x.target_type = 'TEAM' AND EXISTS (SELECT 1 FROM team_member m
    WHERE m.company_id = x.company_id AND m.team_id = x.target_id AND m.person_id = $3)));

-- An employee whom $3 supervises, or who shares or is led in a team of $3.
-- name: assignment_team_person
SELECT 1 FROM person p WHERE p.company_id = $1 AND p.employee_id = $2 AND p.deleted_at IS NULL AND (p.supervisor_id = $3
  OR EXISTS (SELECT 1 FROM team_member mine JOIN team_member other ON other.company_id = mine.company_id AND other.team_id = mine.team_id
    WHERE mine.company_id = $1 AND mine.person_id = $3 AND other.person_id = p.id)
  OR EXISTS (SELECT 1 FROM team t JOIN team_member m ON m.company_id = t.company_id AND m.team_id = t.id
    WHERE t.company_id = $1 AND t.lead_id = $3 AND m.person_id = p.id));

-- A team that $3 leads or is in.
-- name: assignment_own_team
SELECT 1 FROM team t WHERE t.company_id = $1 AND t.id = $2 AND (t.lead_id = $3 OR EXISTS (SELECT 1 FROM team_member m
  WHERE m.company_id = t.company_id AND m.team_id = t.id AND m.person_id = $3));

-- A person by employee id, or by user name where nobody has that employee id.
-- name: assignment_person
SELECT id, employee_id FROM person WHERE company_id = $1 AND deleted_at IS NULL AND (employee_id = $2 OR username = $2)
ORDER BY CASE WHEN employee_id = $2 THEN 0 ELSE 1 END LIMIT 1;

-- name: assignment_employee
SELECT id FROM person WHERE company_id = $1 AND employee_id = $2 AND deleted_at IS NULL;

-- Those whose end has passed no longer stand in the way of a new one.
-- name: assignment_complete
UPDATE kpi_assignment SET status = 'COMPLETED' WHERE company_id = $1 AND kpi_id = $2 AND target_type = $3 AND target_id = $4
  AND status = 'ACTIVE' AND end_date < $5;

-- The living assignment of a KPI to an employee; ended ones are not found.
-- name: assignment_of
SELECT id FROM kpi_assignment WHERE company_id = $1 AND kpi_id = $2 AND target_type = 'USER' AND target_id = $3
  AND status IN ('ACTIVE', 'SUSPENDED');

-- What an employee's living assignments weigh, one row each: own weight, else the KPI's.
-- name: assignment_weights
SELECT COALESCE(x.custom_weight_percentage, k.weight_percentage) FROM kpi_assignment x
JOIN kpi k ON k.company_id = x.company_id AND k.id = x.kpi_id AND k.deleted_at IS NULL
WHERE x.company_id = $1 AND x.target_type = 'USER' AND x.target_id = $2 AND x.status = 'ACTIVE' AND (x.end_date IS NULL OR x.end_date >= $3);

-- Their last day was before $2.
-- name: assignment_over_list
SELECT id FROM kpi_assignment WHERE company_id = $1 AND status = 'ACTIVE' AND end_date < $2 ORDER BY id LIMIT $3;
