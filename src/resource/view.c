/*
 * The walk over a view's fields, joined with the table's rules: a server's field is never read, a secret is never shown, whatever a view
 * says. Reader, writer and description all walk here, so they cannot disagree.
 */
#include "resource/engine.h"

struct res_walk
res_walk(const struct res_def *def, const struct res_view *view)
{
	return (struct res_walk){ .def = def, .view = view };
}

static const struct res_field *
named_field(struct res_walk *w, const char *name)
{
	size_t n = w->def->field_count;
	for (size_t step = 0; step < n; step++) {
		size_t i = w->found + step;
		i = i < n ? i : i - n;
		if (strcmp(w->def->fields[i].name, name) == 0) {
			w->found = i + 1 < n ? i + 1 : 0;
			return &w->def->fields[i];
		}
	}
	check(!"the view names a field of the table");
	return NULL;
}

static unsigned
table_flags(const struct res_field *f)
{
	return (f->flags & RF_SERVER ? RV_READ_ONLY : 0u) | (f->flags & RF_SECRET ? RV_WRITE_ONLY : 0u);
}

static bool
next_of_table(struct res_walk *w, struct res_slot *out)
{
	while (w->next < w->def->field_count) {
		const struct res_field *f = &w->def->fields[w->next++];
		unsigned flags = table_flags(f);
		if ((f->flags & RF_HIDDEN) || flags == (RV_READ_ONLY | RV_WRITE_ONLY))
			continue;
		*out = (struct res_slot){ .name = str_from_cstr(f->name), .field = f, .flags = flags };
		return true;
	}
	return false;
}

bool
res_walk_next(struct res_walk *w, struct res_slot *out)
{
	if (!w->view || !w->view->fields)
		return next_of_table(w, out);
	if (w->next == w->view->field_count)
		return false;
	const struct res_view_field *v = &w->view->fields[w->next++];
	const struct res_field *f = v->field ? named_field(w, v->field) : NULL;
	unsigned flags = v->flags | (f ? table_flags(f) : RV_READ_ONLY);
	*out = (struct res_slot){ .name = str_from_cstr(v->name), .field = f, .view = v, .flags = flags };
	return true;
}
