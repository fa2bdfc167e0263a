-- Companies, people and what lets them in. Company 0 is the installation itself: it owns the list of companies, the
-- directory of login names and the signing keys, so that the tenant stands first in every key here too.

CREATE TABLE company (
	company_id BIGINT NOT NULL, -- 0
	id BIGINT NOT NULL,
	version BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	name TEXT NOT NULL,
	name_key TEXT NOT NULL,     -- folded
	gst_number TEXT NOT NULL,
	website TEXT NOT NULL,
	industry TEXT NOT NULL,
	country TEXT NOT NULL,
	time_zone TEXT NOT NULL,
	currency TEXT NOT NULL,
	active BOOLEAN NOT NULL,
	PRIMARY KEY (company_id, id),
	UNIQUE (company_id, name_key)
) WITHOUT ROWID;
CREATE SEQUENCE company;

CREATE TABLE role (
	company_id BIGINT NOT NULL,
	id BIGINT NOT NULL,
	version BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	name TEXT NOT NULL,
	description TEXT NOT NULL,
	permissions TEXT NOT NULL,  -- JSON array of their names; of built-in roles the program's table counts
	built_in BOOLEAN NOT NULL,
	PRIMARY KEY (company_id, id),
	UNIQUE (company_id, name)
) WITHOUT ROWID;
CREATE SEQUENCE role;

-- A person is user and employee in one. role is the role's name, kept beside role_id for lists and filters.
CREATE TABLE person (
	company_id BIGINT NOT NULL,
	id BIGINT NOT NULL,
	version BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	deleted_at BIGINT,
	username TEXT NOT NULL,
	email TEXT NOT NULL,
	email_key TEXT,             -- folded; NULL without an e-mail address and for deleted people
	first_name TEXT NOT NULL,
	last_name TEXT NOT NULL,
	phone TEXT NOT NULL,
	role_id BIGINT NOT NULL,
	role TEXT NOT NULL,
	employee_id TEXT,           -- emp-001; NULL for a user who is no employee
	supervisor_id BIGINT,
	department TEXT NOT NULL,
	password_hash TEXT NOT NULL, -- argon2id; empty: no login with a password
	active BOOLEAN NOT NULL,
	suspended BOOLEAN NOT NULL,
	platform_admin BOOLEAN NOT NULL,
	date_joined BIGINT NOT NULL,
	last_login BIGINT,
	PRIMARY KEY (company_id, id),
	UNIQUE (company_id, email_key),
	UNIQUE (company_id, employee_id),
	FOREIGN KEY (company_id, role_id) REFERENCES role (company_id, id),
	FOREIGN KEY (company_id, supervisor_id) REFERENCES person (company_id, id)
) WITHOUT ROWID;
CREATE SEQUENCE person;
CREATE INDEX person_supervisor ON person (company_id, supervisor_id);
CREATE INDEX person_role ON person (company_id, role_id);
CREATE INDEX person_email ON person (email_key);

-- A login names nobody's company, so a user name is unique in the installation.
CREATE TABLE login_name (
	company_id BIGINT NOT NULL, -- 0
	name_key TEXT NOT NULL,     -- folded
	person_company_id BIGINT NOT NULL,
	person_id BIGINT NOT NULL,
	PRIMARY KEY (company_id, name_key)
) WITHOUT ROWID;

CREATE TABLE team (
	company_id BIGINT NOT NULL,
	id TEXT NOT NULL,           -- sales_team_1
	version BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	name TEXT NOT NULL,
	description TEXT NOT NULL,
	lead_id BIGINT,
	PRIMARY KEY (company_id, id),
	FOREIGN KEY (company_id, lead_id) REFERENCES person (company_id, id)
) WITHOUT ROWID;
CREATE SEQUENCE team;

CREATE TABLE team_member (
	company_id BIGINT NOT NULL,
	team_id TEXT NOT NULL,
	person_id BIGINT NOT NULL,
	PRIMARY KEY (company_id, team_id, person_id),
	FOREIGN KEY (company_id, team_id) REFERENCES team (company_id, id),
	FOREIGN KEY (company_id, person_id) REFERENCES person (company_id, id)
) WITHOUT ROWID;
CREATE INDEX team_member_person ON team_member (company_id, person_id);

-- A login and what was renewed from it. ended_at takes all its tokens away.
CREATE TABLE session (
	company_id BIGINT NOT NULL,
	id BIGINT NOT NULL,
	person_id BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL, -- of its youngest refresh token
	ended_at BIGINT,
	peer TEXT NOT NULL,
	PRIMARY KEY (company_id, id),
	FOREIGN KEY (company_id, person_id) REFERENCES person (company_id, id)
) WITHOUT ROWID;
CREATE SEQUENCE session;
CREATE INDEX session_person ON session (company_id, person_id);
CREATE INDEX session_expires ON session (company_id, expires_at);

-- Only hashes are kept. A used one stays until it expires, so that its second use is seen.
CREATE TABLE refresh_token (
	company_id BIGINT NOT NULL,
	token_hash TEXT NOT NULL,
	session_id BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	used_at BIGINT,
	PRIMARY KEY (company_id, token_hash),
	FOREIGN KEY (company_id, session_id) REFERENCES session (company_id, id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX refresh_token_session ON refresh_token (company_id, session_id);

CREATE TABLE api_key (
	company_id BIGINT NOT NULL,
	id BIGINT NOT NULL,
	version BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	name TEXT NOT NULL,
	prefix TEXT NOT NULL,       -- the key's first characters, to tell keys apart
	key_hash TEXT NOT NULL,
	role_id BIGINT NOT NULL,
	role TEXT NOT NULL,
	created_by BIGINT,
	active BOOLEAN NOT NULL,
	expires_at BIGINT,
	PRIMARY KEY (company_id, id),
	UNIQUE (company_id, key_hash),
	FOREIGN KEY (company_id, role_id) REFERENCES role (company_id, id)
) WITHOUT ROWID;
CREATE SEQUENCE api_key;

-- The keys that sign tokens, sealed under the master key in the secret file.
CREATE TABLE signing_key (
	company_id BIGINT NOT NULL, -- 0
	kid TEXT NOT NULL,
	sealed BYTEA NOT NULL,      -- nonce and secretbox of the 32 bytes
	created_at BIGINT NOT NULL,
	PRIMARY KEY (company_id, kid)
) WITHOUT ROWID;
