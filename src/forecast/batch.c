/*
 * Many series on several threads. Threads take the next series from an atomic counter and each has its own
 * workspace; a series' result depends on that series alone, so the results are the same bits for any number.
 */
#include "forecast/prepare.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

struct crew {
	const struct forecast_batch *batch;
	atomic_size_t next;
	pthread_mutex_t lock; /* of done and of calls to progress */
	size_t done;
};

static void
series_finish(struct crew *crew)
{
	const struct forecast_batch *batch = crew->batch;
	if (!batch->progress)
		return;
	pthread_mutex_lock(&crew->lock);
	batch->progress(batch->user, ++crew->done, batch->count);
	pthread_mutex_unlock(&crew->lock);
}

static void *
work(void *argument)
{
	struct crew *crew = argument;
	const struct forecast_batch *batch = crew->batch;
	struct forecast_workspace *ws =
		forecast_workspace_new(); /* forecast_run makes its own when this is NULL */
	for (size_t i; (i = atomic_fetch_add(&crew->next, 1)) < batch->count;) {
		const struct forecast_options *options =
			batch->per_series ? &batch->options[i] : batch->options;
		batch->results[i] = NULL;
		batch->errors[i] = (struct forecast_error){ .code = FORECAST_OK };
		(void)forecast_run(ws, &batch->series[i], options, &batch->results[i],
			&batch->errors[i]); /* the code is in errors[i] too */
		series_finish(crew);
	}
	forecast_workspace_free(ws);
	return NULL;
}

static size_t
crew_size(const struct forecast_batch *batch)
{
	long processors = batch->threads ? (long)batch->threads : sysconf(_SC_NPROCESSORS_ONLN);
	size_t threads = processors < 1 ? 1 : (size_t)processors;
	threads = threads > FORECAST_MAX_THREADS ? FORECAST_MAX_THREADS : threads;
	return threads > batch->count ? batch->count : threads;
}

enum forecast_code
forecast_many(const struct forecast_batch *batch, struct forecast_error *error)
{
	if (batch->threads > FORECAST_MAX_THREADS)
		return forecast_fail(error, FORECAST_BAD_OPTION, 0, "more than 256 threads");
	struct crew crew = { .batch = batch, .next = 0, .done = 0 };
	if (pthread_mutex_init(&crew.lock, NULL) != 0)
		return forecast_fail(error, FORECAST_NO_MEMORY, 0, "out of memory for the threads");
	pthread_t helpers[FORECAST_MAX_THREADS];
	size_t wanted = crew_size(batch), started = 0;
	while (started + 1 < wanted && pthread_create(&helpers[started], NULL, work, &crew) == 0)
		started++;
	work(&crew); /* the caller works too, and alone when no thread could be started */
	for (size_t i = 0; i < started; i++)
		pthread_join(helpers[i], NULL);
	pthread_mutex_destroy(&crew.lock);
	return FORECAST_OK;
}
