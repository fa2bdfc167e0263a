/*
 * What happens to retrospectives by themselves, with the time in the test's hand: a completed campaign gets one, once; a reminder comes
 * once for each time it was moved to; the deadline closes what is open and nothing else. Each may run again and then does nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../db/fixture.h"
#include "base/random.h"
#include "domain/campaign/retrospective.h"
#include "domain/iam/company.h"
#include "domain/notice/notice.h"
#include "queue/job.h"

#define HOUR (3600 * INSTANT_SECOND)

static enum db_kind kind;

struct world {
	struct fixture base;
	struct arena *a;
	struct actor actor;
	struct instant now;
};

typedef struct err *step(struct res_ctx *c, int64_t id);
struct job {
	struct world *w;
	step *step;
	int64_t id;
};

static struct err *
run(struct db_tx *tx, void *arg)
{
	struct job *j = arg;
	struct res_ctx c = { .arena = db_tx_arena(tx), .tx = tx, .actor = &j->w->actor, .now = j->w->now };
	return j->step(&c, j->id);
}

static void
must(struct world *w, step *s, int64_t id)
{
	struct arena *a = arena_new(16u << 20);
	fixture_ok(db_write(w->base.db, a, run, &(struct job){ w, s, id }));
	arena_free(a);
}

static int
open_world(void **state)
{
	struct world *w = test_calloc(1, sizeof *w);

	w->base.kind = kind;
	w->a = arena_new(16u << 20);
	fixture_start(&w->base);
	w->actor = iam_system_actor(1);
	w->actor.zone = zone_utc();
	w->actor.currency = STR("GBP");
	w->now = (struct instant){ 1718442000LL * INSTANT_SECOND }; /* 2024-06-15T09:00:00Z */
	*state = w;
	return 0;
}

static int
close_world(void **state)
{
	struct world *w = *state;

	fixture_end(&w->base);
	arena_free(w->a);
	test_free(w);
	return 0;
}

static int64_t
count(struct world *w, const char *what)
{
	struct arena *a = w->a;
	return fixture_int(&w->base, arena_fmt(a, "SELECT COUNT(*) FROM %s", what).p);
}

/* ---- steps ---- */

static struct err *
complete_campaign(struct res_ctx *c, int64_t id)
{
	struct campaign old, k;

	TRY(campaign_require(c, id, &old));
	k = old;
	k.status = CAMPAIGN_COMPLETED;
	k.team_id = 7;
	res_set_null(&campaign_res, &k, "team_id", false);
	return res_update(c, &campaign_res, &old, &k);
}

static struct err *
reopen_campaign(struct res_ctx *c, int64_t id)
{
	struct campaign old, k;

	TRY(campaign_require(c, id, &old));
	k = old;
	k.status = CAMPAIGN_ACTIVE;
	return res_update(c, &campaign_res, &old, &k);
}

static struct err *
want_nothing(struct res_ctx *c, int64_t unused)
{
	struct retro_settings old, s;

	(void)unused;
	TRY(retro_settings_require(c, &old));
	s = old;
	s.auto_schedule = false;
	return res_update(c, &retro_settings_res, &old, &s);
}

/* Of campaign id, two days from now. */
static struct err *
make(struct res_ctx *c, int64_t id)
{
	struct retrospective r = { 0 };

	res_defaults(c, &retrospective_res, &r);
	r.task_id = id;
	r.scheduled_time.us = c->now.us + 48 * HOUR;
	return retrospective_create(c, &r);
}

static struct err *
read_first(struct res_ctx *c, struct retrospective *r)
{
	bool found;

	TRY(res_find(c, &retrospective_res, "task_id", P_INT(1), r, &found));
	assert_true(found);
	return NULL;
}

static struct err *
move_a_day(struct res_ctx *c, int64_t unused)
{
	struct retrospective old, r;

	(void)unused;
	TRY(read_first(c, &old));
	r = old;
	r.scheduled_time.us += 24 * HOUR;
	return retrospective_change(c, &old, &r);
}

static struct err *
cancel(struct res_ctx *c, int64_t unused)
{
	struct retrospective old, r;

	(void)unused;
	TRY(read_first(c, &old));
	r = old;
	r.status = RETRO_CANCELLED;
	return retrospective_change(c, &old, &r);
}

/* ---- rules ---- */

static void
a_completed_campaign_gets_one_retrospective(void **state)
{
	struct world *w = *state;

	must(w, complete_campaign, 1);
	assert_int_equal(
		count(w, "job WHERE kind = 'retrospective.schedule' AND key = 'campaign:1:schedule'"), 1);
	w->now.us += HOUR; /* the job was late: the time counts from the completion */
	must(w, retrospective_schedule_for, 1);
	must(w, retrospective_schedule_for, 1);
	assert_int_equal(count(w, "retrospective"), 1);
	assert_int_equal(
		fixture_int(&w->base, "SELECT scheduled_time FROM retrospective"), w->now.us + 23 * HOUR);
	assert_int_equal(fixture_int(&w->base, "SELECT team_id FROM retrospective"), 7);
	assert_int_equal(count(w, "job WHERE kind = 'retrospective.close' AND state = 'waiting'"), 1);
}

static void
one_that_was_made_or_cancelled_by_hand_is_enough(void **state)
{
	struct world *w = *state;

	must(w, make, 1);
	must(w, complete_campaign, 1);
	must(w, retrospective_schedule_for, 1);
	assert_int_equal(count(w, "retrospective"), 1);
	must(w, cancel, 1);
	must(w, retrospective_schedule_for, 1);
	assert_int_equal(count(w, "retrospective"), 1);
}

static void
none_comes_for_what_is_open_again_gone_or_not_wanted(void **state)
{
	struct world *w = *state;

	must(w, retrospective_schedule_for, 99);
	must(w, complete_campaign, 1);
	must(w, reopen_campaign, 1);
	must(w, retrospective_schedule_for, 1);
	must(w, complete_campaign, 2);
	must(w, want_nothing, 0);
	must(w, retrospective_schedule_for, 2);
	assert_int_equal(count(w, "retrospective"), 0);
	must(w, complete_campaign, 3);
	assert_int_equal(count(w, "job WHERE key = 'campaign:3:schedule'"), 0);
}

#define REMINDERS "event WHERE type = 'retrospective.reminder'"

static void
a_reminder_comes_once_for_each_time(void **state)
{
	struct world *w = *state;

	must(w, make, 1);
	int64_t id = fixture_int(&w->base, "SELECT id FROM retrospective");
	assert_int_equal(
		fixture_int(&w->base,
			"SELECT run_at FROM job WHERE kind = 'retrospective.remind' AND state = 'waiting'"),
		w->now.us + 24 * HOUR);
	must(w, retrospective_remind, id);
	must(w, retrospective_remind, id);
	assert_int_equal(count(w, REMINDERS), 1);
	must(w, move_a_day, 0);
	assert_int_equal(
		fixture_int(&w->base,
			"SELECT run_at FROM job WHERE kind = 'retrospective.remind' AND state = 'waiting'"),
		w->now.us + 48 * HOUR);
	must(w, retrospective_remind, id);
	must(w, retrospective_remind, id);
	assert_int_equal(count(w, REMINDERS), 2);
	must(w, move_a_day, 0);
	w->now.us += 97 * HOUR;
	must(w, retrospective_remind, id); /* its time has passed */
	must(w, cancel, 0);
	must(w, retrospective_remind, id);
	must(w, retrospective_remind, 999);
	assert_int_equal(count(w, REMINDERS), 2);
}

#define CLOSED "event WHERE type = 'retrospective.closed'"

static void
the_deadline_closes_what_is_open(void **state)
{
	struct world *w = *state;

	must(w, make, 1);
	int64_t id = fixture_int(&w->base, "SELECT id FROM retrospective");
	must(w, retrospective_close, id);
	assert_int_equal(count(w, CLOSED), 0); /* not yet */
	w->now.us += 16 * 24 * HOUR;
	must(w, retrospective_close, id);
	must(w, retrospective_close, id);
	must(w, retrospective_close, 999);
	assert_int_equal(count(w, CLOSED), 1);
	assert_int_equal(
		count(w, "retrospective WHERE status = 'Completed' AND completed_at IS NOT NULL"), 1);
}

static void
a_deadline_leaves_alone_what_was_cancelled(void **state)
{
	struct world *w = *state;

	must(w, make, 1);
	must(w, cancel, 0);
	assert_int_equal(count(w, "job WHERE kind = 'retrospective.close' AND state = 'waiting'"), 0);
	w->now.us += 16 * 24 * HOUR;
	must(w, retrospective_close, fixture_int(&w->base, "SELECT id FROM retrospective"));
	assert_int_equal(count(w, CLOSED), 0);
}

/* An action of the first retrospective that is due on a day; owner 0: nobody's. */
static void
add_action(struct world *w, const char *due, const char *status, int owner)
{
	fixture_run(
		&w->base, arena_fmt(w->a,
				  "INSERT INTO retro_action (company_id, id, version, created_at, "
				  "updated_at, retrospective_id, first_retrospective_id, title, owner_id, "
				  "due_date, status, carried) "
				  "SELECT 1, COALESCE((SELECT MAX(id) FROM retro_action), 0) + 1, 1, 0, 0, "
				  "id, id, 'x', %s, %s, '%s', 0 FROM retrospective",
				  owner ? arena_fmt(w->a, "%d", owner).p : "NULL",
				  due ? arena_fmt(w->a, "'%s'", due).p : "NULL", status)
				  .p);
}

static struct err *
remind_all(struct res_ctx *c, int64_t expected)
{
	size_t count, all = 0;

	do {
		TRY(retro_actions_remind(c, 2, &count));
		all += count;
	} while (count == 2);
	assert_int_equal(all, expected);
	return NULL;
}

/* As a node with a mail server does. */
static struct err *
mail_people(struct res_ctx *c, int64_t unused)
{
	const struct job_schedule s = {
		.name = STR(NOTICE_JOB_UPKEEP), .kind = NOTICE_JOB_UPKEEP, .cron = STR("@hourly")
	};

	(void)unused;
	return job_schedule_put(c->tx, c->now, zone_utc(), &s);
}

#define DUE "event WHERE type = 'retro_action.due'"

static void
owners_are_reminded_once_of_each_due_date(void **state)
{
	struct world *w = *state;

	must(w, make, 1);
	for (int i = 0; i < 3; i++)
		add_action(w, "2024-06-15", i ? "Open" : "In Progress", 5);
	add_action(w, "2024-06-01", "Open", 5); /* the server was away that day */
	add_action(w, "2024-06-16", "Open", 5);
	add_action(w, "2024-06-15", "Done", 5);
	add_action(w, "2024-06-15", "Dismissed", 5);
	add_action(w, "2024-06-15", "Open", 0);
	add_action(w, NULL, "Open", 5);
	must(w, mail_people, 0);
	must(w, remind_all, 4);
	must(w, remind_all, 0);
	assert_int_equal(count(w, DUE), 4);
	assert_int_equal(count(w, "job WHERE kind = 'notice.tell' AND payload LIKE '%retro_action.due%'"), 4);
	fixture_run(&w->base,
		"UPDATE retro_action SET due_date = '2024-06-14' WHERE id = 1"); /* put off, or on */
	must(w, remind_all, 1);
	w->now.us += 24 * HOUR;
	must(w, remind_all, 1);
	assert_int_equal(count(w, DUE), 6);
}

#define RULE(f) cmocka_unit_test_setup_teardown(f, open_world, close_world)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RULE(a_completed_campaign_gets_one_retrospective),
		RULE(one_that_was_made_or_cancelled_by_hand_is_enough),
		RULE(none_comes_for_what_is_open_again_gone_or_not_wanted),
		RULE(a_reminder_comes_once_for_each_time),
		RULE(the_deadline_closes_what_is_open),
		RULE(a_deadline_leaves_alone_what_was_cancelled),
		RULE(owners_are_reminded_once_of_each_due_date),
	};
	int failures = 0;

	if (!random_start())
		return 1;
	for (kind = DB_SQLITE; kind <= DB_POSTGRES; kind++)
		if (fixture_available(kind))
			failures += cmocka_run_group_tests_name(
				kind == DB_SQLITE ? "schedule (SQLite)" : "schedule (PostgreSQL)", tests,
				NULL, NULL);
	return failures;
}
