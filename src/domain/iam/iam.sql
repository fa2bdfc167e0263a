-- Statements of companies, people, sessions and keys. Company 0 is the installation.

-- name: company_by_name
SELECT id FROM company WHERE company_id = 0 AND name_key = $1

-- name: company_place
SELECT time_zone, currency FROM company WHERE company_id = 0 AND id = $1

-- name: company_id_list
SELECT id FROM company WHERE company_id = 0 ORDER BY id LIMIT $1

-- name: company_count
SELECT (SELECT COUNT(*) FROM company), (SELECT COUNT(*) FROM person WHERE deleted_at IS NULL)

-- name: signing_key_list
SELECT kid, sealed, created_at FROM signing_key WHERE company_id = 0 ORDER BY created_at DESC, kid LIMIT $1

-- name: signing_key_add
INSERT INTO signing_key (company_id, kid, sealed, created_at) VALUES (0, $1, $2, $3)

-- name: role_by_id
SELECT id, name, permissions, built_in FROM role WHERE company_id = $1 AND id = $2

-- name: role_by_name
SELECT id, name, permissions, built_in FROM role WHERE company_id = $1 AND name = $2

-- name: role_insert
INSERT INTO role (company_id, id, version, created_at, updated_at, name, description, permissions, built_in)
VALUES ($1, $2, 1, $3, $3, $4, $5, $6, 1)

-- name: role_in_use
SELECT CAST(1 AS BIGINT) FROM person WHERE company_id = $1 AND role_id = $2
UNION ALL SELECT CAST(1 AS BIGINT) FROM api_key WHERE company_id = $1 AND role_id = $2
LIMIT 1

-- name: role_rename_people
UPDATE person SET role = $3 WHERE company_id = $1 AND role_id = $2

-- name: role_rename_keys
UPDATE api_key SET role = $3 WHERE company_id = $1 AND role_id = $2

-- name: login_name_find
SELECT person_company_id, person_id FROM login_name WHERE company_id = 0 AND name_key = $1

-- name: login_name_add
INSERT INTO login_name (company_id, name_key, person_company_id, person_id) VALUES (0, $1, $2, $3)

-- name: login_name_drop
DELETE FROM login_name WHERE company_id = 0 AND name_key = $1 AND person_company_id = $2 AND person_id = $3

-- name: person_by_email
SELECT company_id, id FROM person
WHERE email_key = $1 AND deleted_at IS NULL AND (CAST($2 AS BIGINT) = 0 OR company_id = CAST($2 AS BIGINT))
LIMIT 2

-- name: person_with_email
SELECT id FROM person WHERE company_id = $1 AND email_key = $2

-- name: person_with_employee_id
SELECT id FROM person WHERE company_id = $1 AND employee_id = $2

-- Held by who gives somebody a supervisor: two of them could make a circle together that neither sees alone.
-- name: person_supervisor_lock
SELECT id FROM company WHERE company_id = 0 AND id = $1
FOR UPDATE

-- name: person_supervisor
SELECT supervisor_id FROM person WHERE company_id = $1 AND id = $2

-- name: person_credentials
SELECT p.password_hash, p.active, p.suspended, c.active
FROM person p JOIN company c ON c.company_id = 0 AND c.id = p.company_id
WHERE p.company_id = $1 AND p.id = $2 AND p.deleted_at IS NULL

-- Everyone else who administers the company; the row locks keep two of them from leaving at the same moment.
-- name: person_other_admins
SELECT p.id, p.role, r.built_in, r.permissions
FROM person p JOIN role r ON r.company_id = p.company_id AND r.id = p.role_id
WHERE p.company_id = $1 AND p.id <> $2 AND p.active = 1 AND p.suspended = 0 AND p.deleted_at IS NULL
	AND (r.built_in = 0 OR r.name = 'ADMIN')
ORDER BY p.id
FOR UPDATE OF p

-- name: person_platform_admin
SELECT CAST(1 AS BIGINT) FROM person WHERE platform_admin = 1 AND deleted_at IS NULL LIMIT 1

-- name: person_logged_in
UPDATE person SET last_login = $3
WHERE company_id = $1 AND id = $2 AND active = 1 AND suspended = 0 AND deleted_at IS NULL

-- name: person_free_keys
UPDATE person SET email_key = NULL, employee_id = NULL WHERE company_id = $1 AND id = $2

-- name: person_team_find
SELECT CAST(1 AS BIGINT) FROM person p
WHERE p.company_id = $1 AND p.id = $3 AND (p.id = $2 OR p.supervisor_id = $2 OR EXISTS (
	SELECT CAST(1 AS BIGINT) FROM team_member m JOIN team t ON t.company_id = m.company_id AND t.id = m.team_id
	WHERE m.company_id = $1 AND m.person_id = p.id AND (t.lead_id = $2 OR EXISTS (
		SELECT CAST(1 AS BIGINT) FROM team_member own WHERE own.company_id = $1 AND own.team_id = m.team_id AND own.person_id = $2))))

-- name: team_exists
SELECT CAST(1 AS BIGINT) FROM team WHERE company_id = $1 AND id = $2

-- name: team_member_add
INSERT INTO team_member (company_id, team_id, person_id) VALUES ($1, $2, $3)
ON CONFLICT (company_id, team_id, person_id) DO NOTHING

-- name: team_member_drop
DELETE FROM team_member WHERE company_id = $1 AND team_id = $2 AND person_id = $3

-- name: team_members_drop
DELETE FROM team_member WHERE company_id = $1 AND team_id = $2

-- name: team_member_list
SELECT p.id, p.username, p.employee_id, p.first_name, p.last_name
FROM team_member m JOIN person p ON p.company_id = m.company_id AND p.id = m.person_id
WHERE m.company_id = $1 AND m.team_id = $2 AND p.deleted_at IS NULL
ORDER BY p.id

-- name: team_of_person
SELECT team_id FROM team_member WHERE company_id = $1 AND person_id = $2 ORDER BY team_id

-- name: team_leave_all
DELETE FROM team_member WHERE company_id = $1 AND person_id = $2

-- The four actor statements have the same first ten columns.
-- name: actor_by_session
SELECT p.id, p.username, p.employee_id, p.role, r.permissions, r.built_in, p.platform_admin, c.time_zone, c.currency,
	CASE WHEN p.active = 1 AND p.suspended = 0 AND c.active = 1 AND s.ended_at IS NULL THEN CAST(1 AS BIGINT) ELSE 0 END,
	p.password_hash, s.expires_at
FROM session s
JOIN person p ON p.company_id = s.company_id AND p.id = s.person_id AND p.deleted_at IS NULL
JOIN role r ON r.company_id = p.company_id AND r.id = p.role_id
JOIN company c ON c.company_id = 0 AND c.id = s.company_id
WHERE s.company_id = $1 AND s.id = $2

-- name: actor_by_person
SELECT p.id, p.username, p.employee_id, p.role, r.permissions, r.built_in, p.platform_admin, c.time_zone, c.currency,
	CASE WHEN p.active = 1 AND p.suspended = 0 AND c.active = 1 THEN CAST(1 AS BIGINT) ELSE 0 END,
	p.password_hash, CAST(NULL AS BIGINT)
FROM person p
JOIN role r ON r.company_id = p.company_id AND r.id = p.role_id
JOIN company c ON c.company_id = 0 AND c.id = p.company_id
WHERE p.company_id = $1 AND p.id = $2 AND p.deleted_at IS NULL

-- name: actor_by_key
SELECT CAST(0 AS BIGINT), k.name, CAST(NULL AS TEXT), k.role, r.permissions, r.built_in, CAST(0 AS BIGINT), c.time_zone, c.currency,
	CASE WHEN k.active = 1 AND c.active = 1 THEN CAST(1 AS BIGINT) ELSE 0 END,
	CAST('' AS TEXT), k.expires_at, k.id
FROM api_key k
JOIN role r ON r.company_id = k.company_id AND r.id = k.role_id
JOIN company c ON c.company_id = 0 AND c.id = k.company_id
WHERE k.company_id = $1 AND k.key_hash = $2

-- name: actor_by_key_id
SELECT CAST(0 AS BIGINT), k.name, CAST(NULL AS TEXT), k.role, r.permissions, r.built_in, CAST(0 AS BIGINT), c.time_zone, c.currency,
	CASE WHEN k.active = 1 AND c.active = 1 THEN CAST(1 AS BIGINT) ELSE 0 END,
	CAST('' AS TEXT), k.expires_at, k.id
FROM api_key k
JOIN role r ON r.company_id = k.company_id AND r.id = k.role_id
JOIN company c ON c.company_id = 0 AND c.id = k.company_id
WHERE k.company_id = $1 AND k.id = $2

-- name: session_add
INSERT INTO session (company_id, id, person_id, created_at, expires_at, peer) VALUES ($1, $2, $3, $4, $5, $6)

-- name: session_extend
UPDATE session SET expires_at = $3 WHERE company_id = $1 AND id = $2

-- name: session_end
UPDATE session SET ended_at = $3 WHERE company_id = $1 AND id = $2 AND ended_at IS NULL

-- name: session_end_of_person
UPDATE session SET ended_at = $3 WHERE company_id = $1 AND person_id = $2 AND ended_at IS NULL AND id <> $4

-- Their refresh tokens go with them.
-- name: session_purge
DELETE FROM session WHERE company_id = $1 AND expires_at <= $2

-- name: refresh_token_add
INSERT INTO refresh_token (company_id, token_hash, session_id, expires_at) VALUES ($1, $2, $3, $4)

-- name: refresh_token_find
SELECT session_id FROM refresh_token WHERE company_id = $1 AND token_hash = $2
FOR UPDATE

-- name: refresh_token_find_unused
SELECT session_id FROM refresh_token WHERE company_id = $1 AND token_hash = $2 AND used_at IS NULL

-- name: refresh_token_use
UPDATE refresh_token SET used_at = $3 WHERE company_id = $1 AND token_hash = $2 AND used_at IS NULL

-- name: person_other_platform_admin
SELECT CAST(1 AS BIGINT) FROM person WHERE platform_admin = 1 AND id <> $1 AND active = 1 AND suspended = 0 AND deleted_at IS NULL LIMIT 1

-- name: person_free_supervised
UPDATE person SET supervisor_id = NULL WHERE company_id = $1 AND supervisor_id = $2

-- name: team_free_lead
UPDATE team SET lead_id = NULL WHERE company_id = $1 AND lead_id = $2

-- name: company_tables @sqlite
SELECT m.name FROM sqlite_master m
WHERE m.type = 'table' AND EXISTS (SELECT 1 FROM pragma_table_info(m.name) c WHERE c.name = 'company_id')
ORDER BY m.name
-- name: company_tables @postgres
SELECT CAST(t.relname AS TEXT) FROM pg_class t
WHERE t.relkind IN ('r', 'p') AND t.relnamespace = CAST(current_schema() AS regnamespace)
AND EXISTS (SELECT 1 FROM pg_attribute c WHERE c.attrelid = t.oid AND c.attname = 'company_id' AND NOT c.attisdropped)
ORDER BY t.relname

-- name: company_references @sqlite
SELECT DISTINCT m.name, f."table" FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'
-- name: company_references @postgres
SELECT DISTINCT CAST(own.relname AS TEXT), CAST(other.relname AS TEXT)
FROM pg_constraint f JOIN pg_class own ON own.oid = f.conrelid JOIN pg_class other ON other.oid = f.confrelid
WHERE f.contype = 'f' AND own.relnamespace = CAST(current_schema() AS regnamespace)

-- name: login_name_drop_company
DELETE FROM login_name WHERE person_company_id = $1

-- name: company_search_drop
DELETE FROM search_text WHERE company_id = 0 AND resource = $1 AND object_id = $2

-- name: company_drop
DELETE FROM company WHERE company_id = 0 AND id = $1
