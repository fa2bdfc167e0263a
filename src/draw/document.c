/*
 * Opening, pages and finishing. cairo keeps the first error of a surface and ignores what follows, and so does this room: draw_finish asks
 * once. The font map belongs to the document, so that threads share nothing but fontconfig's own lists.
 */
#include "draw/document_parts.h"
#include "draw/text.h"
#include <cairo-pdf.h>

#define DRAW_FONT "Open Sans, DejaVu Sans"

const struct draw_style draw_body = { .size = 9.5, .role = DRAW_INK };
const struct draw_style draw_strong = { .size = 9.5, .role = DRAW_INK, .bold = true };
const struct draw_style draw_quiet = { .size = 9.5, .role = DRAW_QUIET };
const struct draw_style draw_small = { .size = 8, .role = DRAW_QUIET };

#ifdef __SANITIZE_ADDRESS__
/* fontconfig keeps its configuration until the process ends, where no pointer of ours reaches. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
__attribute__((visibility("default"))) const char *__lsan_default_options(void);
const char *
__lsan_default_suppressions(void)
{
	return "leak:libfontconfig\n";
}

const char *
__lsan_default_options(void)
{
	return "print_suppressions=0";
}
#endif

static cairo_status_t
take_bytes(void *closure, const unsigned char *bytes, unsigned n)
{
	struct buf *b = closure;

	buf_add(b, bytes, n);
	return buf_is_over(b) ? CAIRO_STATUS_WRITE_ERROR : CAIRO_STATUS_SUCCESS;
}

static void
set_metadata(struct draw_doc *d, cairo_pdf_metadata_t which, struct str text)
{
	struct str plain = draw_plain(d->arena, text);

	if (plain.n)
		cairo_pdf_surface_set_metadata(d->surface, which, arena_cstr(d->arena, plain));
}

static void
open_surface(struct draw_doc *d)
{
	struct buf created;
	struct instant whole = { d->options.created.us - d->options.created.us % INSTANT_SECOND };

	d->surface = cairo_pdf_surface_create_for_stream(take_bytes, &d->pdf, PAGE_WIDTH, PAGE_HEIGHT);
	/* Newer versions keep their cross-references in a form that pdf_amend does not write. */
	cairo_pdf_surface_restrict_to_version(d->surface, CAIRO_PDF_VERSION_1_4);
	set_metadata(d, CAIRO_PDF_METADATA_TITLE, d->options.title);
	set_metadata(d, CAIRO_PDF_METADATA_AUTHOR, d->options.author);
	set_metadata(d, CAIRO_PDF_METADATA_SUBJECT, d->options.subject);
	buf_init_arena(&created, d->arena, 64);
	instant_write(&created, whole, INSTANT_ISO_SECONDS, NULL);
	set_metadata(d, CAIRO_PDF_METADATA_CREATE_DATE, buf_str(&created));
	d->cr = cairo_create(d->surface);
}

static void
open_fonts(struct draw_doc *d)
{
	cairo_font_options_t *exact = cairo_font_options_create();

	d->fonts = pango_cairo_font_map_new();
	d->context = pango_font_map_create_context(d->fonts);
	/* Places follow from the outlines alone, whatever screen the machine has. */
	cairo_font_options_set_hint_style(exact, CAIRO_HINT_STYLE_NONE);
	cairo_font_options_set_hint_metrics(exact, CAIRO_HINT_METRICS_OFF);
	pango_cairo_context_set_font_options(d->context, exact);
	cairo_font_options_destroy(exact);
	pango_context_set_round_glyph_positions(d->context, FALSE);
	pango_context_set_language(
		d->context, pango_language_from_string(arena_cstr(d->arena, d->options.language)));
	d->layout = layout_new(d);
}

static struct err *
status_err(const struct draw_doc *d, cairo_status_t status)
{
	if (d->too_long)
		return err_new(d->arena, ERR_TOO_LARGE, "The document would have more than %d pages.",
			DRAW_PAGES_MAX);
	if (status == CAIRO_STATUS_SUCCESS)
		return NULL;
	if (status == CAIRO_STATUS_WRITE_ERROR && buf_is_over(&d->pdf))
		return err_new(d->arena, ERR_TOO_LARGE, "The document would be larger than %zu bytes.",
			d->options.max_bytes);
	return err_private(d->arena, status == CAIRO_STATUS_NO_MEMORY ? ERR_UNAVAILABLE : ERR_INTERNAL,
		"cairo: %s", cairo_status_to_string(status));
}

struct err *
draw_open(struct arena *a, const struct draw_options *o, struct draw_doc **out)
{
	struct draw_doc *d = arena_new_of(a, struct draw_doc);

	d->arena = a;
	d->options = *o;
	buf_init(&d->pdf, o->max_bytes);
	open_surface(d);
	open_fonts(d);
	struct err *e = status_err(d, cairo_status(d->cr));
	if (e) {
		draw_close(d);
		return e;
	}
	cairo_tag_begin(d->cr, "Document", NULL);
	page_begin(d);
	*out = d;
	return NULL;
}

void
use_colour(struct draw_doc *d, enum draw_role role)
{
	struct draw_rgb c = draw_rgb(role);

	cairo_set_source_rgb(d->cr, c.red, c.green, c.blue);
}

void
draw_rule(struct draw_doc *d, double y, enum draw_role role, double width)
{
	use_colour(d, role);
	cairo_set_line_width(d->cr, width);
	cairo_new_path(d->cr);
	cairo_move_to(d->cr, MARGIN_SIDE, y);
	cairo_line_to(d->cr, PAGE_WIDTH - MARGIN_SIDE, y);
	cairo_stroke(d->cr);
}

void
page_begin(struct draw_doc *d)
{
	d->page++;
	d->too_long = d->too_long || d->page > DRAW_PAGES_MAX;
	d->y = MARGIN_TOP;
}

static void
draw_foot(struct draw_doc *d)
{
	static const struct draw_style left = { .size = 7.5, .role = DRAW_QUIET };
	static const struct draw_style right = { .size = 7.5, .role = DRAW_QUIET, .align = DRAW_RIGHT };
	struct str number = d->options.pages ? arena_fmt(d->arena, "Page %d of %d", d->page, d->options.pages)
					     : arena_fmt(d->arena, "Page %d", d->page);
	double y = PAGE_HEIGHT - MARGIN_FOOT + 18;

	draw_rule(d, y, DRAW_LINE, 0.7);
	use_colour(d, DRAW_QUIET);
	layout_set(d, d->layout, &left, BODY_WIDTH - 90, d->options.footer);
	pango_layout_set_height(d->layout, -1);
	pango_layout_set_ellipsize(d->layout, PANGO_ELLIPSIZE_END);
	cairo_move_to(d->cr, MARGIN_SIDE, y + 6);
	pango_cairo_show_layout(d->cr, d->layout);
	pango_layout_set_ellipsize(d->layout, PANGO_ELLIPSIZE_NONE);
	layout_set(d, d->layout, &right, BODY_WIDTH, number);
	cairo_move_to(d->cr, MARGIN_SIDE, y + 6);
	pango_cairo_show_layout(d->cr, d->layout);
}

static void
page_end(struct draw_doc *d)
{
	draw_foot(d);
	cairo_show_page(d->cr);
}

void
page_break(struct draw_doc *d)
{
	/* Beyond the limit nothing is drawn any more; the document is refused at its end. */
	if (d->too_long)
		d->y = MARGIN_TOP;
	else {
		page_end(d);
		page_begin(d);
	}
}

struct err *
draw_finish(struct draw_doc *d, struct buf *out)
{
	draw_foot(d);
	/* Before the last page is shown: later versions of cairo begin another page for a tag behind it. */
	cairo_tag_end(d->cr, "Document");
	cairo_show_page(d->cr);
	cairo_status_t status = cairo_status(d->cr);
	cairo_surface_finish(d->surface);
	if (status == CAIRO_STATUS_SUCCESS)
		status = cairo_surface_status(d->surface);
	TRY(status_err(d, status));
	TRY(pdf_amend(d->arena, &d->pdf, d->options.language));
	buf_add_str(out, buf_str(&d->pdf));
	return NULL;
}

void
draw_close(struct draw_doc *d)
{
	if (!d)
		return;
	g_clear_object(&d->layout);
	g_clear_object(&d->context);
	g_clear_object(&d->fonts);
	if (d->cr)
		cairo_destroy(d->cr);
	if (d->surface) {
		/* An unfinished one writes its rest; nobody reads that. */
		cairo_surface_finish(d->surface);
		cairo_surface_destroy(d->surface);
	}
	buf_done(&d->pdf);
	d->cr = NULL;
	d->surface = NULL;
}

double
draw_width(const struct draw_doc *d)
{
	(void)d;
	return BODY_WIDTH;
}

double
draw_left(const struct draw_doc *d)
{
	return PAGE_BOTTOM - d->y;
}

int
draw_pages(const struct draw_doc *d)
{
	return d->page;
}

PangoLayout *
layout_new(struct draw_doc *d)
{
	PangoLayout *l = pango_layout_new(d->context);
	PangoAttrList *attributes = pango_attr_list_new();

	/* A ligature would be found as one odd character by whoever searches the text. */
	pango_attr_list_insert(attributes, pango_attr_font_features_new("liga=0, clig=0"));
	pango_layout_set_attributes(l, attributes);
	pango_attr_list_unref(attributes);
	pango_layout_set_wrap(l, PANGO_WRAP_WORD_CHAR);
	return l;
}

#define WORD_BYTES 3000

/* pango's time to wrap a word grows with the square of its length; none is left that long. */
static struct str
divide(struct arena *a, struct str s)
{
	size_t word = 0, kept = 0;
	struct buf b;

	if (s.n <= WORD_BYTES)
		return s;
	buf_init_arena(&b, a, s.n * 2);
	for (size_t i = 0; i < s.n; i++) {
		bool is_start = ((unsigned char)s.p[i] & 0xC0) != 0x80;
		if (s.p[i] == ' ' || s.p[i] == '\n') {
			word = i + 1;
		} else if (is_start && i - word >= WORD_BYTES) {
			buf_add_str(&b, str_sub(s, kept, i - kept));
			buf_add_byte(&b, '\n');
			word = kept = i;
		}
	}
	buf_add_str(&b, str_sub(s, kept, s.n));
	return buf_str(&b);
}

void
layout_set(struct draw_doc *d, PangoLayout *l, const struct draw_style *s, double width, struct str text)
{
	static const PangoAlignment alignments[] = { PANGO_ALIGN_LEFT, PANGO_ALIGN_CENTER,
		PANGO_ALIGN_RIGHT };
	PangoFontDescription *font = pango_font_description_new();
	struct str plain = divide(d->arena, draw_plain(d->arena, text));

	pango_font_description_set_family_static(font, DRAW_FONT);
	pango_font_description_set_absolute_size(font, s->size * PANGO_SCALE);
	pango_font_description_set_weight(font, s->bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
	pango_layout_set_font_description(l, font);
	pango_font_description_free(font);
	pango_layout_set_width(l, width < 0 ? -1 : (int)(width * PANGO_SCALE));
	pango_layout_set_alignment(l, alignments[s->align]);
	pango_layout_set_spacing(l, (int)(s->size * 0.18 * PANGO_SCALE));
	pango_layout_set_text(l, plain.n ? plain.p : "", (int)plain.n);
}
