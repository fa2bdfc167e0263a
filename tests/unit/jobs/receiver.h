/* An HTTP server of a few lines on a thread: remembers the webhook-id of every request and answers with the status it is told. */
#ifndef TESTS_JOBS_RECEIVER_H
#define TESTS_JOBS_RECEIVER_H

#include "base/str.h"
#include <pthread.h>
#include <stdatomic.h>

#define RECEIVER_IDS 200

struct receiver {
	int fd, port;
	pthread_t thread;
	_Atomic int status; /* 0: closes without a word */
	_Atomic int count;
	char ids[RECEIVER_IDS][64];
};
void receiver_start(struct receiver *r);
void receiver_stop(struct receiver *r);

#endif
