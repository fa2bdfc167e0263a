/*
 * The request's body → c->body. A JSON route takes application/json, any +json type, or no type at all; some take the fields of a form
 * as an object of strings. An empty body is an empty object, so that what is required is named.
 */
#include "api/core.h"

#define FORM_FIELDS_MAX 1000

static struct err *
unsupported(struct api_ctx *c, struct str type)
{
	return err_new(c->res.arena, ERR_UNSUPPORTED_MEDIA_TYPE,
		"Unsupported media type \"%.*s\" in request.", STR_ARG(type));
}

static bool
is_json_type(struct str type)
{
	return str_eq_nocase(type, STR("application/json")) || str_ends_with(type, STR("+json")) ||
	       str_eq_nocase(type, STR("text/json"));
}

static struct err *
read_form(struct api_ctx *c)
{
	struct form form;
	struct arena *a = c->res.arena;
	TRY(form_parse(a, c->request->body, FORM_FIELDS_MAX, &form));
	return json_parse(a, form_to_json(a, &form), &c->body);
}

/* The plain fields; a file among them is not for a JSON route. */
static struct err *
read_multipart(struct api_ctx *c, struct str type)
{
	struct arena *a = c->res.arena;
	struct form_part *parts;
	struct form form;
	size_t count;
	TRY(multipart_parse(a, type, c->request->body, FORM_FIELDS_MAX, &parts, &count));
	form.count = 0;
	form.pairs = arena_alloc_array(a, count, sizeof(*form.pairs));
	for (size_t i = 0; i < count; i++) {
		if (parts[i].file_name.p)
			continue;
		if (!str_is_utf8(parts[i].body) ||
			memchr(parts[i].body.p ? parts[i].body.p : "", '\0', parts[i].body.n))
			return err_new(a, ERR_MALFORMED, "The form field is not valid text.");
		form.pairs[form.count++] = (struct form_pair){ parts[i].name, parts[i].body };
	}
	return json_parse(a, form_to_json(a, &form), &c->body);
}

struct err *
api_body_read(struct api_ctx *c)
{
	const enum api_body kind = c->route->body;
	const struct str full = str_trim(api_request_header(c, "Content-Type"));
	const struct str type = str_trim(str_sub(full, 0, str_index(full, ';', 0)));
	if (kind == API_BODY_NONE || kind == API_BODY_RAW)
		return NULL;
	if (c->request->body.n == 0)
		return json_parse(c->res.arena, STR("{}"), &c->body);
	if (type.n == 0 || is_json_type(type))
		return json_parse(c->res.arena, c->request->body, &c->body);
	if (kind == API_BODY_JSON_OR_FORM && str_eq_nocase(type, STR("application/x-www-form-urlencoded")))
		return read_form(c);
	if (kind == API_BODY_JSON_OR_FORM && str_eq_nocase(type, STR("multipart/form-data")))
		return read_multipart(c, full);
	return unsupported(c, full);
}
