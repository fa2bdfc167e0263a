-- What every room stands on: the list of migrations, sequences, events, the search index and stored answers.
-- The words are explained in src/db/README.md.

-- @global one row a migration, for the whole database
CREATE TABLE schema_migration (
	version BIGINT PRIMARY KEY,
	name TEXT NOT NULL,
	checksum TEXT NOT NULL, -- SHA-256 of the migration's text without comments and layout
	applied_at BIGINT NOT NULL
);

-- @sqlite
-- PostgreSQL has sequences of its own. next is the number that will be given next.
CREATE TABLE sequence (
	name TEXT PRIMARY KEY,
	next INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
-- @all

-- One row a change: the audit row and the event that others read are the same thing (docs/decisions/0020).
-- seq comes from the sequence; txid orders rows where transactions run side by side (PostgreSQL) and is 0 on SQLite.
CREATE TABLE event (
	company_id BIGINT NOT NULL,
	seq BIGINT NOT NULL,
	txid BIGINT NOT NULL DEFAULT 0,
	type TEXT NOT NULL,        -- kpi.created, threshold.breached, …
	object_type TEXT NOT NULL, -- the resource's name
	object_id TEXT NOT NULL,   -- as the contracts show it
	actor_id BIGINT,           -- NULL: the server itself
	actor_name TEXT NOT NULL,  -- as it was then
	request_id TEXT NOT NULL,
	at BIGINT NOT NULL,
	old_values TEXT,           -- JSON of the object before, without secrets; NULL for a creation
	new_values TEXT,           -- JSON of the object after; NULL for a deletion
	PRIMARY KEY (company_id, seq)
) WITHOUT ROWID;
CREATE SEQUENCE event;
CREATE INDEX event_order ON event (txid, seq);
CREATE INDEX event_object ON event (company_id, object_type, object_id, seq);

-- @postgres
ALTER TABLE event ALTER COLUMN txid SET DEFAULT (pg_current_xact_id()::text::bigint);

-- @sqlite
-- The rowid is declared, because the index refers to it and an undeclared one may change with VACUUM.
CREATE TABLE search_text (
	id INTEGER PRIMARY KEY,
	company_id INTEGER NOT NULL,
	resource TEXT NOT NULL,
	object_id TEXT NOT NULL,
	folded TEXT NOT NULL,
	UNIQUE (company_id, resource, object_id)
) STRICT;
-- The text is stored once, in the table; the triggers hand the index the old text, which it needs to forget it.
CREATE VIRTUAL TABLE search_index USING fts5 (folded, content = 'search_text', content_rowid = 'id', tokenize = 'trigram case_sensitive 1');
CREATE TRIGGER search_text_insert AFTER INSERT ON search_text BEGIN
	INSERT INTO search_index (rowid, folded) VALUES (new.id, new.folded);
END;
CREATE TRIGGER search_text_delete AFTER DELETE ON search_text BEGIN
	INSERT INTO search_index (search_index, rowid, folded) VALUES ('delete', old.id, old.folded);
END;
CREATE TRIGGER search_text_update AFTER UPDATE OF folded ON search_text WHEN old.folded <> new.folded BEGIN
	INSERT INTO search_index (search_index, rowid, folded) VALUES ('delete', old.id, old.folded);
	INSERT INTO search_index (rowid, folded) VALUES (new.id, new.folded);
END;

-- @postgres
-- Folding as near to that of the stored texts as the server can: with ICU's letters where it has them. Used by filters; search compares
-- texts that were folded before they were stored.
DO $$
BEGIN
	CREATE FUNCTION text_fold(t text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS
		'SELECT btrim(regexp_replace(lower(upper(normalize(t, NFKC) COLLATE "und-x-icu")) COLLATE "C", ''\s+'', '' '', ''g''), '' '')';
	PERFORM text_fold('a');
EXCEPTION WHEN OTHERS THEN
	CREATE FUNCTION text_fold(t text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS 'SELECT lower(upper(t))';
END
$$;
CREATE TABLE search_text (
	company_id bigint NOT NULL,
	resource text COLLATE "C" NOT NULL,
	object_id text COLLATE "C" NOT NULL,
	folded text COLLATE "C" NOT NULL,
	PRIMARY KEY (company_id, resource, object_id)
);
-- The extension may be missing, or the user may not be allowed to create it: search then reads the company's texts one by one.
DO $$
BEGIN
	CREATE EXTENSION IF NOT EXISTS pg_trgm;
EXCEPTION WHEN OTHERS THEN
	RAISE NOTICE 'pg_trgm is not available: %', SQLERRM;
END
$$;
DO $$
BEGIN
	IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm') THEN
		CREATE INDEX search_text_folded ON search_text USING gin (folded gin_trgm_ops);
	END IF;
END
$$;
-- @all

-- Numbers of the text ids that the server makes (kpi-001), counted per company.
CREATE TABLE id_sequence (
	company_id BIGINT NOT NULL,
	resource TEXT NOT NULL,
	last BIGINT NOT NULL,
	PRIMARY KEY (company_id, resource)
) WITHOUT ROWID;

-- Answers of requests that carried an Idempotency-Key, kept for LIMIT_IDEMPOTENCY_S.
CREATE TABLE idempotency (
	company_id BIGINT NOT NULL,
	user_id BIGINT NOT NULL,
	key TEXT NOT NULL,
	method_path TEXT NOT NULL,
	body_hash BYTEA NOT NULL,
	status BIGINT NOT NULL,
	answer BYTEA,              -- NULL: too large to keep
	content_type TEXT,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (company_id, user_id, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_created ON idempotency (created_at);
