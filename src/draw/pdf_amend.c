/*
 * The incremental update of a catalog. cairo 1.16 has no call for a document's language, and readers announce a text in the wrong one
 * without it. The catalog is written again behind the document, with the new entries, and a cross-reference section that names it.
 */
#include "draw/document_parts.h"

struct trailer {
	size_t xref; /* offset of the cross-reference table */
	int64_t size, root, document_info;
};

static size_t
find_last(struct str s, struct str what)
{
	for (size_t i = s.n >= what.n ? s.n - what.n + 1 : 0; i-- > 0;)
		if (memcmp(s.p + i, what.p, what.n) == 0)
			return i;
	return s.n;
}

static size_t
find_first(struct str s, struct str what, size_t from)
{
	for (size_t i = from; i + what.n <= s.n; i++)
		if (memcmp(s.p + i, what.p, what.n) == 0)
			return i;
	return s.n;
}

/* The digits behind the key; false when the key or they are absent. */
static bool
number_after(struct str s, struct str key, int64_t *out)
{
	size_t at = find_first(s, key, 0);
	size_t start = at + key.n, end;

	if (at == s.n)
		return false;
	for (end = start; end < s.n && s.p[end] >= '0' && s.p[end] <= '9'; end++)
		;
	return str_to_int(str_sub(s, start, end - start), out) && *out >= 0;
}

static bool
trailer_read(struct str pdf, struct trailer *t)
{
	size_t start = find_last(pdf, STR("startxref\n"));
	size_t trailer = find_last(pdf, STR("trailer\n"));
	int64_t xref;

	if (start == pdf.n || trailer == pdf.n ||
		!number_after(str_sub(pdf, start, pdf.n - start), STR("startxref\n"), &xref))
		return false;
	struct str entries = str_sub(pdf, trailer, pdf.n - trailer);
	t->xref = (size_t)xref;
	return number_after(entries, STR("/Size "), &t->size) &&
	       number_after(entries, STR("/Root "), &t->root) &&
	       number_after(entries, STR("/Info "), &t->document_info);
}

/* The entries of the catalog between << and the closing >>. */
static bool
catalog_entries(struct arena *a, struct str pdf, const struct trailer *t, struct str *out)
{
	struct str head = arena_fmt(a, "xref\n0 %lld\n", (long long)t->size);
	struct str open = arena_fmt(a, "%lld 0 obj\n<< ", (long long)t->root);
	int64_t offset;

	if (!str_eq(str_sub(pdf, t->xref, head.n), head) ||
		!str_to_int(str_sub(pdf, t->xref + head.n + 20 * (size_t)t->root, 10), &offset))
		return false;
	struct str object = str_sub(pdf, (size_t)offset, pdf.n);
	size_t end = find_first(object, STR(">>\nendobj"), 0);
	if (!str_starts_with(object, open) || end == object.n)
		return false;
	*out = str_sub(object, open.n, end - open.n);
	return true;
}

struct err *
pdf_amend(struct arena *a, struct buf *pdf, struct str language)
{
	struct str whole = buf_str(pdf), entries;
	struct trailer t;

	if (!trailer_read(whole, &t) || !catalog_entries(a, whole, &t, &entries))
		return err_private(a, ERR_INTERNAL,
			"the PDF library writes its trailer in another form than pdf_amend reads");
	struct str copy = arena_str(a, entries);
	size_t catalog = pdf->len;
	buf_add_fmt(pdf,
		"%lld 0 obj\n<< %.*s   /Version /1.7\n   /ViewerPreferences << /DisplayDocTitle true >>\n",
		(long long)t.root, STR_ARG(copy));
	if (language.n)
		buf_add_fmt(pdf, "   /Lang (%.*s)\n", STR_ARG(language));
	buf_add_lit(pdf, ">>\nendobj\n");
	size_t xref = pdf->len;
	buf_add_fmt(pdf, "xref\n%lld 1\n%010zu 00000 n \n", (long long)t.root, catalog);
	buf_add_fmt(pdf,
		"trailer\n<< /Size %lld /Root %lld 0 R /Info %lld 0 R /Prev %zu "
		">>\nstartxref\n%zu\n%%%%EOF\n",
		(long long)t.size, (long long)t.root, (long long)t.document_info, t.xref, xref);
	if (buf_is_over(pdf))
		return err_new(a, ERR_TOO_LARGE, "The document would be larger than %zu bytes.", pdf->max);
	return NULL;
}
