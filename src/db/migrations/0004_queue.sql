-- The durable job queue: jobs with their leases, schedules, and which queues are paused.

CREATE TABLE job (
	company_id BIGINT NOT NULL, -- 0: the installation's own
	id BIGINT NOT NULL,
	kind TEXT NOT NULL,
	queue TEXT NOT NULL,        -- the first word of the kind
	key TEXT,                   -- of one key one job waits and one runs
	payload TEXT NOT NULL,
	state TEXT NOT NULL,        -- waiting, running, done, dead, cancelled, poison
	priority BIGINT NOT NULL,
	run_at BIGINT NOT NULL,     -- when waiting: not before
	attempt BIGINT NOT NULL,    -- runs begun
	crashes BIGINT NOT NULL,    -- runs in a row whose runner died
	last_chance BOOLEAN NOT NULL, -- one crash more makes it poison
	run_again BIGINT,           -- asked for while it ran: when
	cancel_asked BOOLEAN NOT NULL,
	lease_owner TEXT,           -- the runner's name
	lease_until BIGINT,         -- by the clock of the database, which all nodes share
	progress_done BIGINT NOT NULL,
	progress_total BIGINT NOT NULL,
	progress_note TEXT,
	error TEXT,                 -- of the last failed run
	result TEXT,
	created_at BIGINT NOT NULL,
	started_at BIGINT,
	finished_at BIGINT,
	PRIMARY KEY (company_id, id)
) WITHOUT ROWID;
CREATE SEQUENCE job;
CREATE INDEX job_due ON job (queue, priority DESC, run_at, id) WHERE state = 'waiting' AND last_chance = 0;
CREATE INDEX job_last_chance ON job (queue, run_at, id) WHERE state = 'waiting' AND last_chance = 1;
CREATE INDEX job_lease ON job (lease_until) WHERE state = 'running';
CREATE INDEX job_finished ON job (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX job_list ON job (company_id, created_at, id);
-- At most one waits, and at most one runs; a poison one holds its key until somebody has looked at it.
CREATE UNIQUE INDEX job_key_key ON job (company_id, kind, key) WHERE state = 'waiting' AND key IS NOT NULL;
CREATE UNIQUE INDEX job_kind_key ON job (company_id, key, kind) WHERE state IN ('running', 'poison') AND key IS NOT NULL;

CREATE TABLE job_schedule (
	company_id BIGINT NOT NULL,
	id TEXT NOT NULL,           -- its name
	kind TEXT NOT NULL,
	cron TEXT NOT NULL,
	time_zone TEXT NOT NULL,    -- IANA name
	payload TEXT NOT NULL,
	paused BOOLEAN NOT NULL,
	next_at BIGINT NOT NULL,    -- the slot that comes next
	last_at BIGINT,             -- the slot that ran last
	PRIMARY KEY (company_id, id)
) WITHOUT ROWID;
CREATE INDEX job_schedule_next ON job_schedule (next_at) WHERE paused = 0;

CREATE TABLE job_queue (
	company_id BIGINT NOT NULL, -- 0
	name TEXT NOT NULL,
	paused BOOLEAN NOT NULL,
	PRIMARY KEY (company_id, name)
) WITHOUT ROWID;

-- Rows of a queue are changed a few times and then stay: what they leave behind is cleared early, or claims wade through it.
-- @postgres
ALTER TABLE job SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500, autovacuum_analyze_scale_factor = 0.05);
