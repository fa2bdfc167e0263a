-- KPIs with their targets, measured values, day rollups, states and assignments; webhook subscriptions.

CREATE TABLE kpi (
	company_id BIGINT NOT NULL,
	id TEXT NOT NULL,
	version BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	deleted_at BIGINT,
	owner_id TEXT,
	team_id TEXT,
	name TEXT NOT NULL,
	description TEXT,
	type TEXT NOT NULL,
	status TEXT NOT NULL,
	unit TEXT,
	currency TEXT,
	decimals BIGINT NOT NULL,
	aggregation TEXT NOT NULL,
	formula TEXT,
	min_value TEXT,
	max_value TEXT,
	target_value TEXT,
	warning_threshold TEXT NOT NULL,
	critical_threshold TEXT NOT NULL,
	direction TEXT NOT NULL,
	hysteresis TEXT NOT NULL,
	prorate BOOLEAN NOT NULL,
	start_date BIGINT,
	end_date BIGINT,
	period TEXT NOT NULL,
	no_data_after_days BIGINT,
	comparison_type TEXT,
	weight_percentage TEXT,
	weight_is_flexible BOOLEAN,
	PRIMARY KEY (company_id, id)
) WITHOUT ROWID;
CREATE SEQUENCE kpi;
-- A deleted KPI gives its name free.
CREATE UNIQUE INDEX kpi_name_key ON kpi (company_id, name) WHERE deleted_at IS NULL;
CREATE INDEX kpi_created ON kpi (company_id, created_at, id);

-- Which KPIs a formula reads: for recomputing states and refusing cycles.
CREATE TABLE kpi_reference (
	company_id BIGINT NOT NULL,
	kpi_id TEXT NOT NULL,
	source_id TEXT NOT NULL,
	PRIMARY KEY (company_id, kpi_id, source_id)
) WITHOUT ROWID;
CREATE INDEX kpi_reference_source ON kpi_reference (company_id, source_id);

-- Targets of calendar periods: start is the period's first day.
CREATE TABLE kpi_target (
	company_id BIGINT NOT NULL,
	kpi_id TEXT NOT NULL,
	period TEXT NOT NULL,
	start TEXT NOT NULL,
	target_value TEXT NOT NULL,
	updated_at BIGINT NOT NULL,
	PRIMARY KEY (company_id, kpi_id, period, start)
) WITHOUT ROWID;

-- Measured values in units of 10^-decimals of their KPI. dimensions is '' or a JSON object of texts with sorted keys.
CREATE TABLE kpi_value (
	company_id BIGINT NOT NULL,
	kpi_id TEXT NOT NULL,
	at BIGINT NOT NULL,
	dimensions TEXT NOT NULL,
	value BIGINT NOT NULL,
	note TEXT,
	recorded_by BIGINT,
	recorded_at BIGINT NOT NULL,
	PRIMARY KEY (company_id, kpi_id, at, dimensions)
) WITHOUT ROWID;

-- What the values of one day of the company's calendar come to; dimensions '*' is all of them together.
CREATE TABLE kpi_rollup (
	company_id BIGINT NOT NULL,
	kpi_id TEXT NOT NULL,
	dimensions TEXT NOT NULL,
	day TEXT NOT NULL,
	value_count BIGINT NOT NULL,
	value_sum BIGINT NOT NULL,
	value_min BIGINT NOT NULL,
	value_max BIGINT NOT NULL,
	value_last BIGINT NOT NULL,
	last_at BIGINT NOT NULL,
	PRIMARY KEY (company_id, kpi_id, dimensions, day)
) WITHOUT ROWID;

-- The state a KPI was last found in, kept so that a crossing is told once.
CREATE TABLE kpi_state (
	company_id BIGINT NOT NULL,
	kpi_id TEXT NOT NULL,
	state TEXT NOT NULL,
	since BIGINT NOT NULL,
	achievement TEXT,
	PRIMARY KEY (company_id, kpi_id)
) WITHOUT ROWID;

CREATE TABLE kpi_assignment (
	company_id BIGINT NOT NULL,
	id TEXT NOT NULL,
	version BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	kpi_id TEXT NOT NULL,
	target_type TEXT NOT NULL,
	target_id TEXT NOT NULL,
	person_id BIGINT,
	role TEXT NOT NULL,
	can_view BOOLEAN NOT NULL,
	can_edit BOOLEAN NOT NULL,
	can_assign BOOLEAN NOT NULL,
	can_delete BOOLEAN NOT NULL,
	can_approve BOOLEAN NOT NULL,
	preference TEXT NOT NULL,
	threshold_alerts BOOLEAN NOT NULL,
	supervisor_id TEXT,
	custom_target_value TEXT,
	custom_target_unit TEXT,
	custom_comparison_type TEXT,
	custom_weight_percentage TEXT,
	custom_weight_is_flexible BOOLEAN,
	effective_date TEXT NOT NULL,
	end_date TEXT,
	assigned_by TEXT NOT NULL,
	status TEXT NOT NULL,
	PRIMARY KEY (company_id, id)
) WITHOUT ROWID;
CREATE SEQUENCE kpi_assignment;
CREATE UNIQUE INDEX kpi_assignment_target_id_key ON kpi_assignment (company_id, kpi_id, target_type, target_id)
	WHERE status IN ('ACTIVE', 'SUSPENDED');
CREATE INDEX kpi_assignment_target ON kpi_assignment (company_id, target_type, target_id);
CREATE INDEX kpi_assignment_person ON kpi_assignment (company_id, person_id);
CREATE INDEX kpi_assignment_supervisor ON kpi_assignment (company_id, supervisor_id);

CREATE TABLE webhook (
	company_id BIGINT NOT NULL,
	id TEXT NOT NULL,
	version BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	owner_id BIGINT,
	url TEXT NOT NULL,
	events TEXT NOT NULL,
	secret TEXT NOT NULL,
	description TEXT,
	status TEXT NOT NULL,
	PRIMARY KEY (company_id, id)
) WITHOUT ROWID;
CREATE SEQUENCE webhook;
