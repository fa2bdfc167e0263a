-- Campaigns, what is measured of them, retrospectives with insights, actions and reports.

CREATE TABLE campaign (
	company_id BIGINT NOT NULL,
	id BIGINT NOT NULL,
	version BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	deleted_at BIGINT,
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

-- Which KPI a metric's values are kept under.
CREATE TABLE campaign_metric (
	company_id BIGINT NOT NULL,
	name_key TEXT NOT NULL,     -- folded
	name TEXT NOT NULL,
	kpi_id TEXT NOT NULL,
	part TEXT NOT NULL,
	is_signed BOOLEAN NOT NULL,
	PRIMARY KEY (company_id, name_key)
) WITHOUT ROWID;

-- The id of a value in the contract, and where the value itself is: kpi_value (kpi_id, recorded_at, kpi_dimensions).
CREATE TABLE campaign_value (
	company_id BIGINT NOT NULL,
	id BIGINT NOT NULL,
	campaign_id BIGINT NOT NULL,
	kpi_id TEXT NOT NULL,
	recorded_at BIGINT NOT NULL,
	kpi_dimensions TEXT NOT NULL,
	metric TEXT NOT NULL,
	source TEXT,
	channel TEXT,
	creative TEXT,
	dimensions TEXT,
	PRIMARY KEY (company_id, id),
	UNIQUE (company_id, kpi_id, recorded_at, kpi_dimensions)
) WITHOUT ROWID;
CREATE SEQUENCE campaign_value;
CREATE INDEX campaign_value_campaign ON campaign_value (company_id, campaign_id, recorded_at, id);

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
	PRIMARY KEY (company_id, id),
	FOREIGN KEY (company_id, retrospective_id) REFERENCES retrospective (company_id, id)
) WITHOUT ROWID;
CREATE SEQUENCE retro_action;
CREATE INDEX retro_action_retrospective ON retro_action (company_id, retrospective_id, id);
CREATE INDEX retro_action_owner ON retro_action (company_id, owner_id);

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
CREATE SEQUENCE retro_settings;

-- The report as it was approved.
CREATE TABLE retro_report (
	company_id BIGINT NOT NULL,
	retrospective_id BIGINT NOT NULL,
	made_at BIGINT NOT NULL,
	content TEXT NOT NULL,      -- JSON
	PRIMARY KEY (company_id, retrospective_id)
) WITHOUT ROWID;
