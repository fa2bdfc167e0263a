/*
 * Errors: made on the arena of the request or job they belong to. The table of codes in the header is the only place where a code, its
 * status and its default text meet.
 */
#include "base/err.h"
#include "base/limits.h"

static const struct code_row {
	struct str word;
	int status;
	struct str message;
} code_rows[] = {
#define ERR_ROW(name, status, message) [ERR_##name] = { STR_INIT(#name), status, STR_INIT(message) },
	ERR_CODES(ERR_ROW)
#undef ERR_ROW
};

static const struct code_row *
row_of(enum err_code code)
{
	check((unsigned)code < COUNT(code_rows));
	return &code_rows[code];
}

static struct err *
err_at(struct arena *a, enum err_code code, const char *file, int line)
{
	struct err *e = arena_new_of(a, struct err);

	*e = (struct err){ .code = code, .message = row_of(code)->message, .file = file, .line = line };
	return e;
}

struct err *
err_make(struct arena *a, enum err_code code, const char *file, int line, const char *format, ...)
{
	struct err *e = err_at(a, code, file, line);
	va_list args;

	if (format[0]) {
		va_start(args, format);
		e->message = arena_vfmt(a, format, args);
		va_end(args);
	}
	return e;
}

struct err *
err_make_private(struct arena *a, enum err_code code, const char *file, int line, const char *format, ...)
{
	struct err *e = err_at(a, code, file, line);
	va_list args;

	va_start(args, format);
	e->detail = arena_vfmt(a, format, args);
	va_end(args);
	return e;
}

struct err *
err_word(struct err *e, const char *word)
{
	e->word = str_from_cstr(word);
	return e;
}

static void
add_field(struct arena *a, struct err *e, struct str field, struct str message)
{
	struct err_field **link = &e->fields;
	int count = 0;

	for (; *link; link = &(*link)->next)
		if (++count >= LIMIT_FIELD_ERRORS)
			return;
	*link = arena_new_of(a, struct err_field);
	**link = (struct err_field){ .field = arena_str(a, field), .message = message };
}

void
err_add_field(struct arena *a, struct err **e, struct str field, const char *format, ...)
{
	va_list args;

	if (!*e)
		*e = err_at(a, ERR_INVALID_INPUT, __FILE__, __LINE__);
	va_start(args, format);
	add_field(a, *e, field, arena_vfmt(a, format, args));
	va_end(args);
}

struct err *
err_field(struct arena *a, const char *field, const char *format, ...)
{
	struct err *e = err_at(a, ERR_INVALID_INPUT, __FILE__, __LINE__);
	va_list args;

	va_start(args, format);
	add_field(a, e, str_from_cstr(field), arena_vfmt(a, format, args));
	va_end(args);
	return e;
}

int
err_status(const struct err *e)
{
	return row_of(e->code)->status;
}

struct str
err_code_word(const struct err *e)
{
	return e->word.n ? e->word : row_of(e->code)->word;
}
