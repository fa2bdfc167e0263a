-- Campaigns, what is measured of them, retrospectives with insights, actions and reports.

CREATE TABLE campaign (
	company_id BIGINT NOT NULL,
	id BIGINT NOT NULL,
	version BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	name TEXT NOT NULL,
	description TEXT,
	status TEXT NOT NULL,
	team_id BIGINT,
	owner_id BIGINT,
	budget BIGINT,
	start_date TEXT,
	end_date TEXT,
	completed_at BIGINT,
	targets TEXT NOT NULL,      -- JSON object: metric → number
	PRIMARY KEY (company_id, id)
) WITHOUT ROWID;
CREATE SEQUENCE campaign;
CREATE INDEX campaign_team ON campaign (company_id, team_id);

-- Which KPI a metric's values are kept under. The name is the first spelling; part says what the rules know it as.
CREATE TABLE campaign_metric (
	company_id BIGINT NOT NULL,
	name_key TEXT NOT NULL,     -- folded
	name TEXT NOT NULL,
	kpi_id TEXT NOT NULL,
	part TEXT NOT NULL,
	is_signed BOOLEAN NOT NULL,
	PRIMARY KEY (company_id, name_key),
	UNIQUE (company_id, kpi_id)
) WITHOUT ROWID;

-- A value whose dimensions name a campaign carries that campaign's id and a number, which is its id in the campaign's list. Both are
-- kept with the value whichever way it came in, so that there is one place where a campaign's values are.
ALTER TABLE kpi_value ADD COLUMN campaign_id BIGINT;
ALTER TABLE kpi_value ADD COLUMN number BIGINT;
CREATE SEQUENCE campaign_value;
CREATE INDEX kpi_value_campaign ON kpi_value (company_id, campaign_id, at, number) WHERE campaign_id IS NOT NULL;

CREATE TABLE retrospective (
	company_id BIGINT NOT NULL,
	id BIGINT NOT NULL,
	version BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	task_id BIGINT NOT NULL,
	created_by BIGINT,
	scheduled_time BIGINT NOT NULL,
	status TEXT NOT NULL,
	team_id BIGINT,
	deadline BIGINT,
	notes TEXT,
	decisions TEXT,
	started_at BIGINT,
	completed_at BIGINT,
	approved_by BIGINT,
	approved_at BIGINT,
	approval_notes TEXT,
	reminded_for BIGINT,        -- the scheduled_time whose reminder was sent
	PRIMARY KEY (company_id, id),
	FOREIGN KEY (company_id, task_id) REFERENCES campaign (company_id, id)
) WITHOUT ROWID;
CREATE SEQUENCE retrospective;
CREATE INDEX retrospective_campaign ON retrospective (company_id, task_id);
CREATE INDEX retrospective_team ON retrospective (company_id, team_id, scheduled_time);

CREATE TABLE insight (
	company_id BIGINT NOT NULL,
	id BIGINT NOT NULL,
	version BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	retrospective_task_id BIGINT NOT NULL,
	type TEXT NOT NULL,
	summary TEXT NOT NULL,
	severity TEXT NOT NULL,
	action_suggestion TEXT,
	generated_by TEXT NOT NULL,
	evidence TEXT,
	PRIMARY KEY (company_id, id),
	FOREIGN KEY (company_id, retrospective_task_id) REFERENCES retrospective (company_id, id)
) WITHOUT ROWID;
CREATE SEQUENCE insight;
CREATE INDEX insight_retrospective ON insight (company_id, retrospective_task_id, id);

CREATE TABLE retro_action (
	company_id BIGINT NOT NULL,
	id BIGINT NOT NULL,
	version BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	retrospective_id BIGINT NOT NULL,
	first_retrospective_id BIGINT NOT NULL,
	insight_id BIGINT,
	title TEXT NOT NULL,
	owner_id BIGINT,
	due_date TEXT,
	status TEXT NOT NULL,
	carried BIGINT NOT NULL,
	reminded_for TEXT,          -- the due date that its owner was reminded of
	PRIMARY KEY (company_id, id),
	FOREIGN KEY (company_id, retrospective_id) REFERENCES retrospective (company_id, id)
) WITHOUT ROWID;
CREATE SEQUENCE retro_action;
CREATE INDEX retro_action_retrospective ON retro_action (company_id, retrospective_id, id);
CREATE INDEX retro_action_first ON retro_action (company_id, first_retrospective_id);
CREATE INDEX retro_action_owner ON retro_action (company_id, owner_id);
CREATE INDEX retro_action_due ON retro_action (company_id, due_date) WHERE status IN ('Open', 'In Progress');

-- One row a company, whose id is 1.
CREATE TABLE retro_settings (
	company_id BIGINT NOT NULL,
	id BIGINT NOT NULL,
	version BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	auto_schedule BOOLEAN NOT NULL,
	delay_hours BIGINT NOT NULL,
	remind_hours BIGINT NOT NULL,
	deadline_days BIGINT NOT NULL,
	false_positive_rate TEXT NOT NULL,
	rules TEXT NOT NULL,
	PRIMARY KEY (company_id, id)
) WITHOUT ROWID;

-- The report as it was approved.
CREATE TABLE retro_report (
	company_id BIGINT NOT NULL,
	retrospective_id BIGINT NOT NULL,
	made_at BIGINT NOT NULL,
	content TEXT NOT NULL,      -- JSON
	PRIMARY KEY (company_id, retrospective_id)
) WITHOUT ROWID;
