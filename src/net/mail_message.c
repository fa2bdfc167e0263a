/*
 * The body is base64, so that no line is too long and nothing in a text is anything but text. Encoded words are made of whole characters,
 * each word at most 75 bytes, as RFC 2047 asks; plain ASCII stays readable. What could end a line is never written: a name or subject
 * cannot add a field.
 */
#include "net/mail_message.h"
#include <gnutls/gnutls.h>
#include <nettle/base64.h>

#define WORD_BYTES \
	39 /* of text in one encoded word: =?UTF-8?B?…?= then has 64, and the longest field's line 73 of 76 */
#define LINE_BYTES 57  /* of text in one line of base64 */
#define PLAIN_MAX  200 /* longer text is folded, and only encoded words fold without changing it */

static bool
is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

bool
mail_address_is_fit(struct str s)
{
	const size_t at = str_index(s, '@', 0);

	for (size_t i = 0; i < s.n; i++)
		if (is_control(s.p[i]) || strchr(" <>(),;:\\\"[]", s.p[i]))
			return false;
	return at > 0 && at + 1 < s.n && str_index(s, '@', at + 1) == s.n && s.n <= 254;
}

static bool
is_ascii(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] > 0x7f)
			return false;
	return true;
}

bool
mail_address_encode(struct arena *a, struct str address, struct str *out)
{
	const struct str local = str_sub(address, 0, str_index(address, '@', 0));
	const struct str domain = str_sub(address, local.n + 1, address.n);
	gnutls_datum_t encoded;

	if (!mail_address_is_fit(address) || !is_ascii(local))
		return false;
	if (is_ascii(domain)) {
		*out = address;
		return true;
	}
	if (gnutls_idna_map(domain.p, (unsigned)domain.n, &encoded, 0) != GNUTLS_E_SUCCESS)
		return false;
	*out = arena_fmt(a, "%.*s@%.*s", STR_ARG(local), (int)encoded.size, (const char *)encoded.data);
	gnutls_free(encoded.data);
	return mail_address_is_fit(*out);
}

/* The name itself or one below it. */
static bool
is_within(struct str domain, struct str name)
{
	if (domain.n < name.n)
		return false;
	const size_t before = domain.n - name.n;
	return str_eq_nocase(str_sub(domain, before, name.n), name) &&
	       (before == 0 || domain.p[before - 1] == '.');
}

bool
mail_address_is_reserved(struct str address)
{
	static const char *const names[] = { "example", "invalid", "test", "localhost", "example.com",
		"example.net", "example.org" };
	struct str domain = str_sub(address, str_index(address, '@', 0) + 1, address.n);

	if (str_ends_with(domain, STR("."))) /* of the root */
		domain.n--;
	for (size_t i = 0; i < COUNT(names); i++)
		if (is_within(domain, str_from_cstr(names[i])))
			return true;
	return false;
}

bool
mail_mailbox_parse(struct str text, struct str *name, struct str *address)
{
	struct str s = str_trim(text);
	const size_t open = str_index(s, '<', 0);

	*name = (struct str){ "", 0 };
	*address = s;
	if (open < s.n) {
		if (s.p[s.n - 1] != '>')
			return false;
		*name = str_trim(str_sub(s, 0, open));
		*address = str_sub(s, open + 1, s.n - open - 2);
		if (name->n >= 2 && name->p[0] == '"' && name->p[name->n - 1] == '"')
			*name = str_sub(*name, 1, name->n - 2);
	}
	return mail_address_is_fit(*address);
}

/* Printable ASCII that cannot be taken for an encoded word. */
static bool
is_plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (is_control(s.p[i]) || (unsigned char)s.p[i] > 0x7e ||
			(s.p[i] == '=' && i + 1 < s.n && s.p[i + 1] == '?'))
			return false;
	return s.n <= PLAIN_MAX;
}

/* As many bytes as fit into a word without cutting a character. */
static size_t
word_length(struct str s)
{
	size_t n = s.n < WORD_BYTES ? s.n : WORD_BYTES;

	while (n < s.n && n > 1 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return n;
}

static void
add_word(struct buf *b, struct str part)
{
	char clean[WORD_BYTES], coded[BASE64_ENCODE_RAW_LENGTH(WORD_BYTES)];

	for (size_t i = 0; i < part.n; i++)
		clean[i] = part.p[i];
	for (size_t i = 0; i < part.n; i++)
		if (is_control(clean[i]))
			clean[i] = ' ';
	base64_encode_raw(coded, part.n, (const uint8_t *)clean);
	buf_add_lit(b, "=?UTF-8?B?");
	buf_add(b, coded, BASE64_ENCODE_RAW_LENGTH(part.n));
	buf_add_lit(b, "?=");
}

/* Unstructured text: as it is, or as encoded words folded over lines. */
static void
add_text(struct buf *b, struct str text)
{
	bool first = true;

	if (is_plain(text)) {
		buf_add_str(b, text);
		return;
	}
	for (struct str rest = text; rest.n; first = false) {
		const size_t n = word_length(rest);

		if (!first)
			buf_add_lit(b, "\r\n ");
		add_word(b, str_sub(rest, 0, n));
		rest = str_sub(rest, n, rest.n);
	}
}

static bool
needs_quotes(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (strchr("()<>[]:;@\\,.\"", s.p[i]))
			return true;
	return false;
}

static void
add_quoted(struct buf *b, struct str s)
{
	buf_add_byte(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_add_byte(b, '\\');
		buf_add_byte(b, s.p[i]);
	}
	buf_add_byte(b, '"');
}

static void
add_mailbox(struct buf *b, struct str name, struct str address)
{
	if (name.n) {
		if (is_plain(name) && needs_quotes(name))
			add_quoted(b, name);
		else
			add_text(b, name);
		buf_add_str(b, is_plain(name) ? STR(" ") : STR("\r\n "));
	}
	buf_add_fmt(b, "<%.*s>", STR_ARG(address));
}

static void
add_body(struct buf *b, struct str wire)
{
	char coded[BASE64_ENCODE_RAW_LENGTH(LINE_BYTES)];

	for (size_t i = 0; i < wire.n; i += LINE_BYTES) {
		const struct str line = str_sub(wire, i, LINE_BYTES);

		base64_encode_raw(coded, line.n, (const uint8_t *)line.p);
		buf_add(b, coded, BASE64_ENCODE_RAW_LENGTH(line.n));
		buf_add_lit(b, "\r\n");
	}
}

/* Lines of text end with CR LF inside of base64 too. */
static struct buf
wire_text(struct str text)
{
	struct buf b;

	buf_init(&b, 2 * text.n + 1);
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\n')
			buf_add_byte(&b, '\r');
		buf_add_byte(&b, text.p[i]);
	}
	return b;
}

void
mail_message_write(struct buf *b, struct str from_name, struct str from, const struct mail *m)
{
	const struct str domain = str_sub(from, str_index(from, '@', 0) + 1, from.n);
	struct buf text = wire_text(m->text);

	buf_add_lit(b, "Date: ");
	instant_write(b, m->date, INSTANT_HTTP, NULL);
	b->len -= 3; /* GMT is an obsolete zone in mail */
	buf_add_lit(b, "+0000\r\nFrom: ");
	add_mailbox(b, from_name, from);
	buf_add_lit(b, "\r\nTo: ");
	add_mailbox(b, m->to_name, m->to);
	buf_add_lit(b, "\r\nSubject: ");
	add_text(b, m->subject);
	buf_add_fmt(b, "\r\nMessage-ID: <%.*s@%.*s>\r\n", STR_ARG(m->id), STR_ARG(domain));
	buf_add_lit(b, "Auto-Submitted: auto-generated\r\n" /* RFC 3834: machines need not answer */
		       "MIME-Version: 1.0\r\n"
		       "Content-Type: text/plain; charset=UTF-8\r\n"
		       "Content-Transfer-Encoding: base64\r\n\r\n");
	add_body(b, buf_str(&text));
	buf_done(&text);
}
