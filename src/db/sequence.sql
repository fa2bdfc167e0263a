-- Numbers: rows of a table on SQLite, sequences on PostgreSQL, of which a pool takes a block of numbers at once.

-- name: sequence_find @sqlite
SELECT next FROM sequence WHERE name = $1

-- name: sequence_write @sqlite
UPDATE sequence SET next = $2 WHERE name = $1

-- name: sequence_block @postgres
SELECT nextval(CAST(CAST($1 AS TEXT) AS regclass))
