/*
 * The log: a line is built in a buffer of its own and written with one write under a lock, so that lines of many threads never mix.
 * Failing to log must not stop the server; a full disk or a closed stream loses lines, nothing else.
 */
#include "base/log.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/time.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

static atomic_int least_level = LOG_INFO;
static pthread_mutex_t write_lock = PTHREAD_MUTEX_INITIALIZER;

static const char *const level_names[] = {
	[LOG_DEBUG] = "debug",
	[LOG_INFO] = "info",
	[LOG_WARN] = "warn",
	[LOG_ERROR] = "error",
};

void
log_set_level(enum log_level l)
{
	least_level = (int)l;
}

/* A JSON string; bytes that are not UTF-8 become U+FFFD, for the log must stay readable whatever a client sent. */
static void
add_text(struct buf *b, struct str s)
{
	struct buf clean;

	if (str_is_utf8(s)) {
		buf_add_json_string(b, s);
		return;
	}
	buf_init(&clean, LIMIT_LOG_LINE_BYTES);
	while (s.n) {
		size_t valid = str_utf8_prefix(s);

		buf_add(&clean, s.p, valid);
		if (valid < s.n) {
			buf_add_lit(&clean, "\xEF\xBF\xBD");
			valid++;
		}
		s = str_sub(s, valid, s.n);
	}
	buf_add_json_string(b, buf_str(&clean));
	buf_done(&clean);
}

static void
add_field(struct buf *b, const struct log_field *f)
{
	buf_add_byte(b, ',');
	add_text(b, str_from_cstr(f->name));
	buf_add_byte(b, ':');
	switch (f->type) {
	case LOG_STR:
		add_text(b, f->s);
		break;
	case LOG_INT:
		buf_add_int(b, f->i);
		break;
	case LOG_BOOL:
		buf_add_str(b, f->i ? STR("true") : STR("false"));
		break;
	}
}

static void
add_head(struct buf *b, enum log_level l, const char *message)
{
	buf_add_lit(b, "{\"time\":\"");
	instant_write(b, clock_system.now(&clock_system), INSTANT_ISO_MILLIS, NULL);
	buf_add_fmt(b, "\",\"level\":\"%s\",\"message\":", level_names[l]);
	add_text(b, str_from_cstr(message));
}

static void
write_all(struct str s)
{
	pthread_mutex_lock(&write_lock);
	while (s.n) {
		ssize_t n = write(STDERR_FILENO, s.p, s.n);

		if (n > 0)
			s = str_sub(s, (size_t)n, s.n);
		else if (n == 0 || errno != EINTR)
			break;
	}
	pthread_mutex_unlock(&write_lock);
}

void
log_write(enum log_level l, const char *message, const struct log_field *fields, size_t count)
{
	struct buf b;

	if ((int)l < least_level)
		return;
	buf_init(&b, LIMIT_LOG_LINE_BYTES);
	add_head(&b, l, message);
	for (size_t i = 0; i < count; i++)
		add_field(&b, &fields[i]);
	buf_add_lit(&b, "}\n");
	if (buf_is_over(&b)) {
		buf_clear(&b);
		add_head(&b, l, "a log line was longer than the limit");
		buf_add_lit(&b, "}\n");
	}
	write_all(buf_str(&b));
	buf_done(&b);
}
