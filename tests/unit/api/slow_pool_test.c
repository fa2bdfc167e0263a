/*
 * The pool for slow work: every task it takes runs once, it takes no more than its queue holds, stopping finishes what waits, and who asks
 * to be let in waits for no other work.
 */
#include "api/slow_pool.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

struct counted {
	struct slow_task task;
	_Atomic int *runs;
	pthread_mutex_t *gate; /* held by the test while the task must wait */
};

static void
run(struct slow_task *task)
{
	struct counted *c = (struct counted *)(void *)task;
	if (c->gate) {
		pthread_mutex_lock(c->gate);
		pthread_mutex_unlock(c->gate);
	}
	atomic_fetch_add(c->runs, 1);
}

static struct slow_pool *
pool(struct arena *a, int threads, size_t queue_max)
{
	struct slow_pool *p = NULL;
	assert_null(slow_pool_start(a, threads, queue_max, &p));
	return p;
}

static void
every_task_runs_once(void **state)
{
	enum { TASKS = 2000 };
	struct arena *a = arena_new(1u << 20);
	struct slow_pool *p = pool(a, 3, TASKS);
	struct counted *tasks = arena_alloc_array(a, TASKS, sizeof(*tasks));
	_Atomic int runs = 0;
	(void)state;
	for (int i = 0; i < TASKS; i++) {
		tasks[i] = (struct counted){ .task.run = run, .runs = &runs };
		assert_true(slow_pool_submit(p, SLOW_WORK, &tasks[i].task));
	}
	slow_pool_stop(p);
	assert_int_equal(runs, TASKS);
	arena_free(a);
}

static void
a_full_queue_refuses(void **state)
{
	struct arena *a = arena_new(1u << 20);
	struct slow_pool *p = pool(a, 1, 2);
	pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
	struct counted tasks[8];
	_Atomic int runs = 0;
	int taken = 0;
	(void)state;
	pthread_mutex_lock(&gate);
	for (int i = 0; i < 8; i++) {
		tasks[i] = (struct counted){ .task.run = run, .runs = &runs, .gate = &gate };
		taken += slow_pool_submit(p, SLOW_WORK, &tasks[i].task);
	}
	assert_in_range(taken, 2, 3); /* two wait, and one may be on the thread already */
	pthread_mutex_unlock(&gate);
	slow_pool_stop(p);
	assert_int_equal(runs, taken);
	arena_free(a);
}

static void
a_login_waits_for_no_other_work(void **state)
{
	struct arena *a = arena_new(1u << 20);
	struct slow_pool *p = pool(a, 2, 8);
	pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
	struct counted work[6], login;
	_Atomic int worked = 0, logged_in = 0;
	(void)state;
	pthread_mutex_lock(&gate);
	for (size_t i = 0; i < COUNT(work); i++) {
		work[i] = (struct counted){ .task.run = run, .runs = &worked, .gate = &gate };
		assert_true(slow_pool_submit(p, SLOW_WORK, &work[i].task));
	}
	login = (struct counted){ .task.run = run, .runs = &logged_in };
	assert_true(slow_pool_submit(p, SLOW_LOGIN, &login.task));
	for (int ms = 0; ms < 30000 && !logged_in; ms++)
		(void)nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	assert_int_equal(logged_in, 1);
	assert_int_equal(worked, 0);
	pthread_mutex_unlock(&gate);
	slow_pool_stop(p);
	assert_int_equal(worked, COUNT(work));
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_task_runs_once),
		cmocka_unit_test(a_full_queue_refuses),
		cmocka_unit_test(a_login_waits_for_no_other_work),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
