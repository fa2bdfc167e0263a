/*
 * The server's own jobs on a clock that the test moves: what a passing day changes is told without anybody asking, and what is kept for a
 * time only goes, but no event before an active webhook was told.
 */
#include "../db/fixture.h"
#include "domain/iam/company.h"
#include "domain/kpi/assignment.h"
#include "domain/kpi/memory.h"
#include "domain/kpi/value.h"
#include "domain/notice/notice.h"
#include "jobs/jobs.h"
#include "net/mail_client.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

struct moved_clock {
	struct clock clock; /* first */
	_Atomic int64_t us;
};
static struct moved_clock moved;
static struct fixture f;
static const struct mail_server nowhere;
static struct job_services services;
static struct job_runner *runner;
static int64_t company_id;

static struct instant
moved_now(const struct clock *c)
{
	return (struct instant){ atomic_load(&((const struct moved_clock *)(const void *)c)->us) };
}

static struct instant
at(const char *text)
{
	struct instant t;

	assert_true(instant_parse(str_from_cstr(text), zone_utc(), &t));
	return t;
}

static void
set_clock(const char *text)
{
	atomic_store(&moved.us, at(text).us);
}

static void
nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
}

#define UNTIL(condition)                                              \
	do {                                                          \
		for (int until_i = 0; !(condition); until_i++) {      \
			if (until_i > 60000)                          \
				fail_msg("not in time: " #condition); \
			nap();                                        \
		}                                                     \
	} while (0)

/* ---- a company -------------------------------------------------------------------------------------------------------------- */

static struct err *
parse(struct res_ctx *c, const struct res_def *def, const char *text, void *record)
{
	json_val *body;

	TRY(json_parse(c->arena, str_from_cstr(text), &body));
	return res_parse(c, def, NULL, body, RES_MODE_CREATE, false, record);
}

static struct err *
found_company(struct db_tx *tx, void *arg)
{
	struct actor actor = iam_system_actor(0);
	struct res_ctx c = {
		.arena = db_tx_arena(tx), .tx = tx, .actor = &actor, .now = moved_now(&moved.clock)
	};
	struct company company = { 0 };

	(void)arg;
	TRY(parse(&c, &company_res, "{\"name\":\"North\",\"time_zone\":\"Asia/Kolkata\"}", &company));
	TRY(company_create(&c, &company));
	company_id = company.id;
	return NULL;
}

static struct err *
found_kpi(struct db_tx *tx, void *arg)
{
	struct company_acting c;
	struct kpi k = { 0 };
	struct assignment x = { 0 };
	struct kpi_value v = { .dimensions = STR(""), .value = { 5, 0 } };

	(void)arg;
	TRY(company_act(tx, moved_now(&moved.clock), company_id, &c));
	v.at = v.recorded_at = c.res.now;
	TRY(parse(&c.res, &kpi_res,
		"{\"name\":\"Silent\",\"type\":\"COUNT\",\"time_config\":{\"no_data_after_days\":2}}", &k));
	TRY(kpi_create(&c.res, &k));
	TRY(kpi_values_put(&c.res, &k, &v, 1));
	TRY(parse(&c.res, &assignment_res,
		"{\"type\":\"DEPARTMENT\",\"target_id\":\"sales\",\"role\":"
		"\"VIEWER\","
		"\"effective_date\":\"2024-06-01\",\"end_date\":\"2024-06-11\"}",
		&x));
	return assignment_create(&c.res, &k, &x);
}

static bool
start(enum db_kind kind)
{
	struct jobs_options o = { .clock = &moved.clock, .services = &services };

	f = (struct fixture){ .kind = kind, .memory = &kpi_memory_kind };
	if (!fixture_available(kind))
		return false;
	moved.clock.now = moved_now;
	set_clock("2024-06-10T06:30:00Z"); /* noon in Kolkata */
	services = (struct job_services){ .event_days = 30, .mail = &nowhere };
	fixture_start(&f);
	fixture_ok(db_write(f.db, f.arena, found_company, NULL));
	o.db = f.db;
	fixture_ok(jobs_start(f.arena, &o, &runner));
	return true;
}

static void
end(void)
{
	assert_true(job_runner_stop(runner, 120000));
	fixture_end(&f);
}

/* ---- days that pass --------------------------------------------------------------------------------------------------------- */

#define SCHEDULES  "SELECT count(*) FROM job_schedule WHERE kind = 'kpi.judge' AND time_zone = 'Asia/Kolkata'"
#define JUDGED	   "SELECT count(*) FROM job WHERE kind = 'kpi.judge' AND state = 'done'"
#define EVENTS(t)  "SELECT count(*) FROM event WHERE type = '" t "'"
#define UNFINISHED "SELECT count(*) FROM job WHERE state NOT IN ('waiting', 'running', 'done')"

static void
passing_days_are_told(enum db_kind kind)
{
	if (!start(kind))
		skip();
	UNTIL(fixture_int(&f, SCHEDULES) == 1);
	fixture_ok(db_write(f.db, f.arena, found_kpi, NULL));
	set_clock("2024-06-10T18:35:00Z"); /* 0:05 of the 11th there */
	UNTIL(fixture_int(&f, JUDGED) == 1);
	assert_int_equal(fixture_int(&f, EVENTS("threshold.no_data")), 0);
	assert_int_equal(fixture_int(&f, "SELECT count(*) FROM kpi_assignment WHERE status = 'ACTIVE'"), 1);
	set_clock("2024-06-11T18:35:00Z"); /* the 12th: the assignment's last day is over */
	UNTIL(fixture_int(&f, "SELECT count(*) FROM kpi_assignment WHERE status = 'COMPLETED'") == 1);
	UNTIL(fixture_int(&f, JUDGED) == 2);
	assert_int_equal(fixture_int(&f, EVENTS("assignment.updated")), 1);
	set_clock("2024-06-12T18:35:00Z"); /* the 13th: three days without a value */
	UNTIL(fixture_int(&f, JUDGED) == 3);
	assert_int_equal(fixture_int(&f, EVENTS("threshold.no_data")), 1);
	assert_int_equal(fixture_int(&f, "SELECT count(*) FROM kpi_state WHERE state = 'no_data'"), 1);
	set_clock("2024-06-14T18:35:00Z");
	UNTIL(fixture_int(&f, JUDGED) == 4);
	assert_int_equal(fixture_int(&f, EVENTS("threshold.no_data")), 1);
	assert_int_equal(fixture_int(&f, UNFINISHED), 0);
	end();
}

#define SUMMARIES(p)                                                                                         \
	"SELECT count(*) FROM job WHERE kind = 'notice.digest' AND state = 'done' AND payload LIKE '%" p "%" \
	"'"

static void
summaries_go_out_in_the_company_s_morning(enum db_kind kind)
{
	if (!start(kind)) /* a Monday's noon */
		skip();
	UNTIL(fixture_int(&f, SCHEDULES) == 1);
	set_clock("2024-06-11T01:29:00Z");
	UNTIL(fixture_int(&f, JUDGED) == 1);
	assert_int_equal(fixture_int(&f, SUMMARIES("")), 0);
	set_clock("2024-06-11T01:30:00Z"); /* seven o'clock there */
	UNTIL(fixture_int(&f, SUMMARIES("DAILY")) == 1);
	set_clock("2024-06-17T01:29:00Z"); /* nobody was there for days: one makes up for them */
	UNTIL(fixture_int(&f, SUMMARIES("DAILY")) == 2);
	assert_int_equal(fixture_int(&f, SUMMARIES("WEEKLY")), 0);
	set_clock("2024-06-17T01:33:00Z");
	UNTIL(fixture_int(&f, SUMMARIES("DAILY")) == 3);
	UNTIL(fixture_int(&f, SUMMARIES("WEEKLY")) == 1);
	assert_int_equal(fixture_int(&f, UNFINISHED), 0);
	end();
}

/* A job whose end cannot be stored, as when its process dies right behind its work. */
static void
keep_from_ending(bool keeps)
{
	if (f.kind == DB_SQLITE)
		fixture_run(&f, keeps ? "CREATE TRIGGER kept BEFORE DELETE ON job WHEN OLD.kind = "
					"'notice.tell' BEGIN SELECT RAISE(IGNORE); END"
				      : "DROP TRIGGER kept");
	else
		fixture_run(&f, keeps ? "CREATE RULE kept AS ON DELETE TO job WHERE OLD.kind = 'notice.tell' "
					"DO INSTEAD NOTHING"
				      : "DROP RULE kept ON job");
}

static struct err *
put_notice(struct db_tx *tx, void *arg)
{
	const struct notice n = { "webhook.paused", STR("wh-001"), STR("{\"owner_id\":7}") };
	struct company_acting c;

	(void)arg;
	TRY(company_act(tx, moved_now(&moved.clock), company_id, &c));
	return notice_put(&c.res, &n);
}

#define NOTICES	   "SELECT count(*) FROM notice"
#define TELL	   "SELECT count(*) FROM job WHERE kind = 'notice.tell'"
#define TELL_TRIED TELL " AND attempt > 0 AND state <> 'running'"

static void
what_is_told_twice_is_mailed_once(enum db_kind kind)
{
	if (!start(kind))
		skip();
	UNTIL(fixture_int(&f, SCHEDULES) == 1);
	fixture_run(&f,
		arena_fmt(f.arena,
			"INSERT INTO person (company_id, id, version, created_at, updated_at, username, "
			"email, "
			"first_name, last_name, phone, role_id, role, department, password_hash, active, "
			"suspended, platform_admin, date_joined) SELECT company_id, 7, 1, 0, 0, 'ann', "
			"'ann@north.internal', '', '', '', MIN(id), 'EMPLOYEE', '', '', 1, 0, 0, 0 FROM role "
			"WHERE company_id = %lld GROUP BY company_id",
			(long long)company_id)
			.p);
	keep_from_ending(true);
	fixture_ok(db_write(f.db, f.arena, put_notice, NULL));
	UNTIL(fixture_int(&f, TELL_TRIED) == 1);
	assert_int_equal(fixture_int(&f, NOTICES), 0);
	keep_from_ending(false);
	set_clock("2024-06-10T07:30:00Z");
	UNTIL(fixture_int(&f, TELL) == 0);
	assert_int_equal(fixture_int(&f, NOTICES), 1);
	end();
}

static void
a_mail_is_tried_for_three_days(void **state)
{
	(void)state;
	for (const struct job_kind *const *k = job_kinds; *k; k++)
		if (strcmp((*k)->name, NOTICE_JOB_MAIL) == 0) {
			/* A wait is any part of the longest one, half of it on average. */
			assert_in_range((*k)->attempts_max * (*k)->longest_retry_s / 2, 3 * 86400, 4 * 86400);
			return;
		}
	fail_msg("there is no such kind");
}

/* ---- housekeeping ----------------------------------------------------------------------------------------------------------- */

static void
add_webhook(const char *id, const char *status, const char *told_seq)
{
	fixture_run(&f, arena_fmt(f.arena,
				"INSERT INTO webhook (company_id, id, version, created_at, updated_at, url, "
				"events, secret, status) "
				"VALUES (%lld, '%s', 1, 0, 0, 'https://example.com', '[]', 'x', '%s')",
				(long long)company_id, id, status)
				.p);
	if (told_seq)
		fixture_run(&f, arena_fmt(f.arena,
					"INSERT INTO webhook_state (company_id, webhook_id, txid, seq) "
					"SELECT company_id, '%s', txid, seq FROM event WHERE company_id = "
					"%lld AND seq = %s",
					id, (long long)company_id, told_seq)
					.p);
}

#define PRUNED	   "SELECT count(*) FROM job WHERE kind = 'upkeep.events' AND state = 'done'"
#define OLD	   " AND at < 1718150400000000" /* what later jobs tell is younger */
#define OF_COMPANY "SELECT count(*) FROM event WHERE company_id <> 0" OLD

static void
old_events_go_when_webhooks_were_told(enum db_kind kind)
{
	if (!start(kind))
		skip();
	UNTIL(fixture_int(&f, SCHEDULES) == 1);
	fixture_ok(db_write(f.db, f.arena, found_kpi, NULL));
	int64_t all = fixture_int(&f, OF_COMPANY), second;
	assert_true(all >= 3);
	second = fixture_int(&f, "SELECT MIN(seq) + 1 FROM event WHERE company_id <> 0");
	add_webhook("wh-001", "active", arena_fmt(f.arena, "%lld", (long long)second).p);
	add_webhook("wh-002", "paused", NULL);
	set_clock("2024-07-10T02:37:00Z"); /* thirty days later: that day is not over thirty days ago */
	UNTIL(fixture_int(&f, PRUNED) == 1);
	assert_int_equal(fixture_int(&f, OF_COMPANY), all);
	set_clock("2024-07-11T02:37:00Z");
	UNTIL(fixture_int(&f, PRUNED) == 2);
	assert_int_equal(fixture_int(&f, OF_COMPANY), all - 2);
	fixture_run(&f, "UPDATE webhook SET status = 'paused'");
	set_clock("2024-07-12T02:37:00Z");
	UNTIL(fixture_int(&f, PRUNED) == 3);
	assert_int_equal(fixture_int(&f, "SELECT count(*) FROM event WHERE at < 1718150400000000"), 0);
	assert_int_equal(fixture_int(&f, UNFINISHED), 0);
	end();
}

static void
what_is_over_is_cleared_away(enum db_kind kind)
{
	if (!start(kind))
		skip();
	UNTIL(fixture_int(&f, SCHEDULES) == 1);
	fixture_run(&f, arena_fmt(f.arena,
				"INSERT INTO idempotency (company_id, user_id, key, method_path, body_hash, "
				"status, created_at) "
				"VALUES (1, 1, 'k', 'POST /', %s, 201, 1718000000000000)",
				kind == DB_SQLITE ? "x''" : "''")
				.p);
	add_webhook("w", "paused", NULL);
	fixture_run(&f,
		"INSERT INTO webhook_delivery (company_id, id, message_id, webhook_id, number, "
		"event_type, access, reason, state, "
		"payload, attempts, version, created_at, updated_at) VALUES "
		"(1, 'a', 'a', 'w', 1, 't', 0, 'event', 'delivered', '{}', 1, 1, 1718000000000000, 0), "
		"(1, 'b', 'b', 'w', 2, 't', 0, 'event', 'pending', '{}', 1, 1, 1718000000000000, 0), "
		"(1, 'c', 'c', 'gone', 3, 't', 0, 'replay', 'pending', '{}', 1, 1, 1718000000000000, 0)");
	fixture_run(&f,
		"INSERT INTO webhook_attempt (company_id, delivery_id, attempt, at, duration_us, url, "
		"request_headers) VALUES (1, 'c', 1, 0, 0, 'http://x.example/', '{}')");
	fixture_run(&f,
		"INSERT INTO job (company_id, id, kind, queue, payload, state, priority, run_at, "
		"attempt, crashes, last_chance, cancel_asked, "
		"progress_done, progress_total, created_at, finished_at) VALUES "
		"(0, 1000001, 'a.a', 'a', '{}', 'done', 0, 0, 1, 0, 0, 0, 0, 0, 0, 1718000000000000), "
		"(0, 1000002, 'a.a', 'a', '{}', 'dead', 0, 0, 1, 0, 0, 0, 0, 0, 0, 1718000000000000), "
		"(0, 1000003, 'a.a', 'a', '{}', 'poison', 0, 0, 1, 2, 1, 0, 0, 0, 0, 1000000)");
	set_clock("2024-07-20T00:00:00Z");
	UNTIL(fixture_int(&f, "SELECT count(*) FROM idempotency") == 0);
	UNTIL(fixture_int(&f, "SELECT count(*) FROM webhook_delivery") == 1);
	UNTIL(fixture_int(&f, "SELECT count(*) FROM job WHERE id = 1000001") == 0);
	assert_int_equal(fixture_int(&f, "SELECT count(*) FROM job WHERE id IN (1000002, 1000003)"), 2);
	assert_int_equal(fixture_int(&f, "SELECT count(*) FROM webhook_delivery WHERE id = 'b'"), 1);
	assert_int_equal(fixture_int(&f, "SELECT count(*) FROM webhook_attempt"), 0);
	end();
}

ON_EACH(passing_days_are_told)
ON_EACH(summaries_go_out_in_the_company_s_morning)
ON_EACH(what_is_told_twice_is_mailed_once)
ON_EACH(old_events_go_when_webhooks_were_told)
ON_EACH(what_is_over_is_cleared_away)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TESTS_OF(passing_days_are_told),
		TESTS_OF(summaries_go_out_in_the_company_s_morning),
		TESTS_OF(what_is_told_twice_is_mailed_once),
		cmocka_unit_test(a_mail_is_tried_for_three_days),
		TESTS_OF(old_events_go_when_webhooks_were_told),
		TESTS_OF(what_is_over_is_cleared_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
