/* PDF documents: they hold what they are given, end in time, and are the same bytes each time. */
#include "draw/table.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct draw_options
options(void)
{
	return (struct draw_options){ .title = STR("Summer \xE2\x80\x93 \xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D"),
		.author = STR("Company"),
		.language = STR("en"),
		.created = { 1718442000123456 },
		.footer = STR("foot"),
		.max_bytes = 32 << 20 };
}

typedef void writer(struct draw_doc *d);

/* The document as a buffer on the heap; *pages as drawn. */
static struct err *
write_document(struct arena *a, const struct draw_options *o, writer *w, struct buf *out, int *pages)
{
	struct draw_doc *d;
	struct err *e = draw_open(a, o, &d);

	assert_null(e);
	w(d);
	e = draw_finish(d, out);
	*pages = draw_pages(d);
	draw_close(d);
	return e;
}

static bool
holds(const struct buf *b, const char *text)
{
	return memmem(b->p, b->len, text, strlen(text)) != NULL;
}

/* Writes it twice and checks that it is a PDF, and the same one. */
static int
pages_of(writer *w)
{
	struct arena *a = arena_new(64 << 20);
	struct draw_options o = options();
	struct buf first, second;
	int pages, again;

	buf_init(&first, 64 << 20);
	buf_init(&second, 64 << 20);
	assert_null(write_document(a, &o, w, &first, &pages));
	assert_null(write_document(a, &o, w, &second, &again));
	assert_true(str_starts_with(buf_str(&first), STR("%PDF-1.")));
	assert_true(str_ends_with(buf_str(&first), STR("%%EOF\n")));
	assert_true(str_eq(buf_str(&first), buf_str(&second)));
	char count[32];
	struct str text = arena_fmt(a, "/Count %d\n", pages);
	memcpy(count, text.p, text.n + 1);
	assert_true(holds(&first, count));
	buf_done(&first);
	buf_done(&second);
	arena_free(a);
	return pages;
}

static void
write_nothing(struct draw_doc *d)
{
	draw_text(d, &draw_body, STR(""));
	draw_space(d, 100);
	draw_tiles(d, NULL, 0);
}

static void
an_empty_document_is_one_page(void **state)
{
	(void)state;
	assert_int_equal(pages_of(write_nothing), 1);
}

static void
write_headings(struct draw_doc *d)
{
	draw_heading(d, 1, STR("First"));
	draw_heading(d, 2, STR("Second (with) \\ brackets"));
	draw_heading(d, 3, STR("Third"));
	draw_heading(d, 1, STR(""));
}

static void
language_version_bookmarks_and_date_are_in_the_document(void **state)
{
	struct arena *a = arena_new(16 << 20);
	struct draw_options o = options();
	struct buf b;
	int pages;

	(void)state;
	buf_init(&b, 32 << 20);
	assert_null(write_document(a, &o, write_headings, &b, &pages));
	assert_true(holds(&b, "/Lang (en)"));
	assert_true(holds(&b, "/Version /1.7"));
	assert_true(holds(&b, "/DisplayDocTitle true"));
	assert_true(holds(&b, "/Outlines"));
	assert_true(holds(&b, "/CreationDate (20240615090000"));
	assert_true(holds(&b, "/Marked true"));
	buf_done(&b);
	arena_free(a);
}

/* 60,000 letters without a space, and as many words of three scripts, one right-to-left, with characters no font has. */
static void
write_long_texts(struct draw_doc *d)
{
	static char word[60000], words[60000];
	static const char phrase[] =
		"office \xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D \xD9\x85\xD8\xB1\xD8\xAD\xD8\xA8\xD8\xA7 "
		"\xE4\xBD\xA0\xE5\xA5\xBD \xF0\x9F\xA6\x91 \xF3\xB0\x80\x80 ";

	memset(word, 'x', sizeof(word));
	size_t n = 0;
	while (n + sizeof(phrase) < sizeof(words)) {
		memcpy(words + n, phrase, sizeof(phrase) - 1);
		n += sizeof(phrase) - 1;
	}
	draw_heading(d, 1, (struct str){ word, 3000 });
	draw_text(d, &draw_body, (struct str){ word, sizeof(word) });
	draw_text(d, &draw_body, (struct str){ words, n });
	draw_text(d, &draw_body, STR("bytes \xFF\xFE\0 and\x1B controls"));
}

static void
long_words_and_texts_of_any_script_go_on_over_pages(void **state)
{
	(void)state;
	assert_in_range(pages_of(write_long_texts), 10, 60);
}

static const struct draw_column columns[] = { { STR_INIT("Channel"), 2, DRAW_LEFT },
	{ STR_INIT("Clicks"), 1, DRAW_RIGHT }, { STR_INIT("Note"), 2, DRAW_CENTRE } };

static void
write_rows(struct draw_doc *d)
{
	struct draw_table *t = draw_table_begin(d, columns, COUNT(columns));
	struct draw_cell cells[] = { { STR("Paid Social"), DRAW_INK, false },
		{ STR("1,234"), DRAW_GOOD, true }, { STR(""), DRAW_INK, false } };

	for (int i = 0; i < 3000; i++)
		draw_table_row(t, cells);
	draw_table_end(t);
}

static void
many_rows_fill_pages_evenly(void **state)
{
	(void)state;
	/* About forty rows a page beside the header of each. */
	assert_in_range(pages_of(write_rows), 60, 100);
}

static void
write_tall_row(struct draw_doc *d)
{
	static char text[40000];
	struct draw_table *t = draw_table_begin(d, columns, COUNT(columns));

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 7 == 6 ? ' ' : 'y';
	struct draw_cell cells[] = { { STR("short"), DRAW_INK, false }, { STR("1"), DRAW_INK, false },
		{ { text, sizeof(text) }, DRAW_INK, false } };
	draw_table_row(t, cells);
	draw_table_row(t, (struct draw_cell[]){ { STR("after"), DRAW_INK, false },
				  { STR("2"), DRAW_INK, false }, { STR(""), DRAW_INK, false } });
	draw_table_end(t);
	draw_table_end(draw_table_begin(d, columns, 1));
}

static void
a_row_higher_than_a_page_goes_on_behind_the_break(void **state)
{
	(void)state;
	assert_in_range(pages_of(write_tall_row), 10, 40);
}

static void
write_odd_charts(struct draw_doc *d)
{
	static const double odd[] = { 0, -1, 42, NAN, INFINITY, 1e308, -1e300, 5e-324 };
	struct chart_point points[400];
	struct str labels[400];

	for (size_t i = 0; i < COUNT(points); i++) {
		points[i] = chart_value(odd[i % COUNT(odd)], STR("\xD7\xA9 figure"));
		points[i].target = odd[(i + 3) % COUNT(odd)];
		labels[i] = STR("a label that is rather longer than the room there is for it in any chart");
	}
	struct chart_series series[] = { { STR("one"), points }, { STR("two"), points } };
	for (int kind = CHART_BAR; kind <= CHART_LINE; kind++) {
		struct chart c = { .kind = (enum chart_kind)kind,
			.labels = labels,
			.label_count = COUNT(points),
			.series = series,
			.series_count = 2,
			.target = NAN };
		draw_chart(d, &c);
		c.label_count = 1;
		draw_chart(d, &c);
		c.label_count = 0;
		draw_chart(d, &c);
	}
}

static void
a_chart_of_too_many_rows_is_cut_into_pages(void **state)
{
	(void)state;
	assert_in_range(pages_of(write_odd_charts), 20, 60);
}

static void
write_without_end(struct draw_doc *d)
{
	for (int i = 0; i < DRAW_PAGES_MAX + 50; i++) {
		draw_keep(d, 1e9);
		draw_text(d, &draw_body, STR("x"));
	}
}

static void
too_many_pages_or_bytes_are_refused_with_their_limit(void **state)
{
	struct arena *a = arena_new(64 << 20);
	struct draw_options o = options();
	struct buf b;
	int pages;

	(void)state;
	buf_init(&b, 64 << 20);
	struct err *e = write_document(a, &o, write_without_end, &b, &pages);
	assert_non_null(e);
	assert_int_equal(e->code, ERR_TOO_LARGE);
	assert_non_null(strstr(arena_cstr(a, e->message), "1000 pages"));
	assert_int_equal(b.len, 0);
	o.max_bytes = 4000;
	e = write_document(a, &o, write_long_texts, &b, &pages);
	assert_non_null(e);
	assert_int_equal(e->code, ERR_TOO_LARGE);
	assert_non_null(strstr(arena_cstr(a, e->message), "4000 bytes"));
	buf_done(&b);
	arena_free(a);
}

static void
a_document_may_be_given_up_at_any_time(void **state)
{
	struct arena *a = arena_new(16 << 20);
	struct draw_options o = options();
	struct draw_doc *d;

	(void)state;
	assert_null(draw_open(a, &o, &d));
	draw_heading(d, 1, STR("unfinished"));
	draw_close(d);
	draw_close(NULL);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_document_is_one_page),
		cmocka_unit_test(language_version_bookmarks_and_date_are_in_the_document),
		cmocka_unit_test(long_words_and_texts_of_any_script_go_on_over_pages),
		cmocka_unit_test(many_rows_fill_pages_evenly),
		cmocka_unit_test(a_row_higher_than_a_page_goes_on_behind_the_break),
		cmocka_unit_test(a_chart_of_too_many_rows_is_cut_into_pages),
		cmocka_unit_test(too_many_pages_or_bytes_are_refused_with_their_limit),
		cmocka_unit_test(a_document_may_be_given_up_at_any_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
