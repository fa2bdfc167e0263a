/*
 * The page of a first start: it makes the company and its administrator, once, for whoever holds the token that the server printed. Plain
 * HTML without a script; every text of the form is escaped when it is shown again.
 */
#include "api/api.h"
#include "api/iam_handlers.h"
#include "base/limits.h"
#include "domain/iam/setup.h"

#define POLICY                                                                                        \
	"default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; " \
	"frame-ancestors 'none'"

static const char page_head[] =
	"<!doctype html>\n<html lang=\"en\">\n<head>\n  <meta charset=\"utf-8\">\n"
	"  <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"  <title>Set up Sextant</title>\n"
	"  <link rel=\"icon\" href=\"/assets/mark.svg\" type=\"image/svg+xml\">\n"
	"  <link rel=\"stylesheet\" href=\"/assets/site.css\">\n</head>\n<body>\n  <main>\n"
	"    <section class=\"card\">\n";
static const char page_tail[] = "    </section>\n  </main>\n</body>\n</html>\n";

static const struct input {
	const char *name, *label, *type, *more, *preset;
} inputs[] = {
	{ "company", "Company", "text", "required maxlength=\"200\" autocomplete=\"organization\"", "" },
	{ "time_zone", "Time zone", "text", "required maxlength=\"64\"", "Europe/London" },
	{ "currency", "Currency", "text", "required minlength=\"3\" maxlength=\"3\"", "USD" },
	{ "username", "Your user name", "text", "required maxlength=\"150\" autocomplete=\"username\"", "" },
	{ "email", "Your e-mail address", "email", "maxlength=\"254\" autocomplete=\"email\"", "" },
	{ "password", "Your password, at least 8 characters", "password",
		"required minlength=\"8\" maxlength=\"128\" autocomplete=\"new-password\"", "" },
};

static struct api_done *
page(struct api_ctx *c, int status, const struct buf *content)
{
	struct buf b;
	buf_init_arena(&b, c->res.arena, LIMIT_ANSWER_BYTES);
	buf_add_lit(&b, page_head);
	buf_add_str(&b, buf_str(content));
	buf_add_lit(&b, page_tail);
	api_no_store(c);
	api_header(c, "Content-Security-Policy", STR(POLICY));
	return api_bytes(c, status, STR("text/html; charset=utf-8"), buf_str(&b));
}

static struct api_done *
closed_page(struct api_ctx *c)
{
	struct buf b;
	buf_init_arena(&b, c->res.arena, 4096);
	buf_add_lit(&b, "<h1>This link is not valid</h1>\n<p>Set-up is done once, with the link that the "
			"server prints "
			"when it starts and nobody can log in yet.</p>\n");
	return page(c, 404, &b);
}

static struct str
text_of(struct api_ctx *c, const char *name)
{
	json_val *v = c->body ? json_get(c->body, str_from_cstr(name)) : NULL;
	return v && json_type_of(v) == JSON_STRING ? json_string(v) : (struct str){ "", 0 };
}

static void
put_faults(struct buf *b, const struct err *e)
{
	buf_add_lit(b, "<div role=\"alert\"><p>");
	buf_add_markup(b, e->message);
	buf_add_lit(b, "</p><ul>");
	for (const struct err_field *f = e->fields; f; f = f->next) {
		buf_add_lit(b, "<li>");
		buf_add_markup(b, f->field);
		buf_add_lit(b, ": ");
		buf_add_markup(b, f->message);
		buf_add_lit(b, "</li>");
	}
	buf_add_lit(b, "</ul></div>\n");
}

static void
put_input(struct buf *b, const struct input *in, struct str value)
{
	buf_add_fmt(b,
		"<p><label for=\"%s\">%s</label><br>\n<input id=\"%s\" name=\"%s\" type=\"%s\" %s value=\"",
		in->name, in->label, in->name, in->name, in->type, in->more);
	buf_add_markup(b, value);
	buf_add_lit(b, "\"></p>\n");
}

static struct api_done *
form_page(struct api_ctx *c, struct str token, const struct err *e)
{
	struct buf b;
	buf_init_arena(&b, c->res.arena, 65536);
	buf_add_lit(&b, "<h1>Set up Sextant</h1>\n<p>Make the first company and its administrator.</p>\n");
	if (e)
		put_faults(&b, e);
	buf_add_lit(&b,
		"<form method=\"post\" action=\"/setup\">\n<input type=\"hidden\" name=\"token\" value=\"");
	buf_add_markup(&b, token);
	buf_add_lit(&b, "\">\n");
	for (size_t i = 0; i < COUNT(inputs); i++) {
		struct str given = text_of(c, inputs[i].name);
		bool secret = str_eq(str_from_cstr(inputs[i].name), STR("password"));
		put_input(&b, &inputs[i], secret || given.n == 0 ? str_from_cstr(inputs[i].preset) : given);
	}
	buf_add_lit(&b, "<p><button type=\"submit\">Make the company</button></p>\n</form>\n");
	return page(c, e ? err_status(e) : 200, &b);
}

struct api_done *
setup_page(struct api_ctx *c)
{
	struct str token = api_param(c, "token");
	if (!token.p || !iam_setup_is_open(api_iam(c), c->res.arena, c->res.tx, token))
		return closed_page(c);
	return form_page(c, token, NULL);
}

struct api_done *
setup_submit(struct api_ctx *c)
{
	struct str token = text_of(c, "token");
	struct account account = {
		.company = text_of(c, "company"),
		.time_zone = text_of(c, "time_zone"),
		.currency = text_of(c, "currency"),
		.username = text_of(c, "username"),
		.email = text_of(c, "email"),
		.password = text_of(c, "password"),
	};
	struct err *e = NULL;
	if (account.password.n == 0)
		err_add_field(c->res.arena, &e, STR("password"), "This field is required.");
	if (!e)
		e = iam_setup_finish(api_iam(c), c->res.arena, token, &account);
	if (e && e->code == ERR_NOT_FOUND)
		return closed_page(c);
	if (e && (e->code == ERR_INVALID_INPUT || e->code == ERR_CONFLICT))
		return form_page(c, token, e);
	if (e)
		return api_fail(c, e);
	struct buf b;
	buf_init_arena(&b, c->res.arena, 4096);
	buf_add_lit(&b, "<h1>Done</h1>\n<p>The company and its administrator exist. Log in with the name and "
			"password you "
			"chose; <a href=\"/api/v1/docs\">the documentation</a> shows how.</p>\n");
	return page(c, 201, &b);
}
