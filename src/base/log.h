/*
 * Structured log: one JSON object a line on standard error. The only mutable global of the house lives behind it (level, stream, lock).
 * Each request or job logs once, at its top, with its request id.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

enum log_type { LOG_STR, LOG_INT, LOG_BOOL };
struct log_field {
	const char *name;
	enum log_type type;
	struct str s;
	int64_t i;
};
#define L_STR(key, value) ((struct log_field) { .name = (key), .type = LOG_STR, .s = (value) })
#define L_CSTR(key, value) ((struct log_field) { .name = (key), .type = LOG_STR, .s = str_from_cstr(value) })
#define L_INT(key, value) ((struct log_field) { .name = (key), .type = LOG_INT, .i = (int64_t)(value) })
#define L_BOOL(key, value) ((struct log_field) { .name = (key), .type = LOG_BOOL, .i = (value) })

void log_set_level(enum log_level l);
/* {"time":…,"level":…,"message":…, fields…}; invalid UTF-8 in a field is replaced. Never logs secrets: that is the caller's duty. */
void log_write(enum log_level l, const char *message, const struct log_field *fields, size_t count);
/* The first element is never logged; it lets the list of fields be empty. */
#define LOG(level, message, ...)                                                                       \
	log_write((level), (message), (const struct log_field[]) { { .name = NULL }, ##__VA_ARGS__ } + 1, \
		sizeof((const struct log_field[]) { { .name = NULL }, ##__VA_ARGS__ }) / sizeof(struct log_field) - 1)

#endif
