/* See the header. Each service has its own database, keys and port, so that tests cannot see each other. */
#include "service.h"
#include "base/random.h"
#include "domain/iam/setup.h"
#include <curl/curl.h>
#include <unistd.h>

#define CREATE_ITEM                                                                                      \
	"CREATE TABLE item (company_id BIGINT NOT NULL, id BIGINT NOT NULL, version BIGINT NOT NULL, "   \
	"created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, name TEXT NOT NULL, amount BIGINT NOT " \
	"NULL, "                                                                                         \
	"status TEXT NOT NULL, team_id BIGINT, due TEXT, PRIMARY KEY (company_id, id))"

static void
add_items(struct service *s)
{
	fixture_run(&s->db, CREATE_ITEM);
	fixture_run(&s->db, s->db.kind == DB_SQLITE ? "INSERT INTO sequence (name, next) VALUES ('item', 1)"
						    : "CREATE SEQUENCE item_seq");
}

static void
add_person(struct service *s)
{
	const struct account ada = { .company = STR("Analytical Engines"),
		.username = STR("ada"),
		.password = STR("lovelace-1843"),
		.email = STR("ada@example.org"),
		.role = STR("ADMIN") };
	int64_t company, person;
	fixture_ok(account_add(s->db.db, s->arena, &clock_system, &ada, &company, &person));
}

struct service *
service_new(enum db_kind kind, const struct api_options *o)
{
	return service_new_faulty(kind, o, NULL);
}

struct service *
service_new_faulty(enum db_kind kind, const struct api_options *o, struct db_faults *faults)
{
	static const struct str listen = STR_INIT("127.0.0.1:0");
	struct service *s = calloc(1, sizeof(*s));
	assert_non_null(s);
	log_set_level(LOG_ERROR);
	s->db.kind = kind;
	s->db.faults = faults;
	fixture_start(&s->db);
	add_items(s);
	s->arena = arena_new(64u << 20);
	add_person(s);
	s->secret_file = strdup(
		arena_fmt(s->arena, "/tmp/sextant-api-test-%ld-%u", (long)getpid(), random_below(1u << 30))
			.p);
	const struct iam_options iam = { .db = s->db.db,
		.clock = &clock_system,
		.threads = 2,
		.secret_file = str_from_cstr(s->secret_file) };
	fixture_ok(iam_open(s->arena, &iam, &s->iam));
	struct api_options options = *o;
	options.http.listen = &listen;
	options.http.listen_count = 1;
	options.http.threads = 2;
	options.http.clock = &clock_system;
	options.db = s->db.db;
	options.iam = s->iam;
	if (!options.clock)
		options.clock = &clock_system;
	fixture_ok(api_start(s->arena, &options, &s->api));
	s->url = arena_fmt(s->arena, "http://%.*s", STR_ARG(http_server_address(api_http(s->api), 0)));
	return s;
}

void
service_free(struct service *s)
{
	api_stop(s->api, s->drain_ms ? s->drain_ms : 60000);
	iam_close(s->iam);
	fixture_end(&s->db);
	(void)unlink(s->secret_file);
	free(s->secret_file);
	arena_free(s->arena);
	free(s);
}

static size_t
collect(char *bytes, size_t size, size_t count, void *arg)
{
	buf_add(arg, bytes, size * count);
	return size * count;
}

static struct curl_slist *
header_list(const char *headers)
{
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");
	struct str left = str_from_cstr(headers), line;
	while (left.n && str_split(&left, '\n', &line)) {
		char *text = strndup(line.p, line.n);
		list = curl_slist_append(list, text);
		free(text);
	}
	return list;
}

static char *
taken(struct buf *b)
{
	buf_add_byte(b, '\0');
	assert_false(b->over);
	return b->p;
}

struct reply
service_send(struct service *s, const char *method, const char *path, const char *headers, struct str body)
{
	CURL *curl = curl_easy_init();
	struct curl_slist *list = header_list(headers);
	struct buf head, content;
	struct reply r;
	char url[4096];
	buf_init(&head, 1u << 20);
	buf_init(&content, 32u << 20);
	assert_non_null(path);
	const bool whole = strcmp(path, "*") == 0; /* no path: curl is told apart from the URL */
	assert_in_range(snprintf(url, sizeof(url), "%.*s%s", STR_ARG(s->url), whole ? "/" : path), 1,
		sizeof(url) - 1);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	if (whole)
		curl_easy_setopt(curl, CURLOPT_REQUEST_TARGET, path);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(curl, CURLOPT_NOBODY, strcmp(method, "HEAD") == 0 ? 1L : 0L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, 120L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	if (body.p) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)body.n);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.p);
	}
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &content);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, collect);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, &head);
	const CURLcode code = curl_easy_perform(curl);
	if (code != CURLE_OK)
		fail_msg("%s %s: %s", method, path, curl_easy_strerror(code));
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &r.status);
	r.head = taken(&head);
	r.body = taken(&content);
	curl_slist_free_all(list);
	curl_easy_cleanup(curl);
	return r;
}

struct reply
service_ask(struct service *s, const char *method, const char *path, const char *headers, const char *body)
{
	char with_type[2048];
	assert_in_range(
		snprintf(with_type, sizeof(with_type), "%s%s%s", headers, headers[0] && body ? "\n" : "",
			body && !strstr(headers, "Content-Type") ? "Content-Type: application/json" : ""),
		0, sizeof(with_type) - 1);
	return service_send(s, method, path, with_type, str_from_cstr(body));
}

const char *
reply_field(struct reply *r, const char *name)
{
	static _Thread_local char value[512];
	struct str left = str_from_cstr(r->head), line;
	value[0] = 0;
	while (str_split(&left, '\n', &line)) {
		const size_t colon = str_index(line, ':', 0);
		if (!str_eq_nocase(str_sub(line, 0, colon), str_from_cstr(name)))
			continue;
		const struct str v = str_trim(str_sub(line, colon + 1, line.n));
		assert_true(snprintf(value, sizeof(value), "%.*s", STR_ARG(v)) < (int)sizeof(value));
	}
	return value;
}

void
reply_done(struct reply *r)
{
	free(r->head);
	free(r->body);
}

void
service_expect(struct service *s, long status, const char *method, const char *path, const char *headers,
	const char *body)
{
	struct reply r = service_ask(s, method, path, headers, body);
	if (r.status != status)
		fail_msg("%s %s: %ld instead of %ld\n%s", method, path, r.status, status, r.body);
	reply_done(&r);
}
