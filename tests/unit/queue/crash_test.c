/*
 * kill -9 of runner processes in the middle of their work, and a job that kills its process: every job runs at least once, a key never
 * twice at the same time, and the culprit is named after its second time while the others go on. The runners are this program itself,
 * started anew; that a key runs alone is watched by a file lock, which the system gives free when a process dies.
 */
#include "../db/fixture.h"
#include "base/log.h"
#include "base/random.h"
#include "queue/job.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define PLAIN	   300 /* jobs without a key */
#define KEYS	   12
#define RUNS_A_KEY 4 /* each run asks for the next one while it runs */
#define WAIT_MS	   60000

static void
nap_ms(int ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L }, NULL);
}

static struct instant
now(void)
{
	return clock_system.now(&clock_system);
}

/* ---- a runner process ------------------------------------------------------------------------------------------------------- */

#define SQL(literal, params) db_sql_make("test", STR(literal), (params))

/* Leaves a row of the run; a key asks for its next run. */
static struct err *
note_run(struct db_tx *tx, void *arg)
{
	struct db_sql add = SQL("INSERT INTO ran (job, key, attempt) VALUES ($1, $2, $3)", 3);
	struct db_sql count = SQL("SELECT count(*) FROM ran WHERE key = $1", 1);
	const struct job_run *r = arg;
	struct db_rows rows;
	bool found;

	TRY(DB_EXEC(tx, &add, P_INT(r->id), P_TEXT(r->key), P_INT(r->attempt)));
	if (!r->key.n)
		return NULL;
	TRY(DB_FIND(tx, &count, &rows, &found, P_TEXT(r->key)));
	const struct job_request again = { .kind = "crash.key", .key = r->key };
	return db_int(&rows, 0) < RUNS_A_KEY ? job_enqueue(tx, now(), &again, NULL) : NULL;
}

static struct err *
run_plain(struct job_run *r)
{
	nap_ms(2);
	return db_write(r->db, r->arena, note_run, r);
}

/* Two at the same time would find the file locked. */
static struct err *
run_key(struct job_run *r)
{
	const char *path = arena_fmt(r->arena, "%s/key-%.*s", (const char *)r->app, STR_ARG(r->key)).p;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	check(fd >= 0);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		check(creat(arena_fmt(r->arena, "%s/overlap", (const char *)r->app).p, 0600) >= 0);
	nap_ms(5);
	struct err *e = db_write(r->db, r->arena, note_run, r);
	close(fd);
	return e;
}

static struct err *
run_poison(struct job_run *r)
{
	(void)r;
	nap_ms(20); /* others run beside it */
	check(kill(getpid(), SIGKILL) == 0);
	pause();
	return NULL;
}

static const struct job_kind plain = { .name = "crash.plain", .run = run_plain };
static const struct job_kind keyed = { .name = "crash.key", .run = run_key };
static const struct job_kind poison = { .name = "crash.poison", .run = run_poison };
/* Kills its process three times with others around it, which share those deaths and must not be named for them. */
static const struct job_kind patient = { .name = "crash.patient", .run = run_poison, .crashes_max = 4 };
static const struct job_kind *const kinds[] = { &plain, &keyed, &poison, &patient, NULL };

/* URL DIRECTORY: runs jobs until it is killed. */
static int
be_runner(char **argv)
{
	static const struct job_queue_threads queues[] = { { "crash", 3 }, { NULL, 0 } };
	struct arena *a = arena_new(1u << 20);
	struct db_options o = { .url = str_from_cstr(argv[0]), .connections = 4 };
	struct job_runner_options options = { .clock = &clock_system,
		.kinds = kinds,
		.queues = queues,
		.app = argv[1],
		.lease_s = 1,
		.poll_ms = 20 };
	struct job_runner *runner;

	check(random_start());
	log_set_level(LOG_ERROR);
	check(!db_open(a, &o, &options.db));
	options.alone = db_kind(options.db) == DB_SQLITE;
	check(!job_runner_start(a, &options, &runner));
	for (;;)
		pause();
}

static pid_t
start_runner(struct fixture *f, const char *directory)
{
	const char *url = arena_cstr(f->arena, f->url);
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		execl("/proc/self/exe", "test_queue_crash", "runner", url, directory, (char *)NULL);
		_exit(127);
	}
	return child;
}

static void
end_runner(pid_t child)
{
	int status;

	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
}

/* ---- the tests -------------------------------------------------------------------------------------------------------------- */

static struct err *
enqueue_all(struct db_tx *tx, void *arg)
{
	(void)arg;
	for (int i = 0; i < PLAIN; i++) {
		const struct job_request q = { .kind = "crash.plain" };
		TRY(job_enqueue(tx, now(), &q, NULL));
	}
	for (int i = 0; i < KEYS; i++) {
		const struct job_request q = { .kind = "crash.key",
			.key = arena_fmt(db_tx_arena(tx), "%d", i) };
		TRY(job_enqueue(tx, now(), &q, NULL));
	}
	return NULL;
}

static struct err *
enqueue_poison(struct db_tx *tx, void *arg)
{
	const struct job_kind *culprit = arg;
	const struct job_request q = { .kind = culprit->name, .key = STR("p") };

	TRY(job_enqueue(tx, now(), &q, NULL));
	return enqueue_all(tx, NULL);
}

static void
wait_until_zero(struct fixture *f, const char *sql)
{
	for (int ms = 0; fixture_int(f, sql) != 0; ms += 10) {
		if (ms > WAIT_MS)
			fail_msg("%lld are left: %s", (long long)fixture_int(f, sql), sql);
		nap_ms(10);
	}
}

#define OPEN_JOBS "SELECT count(*) FROM job WHERE state IN ('waiting', 'running')"
#define SUSPECTS  OPEN_JOBS " AND crashes > 0"

static bool
start(struct fixture *f, char *directory)
{
	if (!fixture_available(f->kind))
		return false;
	fixture_start(f);
	fixture_run(f, "CREATE TABLE ran (job BIGINT, key TEXT, attempt BIGINT)");
	assert_non_null(mkdtemp(directory));
	return true;
}

static void
finish(struct fixture *f, const char *directory)
{
	assert_int_not_equal(access(arena_fmt(f->arena, "%s/overlap", directory).p, F_OK), 0);
	for (int i = 0; i < KEYS; i++)
		(void)unlink(arena_fmt(f->arena, "%s/key-%d", directory, i).p); /* of a test that made none */
	assert_int_equal(rmdir(directory), 0);
	fixture_end(f);
}

/*
 * Until what the dead one held has run: a job may be killed once in this test, since the second time would make it poison. Leases are a
 * second long, so after that each job was taken over and counts as a suspect until it is done.
 */
static void
let_others_take_over(struct fixture *f)
{
	nap_ms(f->kind == DB_SQLITE ? 300 : 1300);
	wait_until_zero(f, SUSPECTS);
}

/* Two processes on PostgreSQL, one on SQLite; each is killed once while it works, and started anew. */
static void
killed_runners_lose_nothing(enum db_kind kind)
{
	struct fixture f = { .kind = kind };
	char directory[] = "/tmp/sextant-crash-XXXXXX";
	pid_t runners[2];
	int count = kind == DB_POSTGRES ? 2 : 1;

	if (!start(&f, directory))
		skip();
	for (int i = 0; i < count; i++)
		runners[i] = start_runner(&f, directory);
	for (int i = 0; i < count; i++) {
		int64_t ran = fixture_int(&f, "SELECT count(*) FROM ran");
		fixture_ok(db_write(f.db, f.arena, enqueue_all, NULL));
		while (fixture_int(&f, "SELECT count(*) FROM ran") < ran + 20)
			nap_ms(2);
		end_runner(runners[i]);
		assert_true(fixture_int(&f, OPEN_JOBS) > 0); /* in the middle */
		runners[i] = start_runner(&f, directory);
		let_others_take_over(&f);
	}
	wait_until_zero(&f, OPEN_JOBS);
	for (int i = 0; i < count; i++)
		end_runner(runners[i]);
	assert_int_equal(
		fixture_int(&f, "SELECT count(DISTINCT job) FROM ran WHERE key = ''"), PLAIN * count);
	assert_int_equal(fixture_int(&f, "SELECT count(*) FROM (SELECT key FROM ran WHERE key <> '' GROUP BY "
					 "key HAVING count(*) >= 4) k"),
		KEYS);
	assert_int_equal(fixture_int(&f, "SELECT count(*) FROM job WHERE state <> 'done'"), 0);
	finish(&f, directory);
}

static void
what_kills_its_process_is_named_and_the_others_go_on(
	enum db_kind kind, const struct job_kind *culprit, int crashes_max)
{
	struct fixture f = { .kind = kind };
	char directory[] = "/tmp/sextant-crash-XXXXXX";
	int deaths = 0, status;

	if (!start(&f, directory))
		skip();
	fixture_ok(db_write(f.db, f.arena, enqueue_poison, (void *)(uintptr_t)culprit));
	pid_t runner = start_runner(&f, directory);
	for (int ms = 0; fixture_int(&f, OPEN_JOBS) != 0; ms += 5) {
		assert_true(ms < WAIT_MS);
		if (waitpid(runner, &status, WNOHANG) == runner) {
			deaths++;
			runner = start_runner(&f, directory);
		}
		nap_ms(5);
	}
	end_runner(runner);
	assert_int_equal(deaths, crashes_max);
	assert_int_equal(
		fixture_int(&f, arena_fmt(f.arena,
					"SELECT count(*) FROM job WHERE state = 'poison' AND kind = "
					"'%s' AND crashes = %d AND error = 'The process died %d times while "
					"it ran this job.'",
					culprit->name, crashes_max, crashes_max)
					.p),
		1);
	assert_int_equal(
		fixture_int(&f, "SELECT count(*) FROM job WHERE state NOT IN ('done', 'poison')"), 0);
	assert_int_equal(fixture_int(&f, "SELECT count(*) FROM job WHERE state = 'poison'"), 1);
	assert_int_equal(fixture_int(&f, "SELECT count(DISTINCT job) FROM ran WHERE key = ''"), PLAIN);
	finish(&f, directory);
}

static void
killed_runners_lose_nothing_on_sqlite(void **state)
{
	(void)state;
	killed_runners_lose_nothing(DB_SQLITE);
}

static void
killed_runners_lose_nothing_on_postgres(void **state)
{
	(void)state;
	killed_runners_lose_nothing(DB_POSTGRES);
}

static void
poison_is_named_on_sqlite(void **state)
{
	(void)state;
	what_kills_its_process_is_named_and_the_others_go_on(DB_SQLITE, &poison, 2);
}

static void
poison_is_named_on_postgres(void **state)
{
	(void)state;
	what_kills_its_process_is_named_and_the_others_go_on(DB_POSTGRES, &poison, 2);
}

static void
poison_of_a_patient_kind_is_named_on_sqlite(void **state)
{
	(void)state;
	what_kills_its_process_is_named_and_the_others_go_on(DB_SQLITE, &patient, 4);
}

static void
poison_of_a_patient_kind_is_named_on_postgres(void **state)
{
	(void)state;
	what_kills_its_process_is_named_and_the_others_go_on(DB_POSTGRES, &patient, 4);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_runners_lose_nothing_on_sqlite),
		cmocka_unit_test(killed_runners_lose_nothing_on_postgres),
		cmocka_unit_test(poison_is_named_on_sqlite),
		cmocka_unit_test(poison_is_named_on_postgres),
		cmocka_unit_test(poison_of_a_patient_kind_is_named_on_sqlite),
		cmocka_unit_test(poison_of_a_patient_kind_is_named_on_postgres),
	};

	if (argc == 4 && str_eq(str_from_cstr(argv[1]), STR("runner")))
		return be_runner(argv + 2);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
