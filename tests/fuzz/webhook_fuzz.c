/*
 * A webhook's URL and the patterns of its events. What libcurl makes of a URL that is accepted is what was looked at: no credentials, and
 * no address inside under another spelling. What a pattern stands for is what the shell's patterns say, less what nobody is told.
 */
#include "domain/integration/webhook.h"
#include "domain/integration/webhook_event.h"
#include "fuzz.h"
#include "net/http_client.h"
#include <arpa/inet.h>
#include <curl/curl.h>
#include <fnmatch.h>
#include <netinet/in.h>

#define PATTERN_CHARS_MAX 100

/* ---- URLs ------------------------------------------------------------------------------------------------------------------- */

static bool
is_accepted(struct str url)
{
	const struct webhook w = { .url = url };

	for (size_t i = 0; i < webhook_res.field_count; i++)
		if (strcmp(webhook_res.fields[i].name, "url") == 0)
			return webhook_res.fields[i].verify(&w) == NULL;
	check(false);
	return false;
}

static bool
is_this_machine(const char *name)
{
	struct str host = str_from_cstr(name), tail = STR(".localhost");

	if (str_ends_with(host, STR(".")))
		host = str_sub(host, 0, host.n - 1);
	return str_eq_nocase(host, STR("localhost")) ||
	       (host.n > tail.n && str_eq_nocase(str_sub(host, host.n - tail.n, tail.n), tail));
}

/* Of a host as libcurl connects to it, where short and octal numbers are written out. */
static bool
is_inside(const char *host)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	char text[INET6_ADDRSTRLEN] = { 0 };
	size_t n = strlen(host);

	if (inet_pton(AF_INET, host, &v4.sin_addr) == 1)
		return !http_address_is_public((const struct sockaddr *)&v4);
	if (host[0] != '[')
		return is_this_machine(host);
	check(n > 2 && n - 2 < sizeof(text));
	memcpy(text, host + 1, n - 2);
	check(inet_pton(AF_INET6, text, &v6.sin6_addr) == 1);
	return !http_address_is_public((const struct sockaddr *)&v6);
}

static bool
has_part(CURLU *u, CURLUPart part)
{
	char *text = NULL;
	bool has = curl_url_get(u, part, &text, 0) == CURLUE_OK;

	curl_free(text);
	return has;
}

static void
check_accepted(struct str url, const char *text, bool is_private)
{
	CURLU *u = curl_url();
	char *host = NULL, *scheme = NULL;

	check(u);
	check(url.n == strlen(text));
	check(curl_url_set(u, CURLUPART_URL, text, 0) == CURLUE_OK);
	check(!has_part(u, CURLUPART_USER) && !has_part(u, CURLUPART_PASSWORD) &&
		!has_part(u, CURLUPART_ZONEID));
	check(curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK);
	check(strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
	check(curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK);
	check(is_private || !is_inside(host));
	curl_free(scheme);
	curl_free(host);
	curl_url_cleanup(u);
}

static void
check_url(struct arena *a, struct str url)
{
	bool is_private = webhook_target_is_private(a, url);

	if (is_accepted(url))
		check_accepted(url, arena_cstr(a, url), is_private);
}

/* ---- patterns --------------------------------------------------------------------------------------------------------------- */

static bool
is_told(struct arena *a, struct str pattern, struct str type, bool access_events)
{
	struct webhook_patterns p;
	struct json_out o;
	struct buf b;

	buf_init_arena(&b, a, 16 << 20);
	json_out_init(&o, &b);
	json_begin_array(&o);
	json_put_str(&o, pattern);
	json_end_array(&o);
	check(!webhook_patterns_parse(a, buf_str(&b), &p));
	check(p.count == 1 && str_eq(p.patterns[0], pattern));
	p.access_events = access_events;
	return webhook_patterns_match(&p, type);
}

/* A pattern and a type with a space between them. */
static void
check_pattern(struct arena *a, struct str text)
{
	size_t space = str_index(text, ' ', 0);
	struct str pattern = str_sub(text, 0, space), type = str_sub(text, space + 1, text.n);

	if (!webhook_pattern_is_valid(pattern) || str_index(type, '\0', 0) != type.n)
		return;
	bool matches = webhook_pattern_matches(pattern, type);
	bool is_session = str_starts_with(type, STR("session.")), is_access = webhook_event_is_access(type);

	check(pattern.n > 0 && pattern.n <= PATTERN_CHARS_MAX && str_is_utf8(pattern));
	/* A star stands for something. */
	check(matches ==
		(type.n >= pattern.n && fnmatch(arena_cstr(a, pattern), arena_cstr(a, type), 0) == 0));
	check(webhook_pattern_matches(pattern, pattern) && webhook_pattern_matches(STR("*"), pattern));
	/* A pattern stands for events about access alone, or for none; but for the one that stands for all. */
	check(!matches || str_eq(pattern, STR("*")) || webhook_event_is_access(pattern) == is_access);
	check(is_told(a, pattern, type, true) == (matches && !is_session));
	check(is_told(a, pattern, type, false) == (matches && !is_session && !is_access));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena *a = arena_new(64 << 20);
	struct str text = { (const char *)bytes, size };

	check_url(a, text);
	check_pattern(a, text);
	arena_free(a);
	return 0;
}
