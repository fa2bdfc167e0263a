/*
 * Errors. A function that can fail for a reason its caller must see returns struct err * (NULL: fine). An error has a code with its
 * HTTP status and stable word, a public message, the field it concerns, and a private detail that only the log sees. Input errors hold
 * one entry a field, so that all faults of a request are told at once. SQL, paths and secrets belong in the detail, never in a message.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/arena.h"

/* name, HTTP status, default public message. The name without ERR_ is the stable word of the answer's `code`, unless .word is set. */
#define ERR_CODES(X)                                                                           \
	X(INVALID_INPUT, 400, "Validation failed.")                                            \
	X(MALFORMED, 400, "JSON parse error.")                                                 \
	X(UNAUTHENTICATED, 401, "Authentication credentials were not provided.")               \
	X(INVALID_TOKEN, 401, "Given token not valid for any token type")                      \
	X(INVALID_CREDENTIALS, 401, "No active account found with the given credentials")      \
	X(INSUFFICIENT_PERMISSIONS, 403, "You do not have permission to perform this action.") \
	X(NOT_FOUND, 404, "Not found.")                                                        \
	X(METHOD_NOT_ALLOWED, 405, "Method not allowed.")                                      \
	X(CONFLICT, 409, "The object conflicts with one that exists.")                         \
	X(PRECONDITION_FAILED, 412, "The object has changed since it was read.")               \
	X(TOO_LARGE, 413, "The request is larger than the limit.")                             \
	X(URI_TOO_LONG, 414, "The URL is too long.")                                           \
	X(UNSUPPORTED_MEDIA_TYPE, 415, "Unsupported media type.")                              \
	X(IDEMPOTENCY_MISMATCH, 422, "This Idempotency-Key was used with another request.")    \
	X(UPGRADE_REQUIRED, 426, "This address speaks WebSocket, version 13.")                  \
	X(RATE_LIMITED, 429, "Request was throttled.")                                         \
	X(HEADER_TOO_LARGE, 431, "The header is too large.")                                   \
	X(INTERNAL, 500, "Internal server error.")                                             \
	X(UNAVAILABLE, 503, "The service is temporarily unavailable. Try again.")              \
	X(COMMIT_UNKNOWN, 503, "The connection was lost while saving; read the object before trying again.")

enum err_code {
#define ERR_ENUM(name, status, message) ERR_##name,
	ERR_CODES(ERR_ENUM)
#undef ERR_ENUM
};

/* One fault of one input field. */
struct err_field {
	struct err_field *next;
	struct str field;   /* as the client spelled it; dots for nesting, "[3]" for elements: "line_items[0].quantity" */
	struct str message; /* a sentence with full stop */
};

struct err {
	enum err_code code;
	struct str word;          /* overrides the stable word, such as KPI_NOT_FOUND; empty: the code's name */
	struct str message;       /* public */
	struct str detail;        /* private: for the log only */
	struct err_field *fields; /* in order of appearance */
	int64_t retry_after_s;    /* for RATE_LIMITED and UNAVAILABLE; 0: not said */
	const char *file;         /* where it arose */
	int line;
};

/* Public message from printf format; "" takes the code's default. */
struct err *err_make(struct arena *a, enum err_code code, const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 5, 6), returns_nonnull));
#define err_new(a, code, ...) err_make((a), (code), __FILE__, __LINE__, __VA_ARGS__)
/* An internal fault: the public message is the code's own, the text goes to the log. */
struct err *err_make_private(struct arena *a, enum err_code code, const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 5, 6), returns_nonnull));
#define err_private(a, code, ...) err_make_private((a), (code), __FILE__, __LINE__, __VA_ARGS__)
/* Sets the stable word (a literal) and returns e, for `return err_word(err_new(…), "KPI_NOT_FOUND")`. */
struct err *err_word(struct err *e, const char *word);
/* Adds a field's fault to *e, which becomes INVALID_INPUT when it was NULL. field is copied. */
void err_add_field(struct arena *a, struct err **e, struct str field, const char *format, ...) __attribute__((format(printf, 4, 5)));
/* One field's fault as an error of its own. */
struct err *err_field(struct arena *a, const char *field, const char *format, ...) __attribute__((format(printf, 3, 4), returns_nonnull));

int err_status(const struct err *e);        /* HTTP status */
struct str err_code_word(const struct err *e); /* stable UPPER_SNAKE word */

#endif
