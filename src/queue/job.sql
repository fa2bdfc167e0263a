-- The job queue. Instants of leases are by the database's clock, which all nodes share; all others come from the caller.

-- ---- enqueueing ------------------------------------------------------------------------------------------------------------

-- A request that a job of the key serves already. The lock keeps that job from being claimed, or from ending, before the request's own
-- transaction has ended; several requests may hold it at once.
-- name: job_serving_find
SELECT id FROM job WHERE company_id = $1 AND kind = $2 AND key = $3 AND payload = $4
AND ((state = 'waiting' AND (run_at <= $5 OR attempt > 0) AND priority >= $6) OR (state = 'running' AND run_again <= $5)) LIMIT 1 FOR SHARE

-- Back-off after a failure is not cut short: attempt > 0.
-- name: job_join
UPDATE job SET payload = $4, priority = CASE WHEN priority < $6 THEN $6 ELSE priority END,
	run_at = CASE WHEN state = 'waiting' AND attempt = 0 AND run_at > $5 THEN $5 ELSE run_at END,
	run_again = CASE WHEN state = 'waiting' THEN NULL WHEN run_again IS NULL OR run_again > $5 THEN $5 ELSE run_again END
WHERE company_id = $1 AND kind = $2 AND key = $3 AND state IN ('waiting', 'running') RETURNING id

-- name: job_add
INSERT INTO job (company_id, id, kind, queue, key, payload, state, priority, run_at, attempt, crashes, last_chance, cancel_asked,
	progress_done, progress_total, created_at)
VALUES ($1, $2, $3, $4, $5, $6, 'waiting', $7, $8, 0, 0, 0, 0, 0, 0, $9)
ON CONFLICT (company_id, kind, key) WHERE state = 'waiting' AND key IS NOT NULL DO UPDATE SET payload = excluded.payload,
	priority = CASE WHEN job.priority < excluded.priority THEN excluded.priority ELSE job.priority END,
	run_at = CASE WHEN job.attempt = 0 AND job.run_at > excluded.run_at THEN excluded.run_at ELSE job.run_at END
RETURNING id

-- name: job_cancel_waiting_key
UPDATE job SET state = 'cancelled', finished_at = $4 WHERE company_id = $1 AND kind = $2 AND key = $3 AND state = 'waiting'

-- name: job_cancel_running_key
UPDATE job SET cancel_asked = 1, run_again = NULL WHERE company_id = $1 AND kind = $2 AND key = $3 AND state = 'running'

-- ---- looking ---------------------------------------------------------------------------------------------------------------

-- What there is to do besides claiming: the database's clock, leases that ran out, schedules. $2: the kinds this process runs.
-- name: job_look @sqlite
SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) * 1000,
	EXISTS (SELECT 1 FROM job WHERE state = 'running' AND lease_until < CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) * 1000),
	EXISTS (SELECT 1 FROM job_schedule WHERE paused = 0 AND next_at <= $1 AND kind IN (SELECT value FROM json_each($2)))
-- name: job_look @postgres
SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT),
	CAST(CASE WHEN EXISTS (SELECT 1 FROM job WHERE state = 'running'
		AND lease_until < CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)) THEN 1 ELSE 0 END AS BIGINT),
	CAST(CASE WHEN EXISTS (SELECT 1 FROM job_schedule WHERE paused = 0 AND next_at <= $1
		AND kind IN (SELECT json_array_elements_text(CAST($2 AS json)) COLLATE "C")) THEN 1 ELSE 0 END AS BIGINT)

-- Suspects are jobs under which a runner died. $3: 0 while none may run, otherwise as many crashes as there are.
-- name: job_due_find
SELECT id FROM job WHERE queue = $1 AND state = 'waiting' AND last_chance = 0 AND run_at <= $2 AND crashes <= $3
AND NOT EXISTS (SELECT 1 FROM job_queue q WHERE q.company_id = 0 AND q.name = $1 AND q.paused = 1) LIMIT 1

-- Whether job_claim_last_chance would find one; $3: the kinds this process knows.
-- name: job_last_chance_find @sqlite
SELECT j.id FROM job j WHERE j.queue = $1 AND j.state = 'waiting' AND j.last_chance = 1 AND j.run_at <= $2
AND j.kind IN (SELECT value FROM json_each($3))
AND (j.key IS NULL OR NOT EXISTS (SELECT 1 FROM job r WHERE r.company_id = j.company_id AND r.key = j.key AND r.kind = j.kind
	AND r.key IS NOT NULL AND r.state IN ('running', 'poison')))
AND NOT EXISTS (SELECT 1 FROM job_queue q WHERE q.company_id = 0 AND q.name = $1 AND q.paused = 1) LIMIT 1
-- name: job_last_chance_find @postgres
SELECT j.id FROM job j WHERE j.queue = $1 AND j.state = 'waiting' AND j.last_chance = 1 AND j.run_at <= $2
AND j.kind IN (SELECT json_array_elements_text(CAST($3 AS json)) COLLATE "C")
AND (j.key IS NULL OR NOT EXISTS (SELECT 1 FROM job r WHERE r.company_id = j.company_id AND r.key = j.key AND r.kind = j.kind
	AND r.key IS NOT NULL AND r.state IN ('running', 'poison')))
AND NOT EXISTS (SELECT 1 FROM job_queue q WHERE q.company_id = 0 AND q.name = $1 AND q.paused = 1) LIMIT 1

-- name: job_cancelled_list
SELECT company_id, id FROM job WHERE state = 'running' AND lease_owner = $1 AND cancel_asked = 1

-- ---- claiming --------------------------------------------------------------------------------------------------------------

-- The next lower priority that has waiting jobs, so that a claim finds them by the index however many wait for later.
-- name: job_priority_next
SELECT priority FROM job WHERE queue = $1 AND state = 'waiting' AND last_chance = 0 AND priority < $2 AND crashes <= $3
AND NOT EXISTS (SELECT 1 FROM job_queue q WHERE q.company_id = 0 AND q.name = $1 AND q.paused = 1)
ORDER BY priority DESC LIMIT 1

-- $4: the kinds this process knows, a JSON array; $8: as in job_due_find.
-- name: job_claim @sqlite
WITH due AS MATERIALIZED (
	SELECT j.company_id, j.id FROM job j WHERE j.queue = $1 AND j.state = 'waiting' AND j.last_chance = 0 AND j.priority = $2 AND j.run_at <= $3
	AND j.crashes <= $8
	AND j.kind IN (SELECT value FROM json_each($4))
	AND (j.key IS NULL OR NOT EXISTS (SELECT 1 FROM job r WHERE r.company_id = j.company_id AND r.key = j.key AND r.kind = j.kind
		AND r.key IS NOT NULL AND r.state IN ('running', 'poison')))
	ORDER BY j.run_at, j.id LIMIT $5)
UPDATE job SET state = 'running', attempt = attempt + 1, lease_owner = $6, lease_until = $7, started_at = $3,
	progress_done = 0, progress_total = 0, progress_note = NULL, cancel_asked = 0
FROM due WHERE job.company_id = due.company_id AND job.id = due.id
RETURNING company_id, id, kind, key, payload, attempt, crashes, run_at, priority, last_chance
-- name: job_claim @postgres
WITH due AS MATERIALIZED (
	SELECT j.company_id, j.id FROM job j WHERE j.queue = $1 AND j.state = 'waiting' AND j.last_chance = 0 AND j.priority = $2 AND j.run_at <= $3
	AND j.crashes <= $8
	AND j.kind IN (SELECT json_array_elements_text(CAST($4 AS json)) COLLATE "C")
	AND (j.key IS NULL OR NOT EXISTS (SELECT 1 FROM job r WHERE r.company_id = j.company_id AND r.key = j.key AND r.kind = j.kind
		AND r.key IS NOT NULL AND r.state IN ('running', 'poison')))
	ORDER BY j.run_at, j.id LIMIT $5 FOR UPDATE OF j SKIP LOCKED)
UPDATE job SET state = 'running', attempt = attempt + 1, lease_owner = $6, lease_until = $7, started_at = $3,
	progress_done = 0, progress_total = 0, progress_note = NULL, cancel_asked = 0
FROM due WHERE job.company_id = due.company_id AND job.id = due.id
RETURNING job.company_id, job.id, kind, key, payload, attempt, crashes, run_at, priority, last_chance

-- One job that another death would make poison.
-- name: job_claim_last_chance @sqlite
WITH due AS MATERIALIZED (
	SELECT j.company_id, j.id FROM job j WHERE j.queue = $1 AND j.state = 'waiting' AND j.last_chance = 1 AND j.run_at <= $2
	AND j.kind IN (SELECT value FROM json_each($3))
	AND (j.key IS NULL OR NOT EXISTS (SELECT 1 FROM job r WHERE r.company_id = j.company_id AND r.key = j.key AND r.kind = j.kind
		AND r.key IS NOT NULL AND r.state IN ('running', 'poison')))
	ORDER BY j.run_at, j.id LIMIT 1)
UPDATE job SET state = 'running', attempt = attempt + 1, lease_owner = $4, lease_until = $5, started_at = $2,
	progress_done = 0, progress_total = 0, progress_note = NULL, cancel_asked = 0
FROM due WHERE job.company_id = due.company_id AND job.id = due.id
RETURNING company_id, id, kind, key, payload, attempt, crashes, run_at, priority, last_chance
-- name: job_claim_last_chance @postgres
WITH due AS MATERIALIZED (
	SELECT j.company_id, j.id FROM job j WHERE j.queue = $1 AND j.state = 'waiting' AND j.last_chance = 1 AND j.run_at <= $2
	AND j.kind IN (SELECT json_array_elements_text(CAST($3 AS json)) COLLATE "C")
	AND (j.key IS NULL OR NOT EXISTS (SELECT 1 FROM job r WHERE r.company_id = j.company_id AND r.key = j.key AND r.kind = j.kind
		AND r.key IS NOT NULL AND r.state IN ('running', 'poison')))
	ORDER BY j.run_at, j.id LIMIT 1 FOR UPDATE OF j SKIP LOCKED)
UPDATE job SET state = 'running', attempt = attempt + 1, lease_owner = $4, lease_until = $5, started_at = $2,
	progress_done = 0, progress_total = 0, progress_note = NULL, cancel_asked = 0
FROM due WHERE job.company_id = due.company_id AND job.id = due.id
RETURNING job.company_id, job.id, kind, key, payload, attempt, crashes, run_at, priority, last_chance

-- ---- while it runs ---------------------------------------------------------------------------------------------------------

-- name: job_renew
UPDATE job SET lease_until = $4 WHERE company_id = $1 AND id = $2 AND lease_owner = $3 AND state = 'running'

-- name: job_progress_put
UPDATE job SET progress_done = $4, progress_total = $5, progress_note = $6
WHERE company_id = $1 AND id = $2 AND lease_owner = $3 AND state = 'running'

-- ---- the end of a run ------------------------------------------------------------------------------------------------------

-- An end is stored under its own claim: owner and started_at. The owner alone could be a later claim of the same runner, made by a commit
-- that nobody heard of.

-- Over, unless it was asked for again while it ran and no other waits behind it. $4: done, dead, cancelled.
-- name: job_end
UPDATE job SET
	state = CASE WHEN run_again IS NULL OR EXISTS (SELECT 1 FROM job w WHERE w.company_id = job.company_id AND w.kind = job.kind
		AND w.key = job.key AND w.key IS NOT NULL AND w.state = 'waiting') THEN $4 ELSE 'waiting' END,
	run_at = CASE WHEN run_again IS NULL THEN run_at ELSE run_again END,
	attempt = CASE WHEN run_again IS NULL THEN attempt ELSE 0 END,
	finished_at = CASE WHEN run_again IS NULL OR EXISTS (SELECT 1 FROM job w WHERE w.company_id = job.company_id AND w.kind = job.kind
		AND w.key = job.key AND w.key IS NOT NULL AND w.state = 'waiting') THEN CAST($5 AS BIGINT) ELSE NULL END,
	crashes = CASE WHEN $4 = 'done' THEN 0 ELSE crashes END, last_chance = CASE WHEN $4 = 'done' THEN 0 ELSE last_chance END,
	run_again = NULL, lease_owner = NULL, lease_until = NULL, error = $6, result = $7,
	progress_done = $8, progress_total = $9, progress_note = $10
WHERE company_id = $1 AND id = $2 AND lease_owner = $3 AND started_at = $11 AND state = 'running'

-- Done, of a kind that leaves no history.
-- name: job_end_forgotten
DELETE FROM job WHERE company_id = $1 AND id = $2 AND lease_owner = $3 AND started_at = $4 AND state = 'running' AND run_again IS NULL

-- A job that waits again takes the place of one of its key that waits behind it.
-- name: job_twin_remove
DELETE FROM job WHERE company_id = $1 AND state = 'waiting' AND key IS NOT NULL
AND (kind, key) IN (SELECT r.kind, r.key FROM job r WHERE r.company_id = $1 AND r.id = $2 AND r.key IS NOT NULL AND r.state <> 'waiting')

-- The same before job_wait: under its own claim, because behind a poison job the other one is all there is.
-- name: job_twin_yield
DELETE FROM job WHERE company_id = $1 AND state = 'waiting' AND key IS NOT NULL
AND (kind, key) IN (SELECT r.kind, r.key FROM job r WHERE r.company_id = $1 AND r.id = $2 AND r.key IS NOT NULL AND r.state = 'running'
	AND r.lease_owner = $3 AND r.started_at = $4)

-- $4: not before; $5: 1 when the run ended well, so that a request that came meanwhile may hasten it and its crashes are forgotten;
-- $6 attempts.
-- name: job_wait
UPDATE job SET state = 'waiting', run_at = CASE WHEN CAST($5 AS BIGINT) = 1 AND run_again < $4 THEN run_again ELSE $4 END, run_again = NULL,
	attempt = $6, crashes = CASE WHEN CAST($5 AS BIGINT) = 1 THEN 0 ELSE crashes END,
	last_chance = CASE WHEN CAST($5 AS BIGINT) = 1 THEN 0 ELSE last_chance END, lease_owner = NULL, lease_until = NULL,
	error = $7, result = $8, progress_done = $9, progress_total = $10, progress_note = $11
WHERE company_id = $1 AND id = $2 AND lease_owner = $3 AND started_at = $12 AND state = 'running'

-- The runner lives after all: it was slow or cut off, and another has taken its job over or set it aside.
-- name: job_crash_take_back
UPDATE job SET crashes = crashes - 1, last_chance = 0 WHERE company_id = $1 AND id = $2 AND crashes > 0 AND state IN ('waiting', 'running')

-- What was asked for while it was poison waits behind it, and is the later payload.
-- name: job_poison_payload
UPDATE job SET payload = (SELECT w.payload FROM job w WHERE w.company_id = job.company_id AND w.kind = job.kind AND w.key = job.key
	AND w.key IS NOT NULL AND w.state = 'waiting')
WHERE company_id = $1 AND id = $2 AND EXISTS (SELECT 1 FROM job w WHERE w.company_id = job.company_id AND w.kind = job.kind
	AND w.key = job.key AND w.key IS NOT NULL AND w.state = 'waiting')

-- name: job_poison_take_back
UPDATE job SET state = 'waiting', crashes = crashes - 1, last_chance = 1, run_at = $3, finished_at = NULL, error = NULL
WHERE company_id = $1 AND id = $2 AND state = 'poison'

-- ---- leases that ran out ---------------------------------------------------------------------------------------------------

-- $1: by the database's clock.
-- name: job_expired_list
SELECT company_id, id, kind, key, crashes, cancel_asked, lease_owner, attempt FROM job WHERE state = 'running' AND lease_until < $1
ORDER BY lease_until LIMIT 100 FOR UPDATE SKIP LOCKED

-- $4: 1 when one crash more makes it poison.
-- name: job_take_over
UPDATE job SET state = 'waiting', run_at = CASE WHEN run_at < $3 THEN run_at ELSE $3 END, run_again = NULL, crashes = crashes + 1,
	last_chance = $4, lease_owner = NULL, lease_until = NULL WHERE company_id = $1 AND id = $2

-- $3: poison or cancelled.
-- name: job_set_aside
UPDATE job SET state = $3, crashes = crashes + 1, run_again = NULL, lease_owner = NULL, lease_until = NULL, finished_at = $4, error = $5
WHERE company_id = $1 AND id = $2

-- Claimed by a transaction whose end nobody heard of: what this runner owns, to be compared with what it holds.
-- name: job_owned_list
SELECT company_id, id, started_at FROM job WHERE state = 'running' AND lease_owner = $1

-- name: job_unclaim
UPDATE job SET state = 'waiting', attempt = attempt - 1, lease_owner = NULL, lease_until = NULL
WHERE company_id = $1 AND id = $2 AND lease_owner = $3 AND state = 'running'

-- ---- schedules -------------------------------------------------------------------------------------------------------------

-- What did not change keeps its next slot, which may have come while no node ran.
-- name: job_schedule_put
INSERT INTO job_schedule (company_id, id, kind, cron, time_zone, payload, paused, next_at) VALUES ($1, $2, $3, $4, $5, $6, 0, $7)
ON CONFLICT (company_id, id) DO UPDATE SET kind = excluded.kind, cron = excluded.cron, time_zone = excluded.time_zone,
	payload = excluded.payload, next_at = CASE WHEN job_schedule.cron = excluded.cron AND job_schedule.time_zone = excluded.time_zone
		THEN job_schedule.next_at ELSE excluded.next_at END
WHERE job_schedule.kind <> excluded.kind OR job_schedule.cron <> excluded.cron OR job_schedule.time_zone <> excluded.time_zone
	OR job_schedule.payload <> excluded.payload

-- name: job_schedule_remove
DELETE FROM job_schedule WHERE company_id = $1 AND id = $2

-- name: job_schedule_find
SELECT company_id, id, kind, cron, time_zone, payload, next_at FROM job_schedule WHERE company_id = $1 AND id = $2 FOR UPDATE

-- name: job_schedule_pause
UPDATE job_schedule SET paused = $3, next_at = $4 WHERE company_id = $1 AND id = $2

-- $2: the kinds this process runs; those of others wait for who does.
-- name: job_schedule_due @sqlite
SELECT company_id, id, kind, cron, time_zone, payload, next_at FROM job_schedule WHERE paused = 0 AND next_at <= $1
AND kind IN (SELECT value FROM json_each($2)) ORDER BY next_at LIMIT 100
-- name: job_schedule_due @postgres
SELECT company_id, id, kind, cron, time_zone, payload, next_at FROM job_schedule WHERE paused = 0 AND next_at <= $1
AND kind IN (SELECT json_array_elements_text(CAST($2 AS json)) COLLATE "C") ORDER BY next_at LIMIT 100 FOR UPDATE SKIP LOCKED

-- name: job_schedule_kept
SELECT 1 FROM job_schedule WHERE company_id = $1 AND id = $2 AND (paused = 1 OR next_at > $3)

-- name: job_schedule_move
UPDATE job_schedule SET last_at = next_at, next_at = $4 WHERE company_id = $1 AND id = $2 AND next_at = $3 AND paused = 0

-- ---- by administrators -----------------------------------------------------------------------------------------------------

-- name: job_state
SELECT state FROM job WHERE company_id = $1 AND id = $2 FOR UPDATE

-- name: job_cancel_waiting
UPDATE job SET state = 'cancelled', finished_at = $3 WHERE company_id = $1 AND id = $2

-- name: job_cancel_running
UPDATE job SET cancel_asked = 1, run_again = NULL WHERE company_id = $1 AND id = $2

-- name: job_twin_find
SELECT w.id FROM job w JOIN job j ON j.company_id = w.company_id AND j.kind = w.kind AND j.key = w.key
WHERE j.company_id = $1 AND j.id = $2 AND w.id <> j.id AND w.state = 'waiting' AND w.key IS NOT NULL LIMIT 1

-- name: job_retry
UPDATE job SET state = 'waiting', run_at = $3, attempt = 0, crashes = 0, last_chance = 0, finished_at = NULL, cancel_asked = 0
WHERE company_id = $1 AND id = $2

-- name: job_figures
SELECT queue, state, COUNT(*), CAST(SUM(CASE WHEN run_at <= $1 THEN 1 ELSE 0 END) AS BIGINT), MIN(run_at) FROM job
WHERE state IN ('waiting', 'running', 'poison') GROUP BY queue, state

-- name: job_queue_paused_list
SELECT name FROM job_queue WHERE company_id = 0 AND paused = 1

-- name: job_queue_pause
INSERT INTO job_queue (company_id, name, paused) VALUES (0, $1, $2)
ON CONFLICT (company_id, name) DO UPDATE SET paused = excluded.paused

-- name: job_history_overflow
SELECT finished_at FROM job WHERE state = 'done' AND finished_at IS NOT NULL ORDER BY finished_at DESC LIMIT 1 OFFSET $1

-- $1: of those that ended well; $2: of the others. Poison is kept until somebody has looked at it.
-- name: job_history_prune
DELETE FROM job WHERE (company_id, id) IN (SELECT company_id, id FROM job WHERE finished_at IS NOT NULL AND state <> 'poison'
	AND ((state = 'done' AND finished_at < $1) OR finished_at < $2) ORDER BY finished_at LIMIT $3)
