/*
 * multipart/form-data in memory. The body is cut at its delimiters (CRLF "--" boundary), each part's head is read for its
 * Content-Disposition and Content-Type, and the part's content is borrowed from the input. Whatever deviates from RFC 7578 in a way
 * that could make two readers see different parts is refused.
 */
#include "codec/form.h"

#define BOUNDARY_MAX 70	  /* RFC 2046, section 5.1.1 */
#define HEAD_MAX     8192 /* bytes of a part's head: a long file name in percent-encoding fits */

static struct err *
malformed(struct arena *a, const char *what)
{
	return err_new(a, ERR_MALFORMED, "Multipart form parse error - %s.", what);
}

/* Takes "name=value" after a semicolon; value may be quoted, where a backslash stands before a quote or itself. */
static bool
take_parameter(struct arena *a, struct str *rest, struct str *name, struct str *value)
{
	struct str s = str_trim(*rest);
	size_t at = str_index(s, '=', 0), end;

	if (s.n == 0 || s.p[0] != ';' || at == s.n)
		return false;
	*name = str_trim(str_sub(s, 1, at - 1));
	s = str_trim(str_sub(s, at + 1, s.n));
	if (s.n == 0 || s.p[0] != '"') {
		end = str_index(s, ';', 0);
		*value = str_trim(str_sub(s, 0, end));
		*rest = str_sub(s, end, s.n);
		return true;
	}
	char *text = arena_alloc(a, s.n);
	size_t n = 0;
	for (end = 1; end < s.n && s.p[end] != '"'; end++) {
		/* Some browsers send paths with single backslashes, so only these two are escapes. */
		if (s.p[end] == '\\' && end + 1 < s.n && (s.p[end + 1] == '"' || s.p[end + 1] == '\\'))
			end++;
		text[n++] = s.p[end];
	}
	if (end == s.n)
		return false;
	*value = (struct str){ text, n };
	*rest = str_sub(s, end + 1, s.n);
	return true;
}

static bool
find_boundary(struct arena *a, struct str content_type, struct str *out)
{
	size_t at = str_index(content_type, ';', 0);
	struct str rest = str_sub(content_type, at, content_type.n), name, value;

	if (!str_eq_nocase(str_trim(str_sub(content_type, 0, at)), STR("multipart/form-data")))
		return false;
	while (take_parameter(a, &rest, &name, &value)) {
		if (!str_eq_nocase(name, STR("boundary")))
			continue;
		*out = value;
		return value.n >= 1 && value.n <= BOUNDARY_MAX;
	}
	return false;
}

/* The extended form of RFC 8187, which some clients send for names beyond ASCII: UTF-8''percent-encoded. */
static bool
read_extended(struct arena *a, struct str value, struct str *out)
{
	size_t at = str_index(value, '\'', 0), second = str_index(value, '\'', at + 1);

	return second < value.n && str_eq_nocase(str_sub(value, 0, at), STR("utf-8")) &&
	       form_unescape_segment(a, str_sub(value, second + 1, value.n), out);
}

static struct str
without_folders(struct str path)
{
	for (size_t i = path.n; i-- > 0;)
		if (path.p[i] == '/' || path.p[i] == '\\')
			return str_sub(path, i + 1, path.n);
	return path;
}

static bool
is_clean_text(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7F)
			return false;
	return str_is_utf8(s);
}

/* form-data; name="file"; filename="a.csv" */
static bool
read_disposition(struct arena *a, struct str value, struct form_part *part)
{
	size_t at = str_index(value, ';', 0);
	struct str rest = str_sub(value, at, value.n), key, text;
	bool extended = false;

	if (part->name.p || !str_eq_nocase(str_trim(str_sub(value, 0, at)), STR("form-data")))
		return false;
	while (take_parameter(a, &rest, &key, &text)) {
		if (str_eq_nocase(key, STR("name"))) {
			if (part->name.p)
				return false;
			part->name = text;
		} else if (str_eq_nocase(key, STR("filename")) && !extended) {
			part->file_name = without_folders(text);
		} else if (str_eq_nocase(key, STR("filename*"))) {
			if (!read_extended(a, text, &part->file_name))
				return false;
			part->file_name = without_folders(part->file_name);
			extended = true;
		}
	}
	return part->name.p && str_trim(rest).n == 0 && is_clean_text(part->name) &&
	       is_clean_text(part->file_name);
}

/* Only encodings that change nothing; RFC 7578 deprecates the header. */
static bool
is_plain_encoding(struct str value)
{
	return str_eq_nocase(value, STR("binary")) || str_eq_nocase(value, STR("8bit")) ||
	       str_eq_nocase(value, STR("7bit"));
}

static struct err *
read_head(struct arena *a, struct str head, struct form_part *part)
{
	struct str line;

	while (str_split(&head, '\n', &line)) {
		size_t colon = str_index(line, ':', 0);
		struct str name = str_sub(line, 0, colon), value = str_trim(str_sub(line, colon + 1, line.n));

		if (colon == line.n || name.n == 0 || str_trim(name).n != name.n)
			return malformed(a, "a part has a broken header");
		if (str_eq_nocase(name, STR("content-disposition")) && !read_disposition(a, value, part))
			return malformed(a, "a part has a broken Content-Disposition");
		if (str_eq_nocase(name, STR("content-type")))
			part->content_type = value;
		if (str_eq_nocase(name, STR("content-transfer-encoding")) && !is_plain_encoding(value))
			return malformed(a, "a part is encoded in a way that is not supported");
	}
	if (!part->name.p || !is_clean_text(part->content_type))
		return malformed(a, "a part has no name");
	return NULL;
}

static size_t
find(struct str s, struct str wanted, size_t from)
{
	const char *hit = from < s.n ? memmem(s.p + from, s.n - from, wanted.p, wanted.n) : NULL;

	return hit ? (size_t)(hit - s.p) : s.n;
}

/* What follows a delimiter: the last one ends in "--"; white space may stand before the line's end. */
enum delimiter { DELIMITER_NONE, DELIMITER_NEXT, DELIMITER_LAST };

static enum delimiter
kind_of_delimiter(struct str body, size_t after, size_t *content)
{
	size_t i = after;

	if (body.n - i >= 2 && body.p[i] == '-' && body.p[i + 1] == '-')
		return DELIMITER_LAST;
	while (i < body.n && (body.p[i] == ' ' || body.p[i] == '\t'))
		i++;
	*content = i + 2;
	return body.n - i >= 2 && body.p[i] == '\r' && body.p[i + 1] == '\n' ? DELIMITER_NEXT
									     : DELIMITER_NONE;
}

struct cut {
	size_t start;	/* of the delimiter, its line break included */
	size_t content; /* behind it */
	enum delimiter kind;
};

/* The next delimiter at or after from; the boundary may also occur in content, as the start of a longer line. */
static struct cut
next_cut(struct str body, struct str delimiter, size_t from)
{
	struct cut c = { .start = find(body, delimiter, from) };

	while (c.start < body.n) {
		c.kind = kind_of_delimiter(body, c.start + delimiter.n, &c.content);
		if (c.kind != DELIMITER_NONE)
			return c;
		c.start = find(body, delimiter, c.start + 1);
	}
	return c;
}

static struct err *
read_part(struct arena *a, struct str content, struct form_part *part)
{
	const struct str blank_line = STR("\r\n\r\n");
	size_t end = find(str_sub(content, 0, HEAD_MAX), blank_line, 0);

	if (end >= content.n || end >= HEAD_MAX)
		return malformed(a, "a part's head does not end");
	TRY(read_head(a, str_sub(content, 0, end), part));
	part->body = str_sub(content, end + blank_line.n, content.n);
	return NULL;
}

struct err *
multipart_parse(struct arena *a, struct str content_type, struct str body, size_t max_parts,
	struct form_part **out, size_t *count)
{
	struct form_part *parts = NULL;
	struct str boundary;
	size_t n = 0;

	if (!find_boundary(a, content_type, &boundary))
		return malformed(a, "the Content-Type has no usable boundary");
	struct str delimiter = arena_fmt(a, "\r\n--%.*s", STR_ARG(boundary));
	/* The first delimiter needs no line break before it when the body begins with it. */
	struct cut at = { .kind = DELIMITER_NONE };
	if (str_starts_with(body, str_sub(delimiter, 2, delimiter.n)))
		at.kind = kind_of_delimiter(body, delimiter.n - 2, &at.content);
	if (at.kind == DELIMITER_NONE)
		at = next_cut(body, delimiter, 0);
	while (at.kind == DELIMITER_NEXT) {
		struct cut next = next_cut(body, delimiter, at.content);

		if (next.kind == DELIMITER_NONE)
			return malformed(a, "the closing boundary is missing");
		if (n == max_parts)
			return err_new(a, ERR_INVALID_INPUT, "More than %zu parts.", max_parts);
		parts = arena_grow(a, parts, n * sizeof(*parts), (n + 1) * sizeof(*parts));
		parts[n] = (struct form_part){ 0 };
		TRY(read_part(a, str_sub(body, at.content, next.start - at.content), &parts[n]));
		n++;
		at = next;
	}
	if (at.kind != DELIMITER_LAST)
		return malformed(a, "the boundary does not occur");
	*out = parts;
	*count = n;
	return NULL;
}
