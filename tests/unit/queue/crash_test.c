/*
 * kill -9 of runner processes in the middle of their work, and a job that kills its process: every job runs at least once, a key never
 * twice at the same time, and the culprit is named after its second time while the others go on. The runners are this program itself,
 * started anew; that a key runs alone is watched by a file lock, which the system gives free when a process dies.
 */
#include "../db/fixture.h"
#include "base/log.h"
#include "base/random.h"
#include "queue/runner.h"
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
#define WAIT_MS	   120000
/* Longer than a busy machine stops for: a lease that runs out under a living runner lets its key run twice. */
#define LONG_LEASE_S 60
/* Where there is one runner at a time, of whose lease the test makes an end as a rule. */
#define SHORT_LEASE_S 5

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

/* Whose leases they are, for when it has been killed. */
static struct err *
note_name(struct db_tx *tx, void *arg)
{
	struct db_sql add = SQL("INSERT INTO runner (pid, name, killed) VALUES ($1, $2, 0)", 2);
	const struct job_runner *r = arg;

	return DB_EXEC(tx, &add, P_INT(getpid()), P_TEXT(r->name));
}

/* URL DIRECTORY LEASE: runs jobs until it is killed. */
static int
be_runner(char **argv)
{
	static const struct job_queue_threads queues[] = { { "crash", 3 }, { NULL, 0 } };
	struct arena *a = arena_new(1u << 20);
	struct db_options o = { .url = str_from_cstr(argv[0]), .connections = 4 };
	struct job_runner_options options = {
		.clock = &clock_system, .kinds = kinds, .queues = queues, .app = argv[1], .poll_ms = 20
	};
	struct job_runner *runner;
	int64_t lease_s;

	check(random_start());
	check(str_to_int(str_from_cstr(argv[2]), &lease_s));
	options.lease_s = (int)lease_s;
	log_set_level(LOG_ERROR);
	check(!db_open(a, &o, &options.db));
	options.alone = db_kind(options.db) == DB_SQLITE;
	check(!job_runner_start(a, &options, &runner));
	check(!db_write(options.db, a, note_name, runner));
	for (;;)
		pause();
}

static pid_t
start_runner(struct fixture *f, const char *directory, int lease_s)
{
	const char *url = arena_cstr(f->arena, f->url), *lease = arena_fmt(f->arena, "%d", lease_s).p;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		execl("/proc/self/exe", "test_queue_crash", "runner", url, directory, lease, (char *)NULL);
		_exit(127);
	}
	return child;
}

static void
nap_until(struct fixture *f, const char *sql, int64_t wanted)
{
	for (int ms = 0; fixture_int(f, sql) < wanted; ms += 2) {
		assert_true(ms < WAIT_MS);
		nap_ms(2);
	}
}

/* One whose name is known. */
static pid_t
start_known_runner(struct fixture *f, const char *directory)
{
	pid_t child = start_runner(f, directory, LONG_LEASE_S);

	nap_until(f, arena_fmt(f->arena, "SELECT count(*) FROM runner WHERE pid = %d", (int)child).p, 1);
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

#define OPEN_JOBS "SELECT count(*) FROM job WHERE state IN ('waiting', 'running')"
#define OF_KILLED "state = 'running' AND lease_owner IN (SELECT name FROM runner WHERE killed = 1)"
#define SUSPECTS \
	"SELECT count(*) FROM job WHERE (state IN ('waiting', 'running') AND crashes > 0) OR (" OF_KILLED ")"

/* The leases of killed runners run out; again and again, because the server may not have done yet what they asked last. */
static void
wait_until_zero(struct fixture *f, const char *sql)
{
	for (int ms = 0; fixture_int(f, sql) != 0; ms += 10) {
		if (ms > WAIT_MS)
			fail_msg("%lld are left: %s", (long long)fixture_int(f, sql), sql);
		if (f->kind == DB_POSTGRES)
			fixture_run(f, "UPDATE job SET lease_until = 1 WHERE " OF_KILLED);
		nap_ms(10);
	}
}

static bool
start(struct fixture *f, char *directory)
{
	if (!fixture_available(f->kind))
		return false;
	fixture_start(f);
	fixture_run(f, "CREATE TABLE ran (job BIGINT, key TEXT, attempt BIGINT)");
	fixture_run(f, "CREATE TABLE runner (pid BIGINT, name TEXT, killed BIGINT)");
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

/* Kills it while it works; false when all was done before the test came to it. */
static bool
kill_in_the_middle(struct fixture *f, pid_t runner)
{
	int64_t ran = fixture_int(f, "SELECT count(*) FROM ran");

	fixture_ok(db_write(f->db, f->arena, enqueue_all, NULL));
	nap_until(f, "SELECT count(*) FROM ran", ran + 20);
	end_runner(runner);
	fixture_run(f, arena_fmt(f->arena, "UPDATE runner SET killed = 1 WHERE pid = %d", (int)runner).p);
	return fixture_int(f, OPEN_JOBS) > 0;
}

/* Two processes on PostgreSQL, one on SQLite; each is killed once while it works, and started anew. */
static void
killed_runners_lose_nothing(enum db_kind kind)
{
	struct fixture f = { .kind = kind };
	char directory[] = "/tmp/sextant-crash-XXXXXX";
	pid_t runners[2];
	int count = kind == DB_POSTGRES ? 2 : 1, rounds = 0;

	if (!start(&f, directory))
		skip();
	for (int i = 0; i < count; i++)
		runners[i] = start_known_runner(&f, directory);
	for (int i = 0; i < count;) {
		bool in_the_middle = kill_in_the_middle(&f, runners[i]);
		assert_true(++rounds < 20);
		runners[i] = start_known_runner(&f, directory);
		/* A job may be killed once in this test: the second time would make it poison. Until it is done it is a suspect. */
		wait_until_zero(&f, SUSPECTS);
		i += in_the_middle;
	}
	wait_until_zero(&f, OPEN_JOBS);
	for (int i = 0; i < count; i++)
		end_runner(runners[i]);
	assert_int_equal(
		fixture_int(&f, "SELECT count(DISTINCT job) FROM ran WHERE key = ''"), PLAIN * rounds);
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
	pid_t runner = start_runner(&f, directory, SHORT_LEASE_S);
	for (int ms = 0; fixture_int(&f, OPEN_JOBS) != 0; ms += 5) {
		assert_true(ms < WAIT_MS);
		if (waitpid(runner, &status, WNOHANG) == runner) {
			deaths++;
			fixture_run(&f, "UPDATE job SET lease_until = 1 WHERE state = 'running'");
			runner = start_runner(&f, directory, SHORT_LEASE_S);
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

	if (argc == 5 && str_eq(str_from_cstr(argv[1]), STR("runner")))
		return be_runner(argv + 2);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
