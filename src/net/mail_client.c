/*
 * Sending on libcurl. It tells the last answer's code but not what was answered, so the commands are listened to: only a refused RCPT TO
 * may say something about the recipient, everything else is about the server or our settings.
 */
#include "net/mail_client.h"
#include "net/curl_fault.h"
#include "net/mail_message.h"

#define MESSAGE_BYTES_MAX (16u << 20)
#define ANSWER_BYTES	  400 /* of the server's words that are kept */

/* What the callbacks of one message share. */
struct sending {
	const struct mail *mail;
	struct str unsent; /* of the message */
	bool at_recipient; /* RCPT TO was the last command before QUIT */
	bool is_given;	   /* the text was asked for */
	bool is_ending;	   /* QUIT has been said; its answer tells nothing */
	char answer[ANSWER_BYTES];
	size_t answer_n;
};

/* ---- the server ---- */

/* The host of smtp://host:port/…, without brackets. */
static struct str
host_of(struct str url)
{
	struct str rest = str_sub(url, str_index(url, '/', 0) + 2, url.n);

	rest = str_sub(rest, 0, str_index(rest, '/', 0));
	if (rest.n && rest.p[0] == '[')
		return str_sub(rest, 1, str_index(rest, ']', 0) - 1);
	return str_sub(rest, 0, str_index(rest, ':', 0));
}

/* An address 127.… and no name that begins like one. */
static bool
is_loopback(struct str host)
{
	for (size_t i = 0; i < host.n; i++)
		if (host.p[i] != '.' && (host.p[i] < '0' || host.p[i] > '9'))
			return false;
	return str_starts_with(host, STR("127."));
}

static bool
is_this_machine(struct str host)
{
	return str_eq(host, STR("localhost")) || str_eq(host, STR("::1")) || is_loopback(host);
}

static bool
is_smtp(struct str url)
{
	return str_starts_with(url, STR("smtp://")) || str_starts_with(url, STR("smtps://"));
}

struct err *
mail_server_check(struct arena *a, const struct mail_server *s)
{
	struct str name, address;

	for (size_t i = 0; i < s->url.n; i++)
		if (s->url.p[i] <= ' ' || s->url.p[i] == '@' || s->url.p[i] == 0x7f)
			return err_field(a, "mail-server",
				"Must be smtp://host:port or smtps://host:port, without a name or password.");
	if (!is_smtp(s->url) || host_of(s->url).n == 0)
		return err_field(a, "mail-server", "Must be smtp://host:port or smtps://host:port.");
	if (!mail_mailbox_parse(s->from, &name, &address) || !mail_address_encode(a, address, &address))
		return err_field(a, "mail-from",
			"Must be an e-mail address, alone or as in \"Sextant <kpi@example.com>\".");
	return NULL;
}

/* ---- callbacks ---- */

static int
listen_in(CURL *curl, curl_infotype type, char *p, size_t n, void *arg)
{
	struct sending *s = arg;

	(void)curl;
	if (type == CURLINFO_HEADER_OUT && !s->is_ending) {
		s->is_ending = n >= 4 && memcmp(p, "QUIT", 4) == 0;
		s->at_recipient = s->is_ending ? s->at_recipient : n >= 4 && memcmp(p, "RCPT", 4) == 0;
	} else if (type == CURLINFO_HEADER_IN && !s->is_ending) {
		s->answer_n = 0; /* the last line tells */
		for (size_t i = 0; i < n && s->answer_n < sizeof(s->answer); i++)
			s->answer[s->answer_n++] =
				(unsigned char)p[i] < ' ' || (unsigned char)p[i] > '~' ? ' ' : p[i];
	}
	return 0;
}

static size_t
give(char *p, size_t one, size_t n, void *arg)
{
	struct sending *s = arg;
	const struct str part = str_sub(s->unsent, 0, one * n);

	s->is_given = true;
	if (part.n)
		memcpy(p, part.p, part.n);
	s->unsent = str_sub(s->unsent, part.n, s->unsent.n);
	return part.n;
}

static int
look_whether_over(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct sending *s = arg;

	(void)a, (void)b, (void)c, (void)d;
	return s->mail->is_over && s->mail->is_over(s->mail->arg);
}

/* ---- sending ---- */

static void
set_server(CURL *curl, struct arena *a, const struct mail_server *s)
{
	const bool may_be_plain = s->allows_plain || is_this_machine(host_of(s->url));
	const long timeout_ms = s->timeout_ms ? s->timeout_ms : MAIL_TIMEOUT_MS;

	curl_easy_setopt(curl, CURLOPT_URL, arena_cstr(a, s->url));
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	/* The end of a call does not wait for a name server that does not answer. */
	curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms);
	curl_easy_setopt(curl, CURLOPT_USE_SSL, (long)(may_be_plain ? CURLUSESSL_TRY : CURLUSESSL_ALL));
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (s->ca_file.n)
		curl_easy_setopt(curl, CURLOPT_CAINFO, arena_cstr(a, s->ca_file));
	if (s->user.n) {
		curl_easy_setopt(curl, CURLOPT_USERNAME, arena_cstr(a, s->user));
		curl_easy_setopt(curl, CURLOPT_PASSWORD, arena_cstr(a, s->password));
	}
}

static void
set_callbacks(CURL *curl, struct sending *s)
{
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
	curl_easy_setopt(curl, CURLOPT_READDATA, s);
	curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L); /* only then are the commands told */
	curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, listen_in);
	curl_easy_setopt(curl, CURLOPT_DEBUGDATA, s);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_whether_over);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, s);
}

/* The enhanced code's subject and detail (RFC 3463), as in "550 5.1.1 …"; false: none was given. */
static bool
enhanced_code(struct str answer, int64_t *subject, int64_t *detail)
{
	struct str rest = str_sub(answer, 4, answer.n), code, part;

	return str_split(&rest, ' ', &code) && str_split(&code, '.', &part) && str_eq(part, STR("5")) &&
	       str_split(&code, '.', &part) && str_to_int(part, subject) && str_split(&code, '.', &part) &&
	       str_to_int(part, detail) && !code.p;
}

/*
 * Whether a refused RCPT TO means the mailbox. Many servers wait with what they have against the sender, the client or a missing login
 * until then (Postfix: smtpd_delay_reject), and say so by the enhanced code or with 530 or 554.
 */
static bool
refuses_mailbox(long code, struct str answer)
{
	int64_t subject, detail;

	if (enhanced_code(answer, &subject, &detail))
		return (subject == 1 && detail != 7 &&
			       detail != 8) ||	      /* 5.1.7 and 5.1.8: the sender's address */
		       (subject == 2 && detail == 1); /* disabled */
	return code == 501 || code == 550 || code == 551 || code == 553;
}

/*
 * Whether a refusal behind the text means the text. By an enhanced code it may be of the addresses (1), a full mailbox (2), the server's
 * own state (3) or a quota (4); 5.2.3 and 5.3.4 are about the message's size.
 */
static bool
refuses_content(long code, struct str answer)
{
	int64_t subject, detail;

	if (code < 500)
		return false;
	if (!enhanced_code(answer, &subject, &detail))
		return true;
	if (subject == 2 || subject == 3)
		return detail == (subject == 2 ? 3 : 4);
	return subject != 1 && subject != 4;
}

/* Whether it ended by an answer and not while one was waited for. */
static bool
is_answered(CURLcode code)
{
	return code != CURLE_OPERATION_TIMEDOUT && code != CURLE_ABORTED_BY_CALLBACK;
}

static struct err *
error_of(struct arena *a, CURL *curl, CURLcode code, const struct sending *s)
{
	const struct str said = str_trim((struct str){ s->answer, s->answer_n });
	long answer = 0;
	struct err *e;

	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer);
	if (code == CURLE_LOGIN_DENIED)
		e = err_word(
			err_new(a, ERR_UNAVAILABLE, "The mail server refused the login."), "LOGIN_REFUSED");
	else if (s->at_recipient && refuses_mailbox(answer, said))
		e = err_word(err_new(a, ERR_INVALID_INPUT, "The mail server refused the recipient."),
			"RECIPIENT_REFUSED");
	else if (s->is_given && is_answered(code) && refuses_content(answer, said))
		e = err_word(err_new(a, ERR_INVALID_INPUT,
				     "The mail server refused the message for its content (%ld).", answer),
			"CONTENT_REFUSED");
	else if (answer >= 400 && is_answered(code))
		e = err_word(err_new(a, ERR_UNAVAILABLE, "The mail server did not take the message (%ld).",
				     answer),
			"MAIL_REFUSED");
	else
		e = curl_fault(a, code);
	if (said.n)
		e->detail = arena_str(a, said);
	return e;
}

struct err *
mail_send(const struct mail_server *server, struct arena *a, const struct mail *m)
{
	struct mail fit = *m;
	struct sending s = { .mail = m };
	struct str name, address;
	struct buf message;

	TRY(mail_server_check(a, server));
	if (!mail_address_encode(a, m->to, &fit.to))
		return err_word(err_new(a, ERR_INVALID_INPUT, "The recipient's address can't be used."),
			"RECIPIENT_REFUSED");
	if (mail_address_is_reserved(fit.to))
		return err_word(
			err_new(a, ERR_INVALID_INPUT,
				"The recipient's address is in a name that is reserved for examples and "
				"tests (RFC 2606, RFC 6761), where nobody is mailed."),
			"RECIPIENT_RESERVED");
	check(mail_mailbox_parse(server->from, &name, &address) && mail_address_encode(a, address, &address));
	buf_init_arena(&message, a, MESSAGE_BYTES_MAX);
	mail_message_write(&message, name, address, &fit);
	if (message.over)
		return err_new(a, ERR_TOO_LARGE, "The message is too large.");
	s.unsent = buf_str(&message);
	CURL *curl = curl_easy_init();
	struct curl_slist *to = curl_slist_append(NULL, arena_fmt(a, "<%.*s>", STR_ARG(fit.to)).p);
	check(curl && to);
	set_server(curl, a, server);
	set_callbacks(curl, &s);
	curl_easy_setopt(curl, CURLOPT_MAIL_FROM, arena_fmt(a, "<%.*s>", STR_ARG(address)).p);
	curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to);
	const CURLcode code = curl_easy_perform(curl);
	struct err *e = code == CURLE_OK ? NULL : error_of(a, curl, code, &s);
	curl_easy_cleanup(curl);
	curl_slist_free_all(to);
	return e;
}
