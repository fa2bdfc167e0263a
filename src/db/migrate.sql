-- What the migration runner asks and writes; the tables are those of 0001_foundation.sql.

-- name: migration_table_find @sqlite
SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_migration'
-- name: migration_table_find @postgres
SELECT 1 WHERE to_regclass('schema_migration') IS NOT NULL

-- One node migrates at a time; on SQLite the write transaction is lock enough. The number is this project's own.
-- name: migration_lock @sqlite
SELECT 1
-- name: migration_lock @postgres
SELECT 1 FROM (SELECT pg_advisory_xact_lock(7311002645918234)) AS lock

-- name: migration_list
SELECT version, name, checksum FROM schema_migration ORDER BY version

-- name: migration_add
INSERT INTO schema_migration (version, name, checksum, applied_at) VALUES ($1, $2, $3, $4)
