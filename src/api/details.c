/*
 * The faults of fields as JSON: flat by the name the client used, or nested. The nested form is that of Django REST Framework: a fault of
 * "line_items[1].quantity" is {"line_items":[{},{"quantity":["…"]}]}. Several faults of one field stand together.
 */
#include "api/core.h"

#define INDEX_MAX \
	10000 /* a fault of a later element is told for this one; the list before it is written as {} */

static bool
told_before(const struct err *e, const struct err_field *f)
{
	for (const struct err_field *before = e->fields; before != f; before = before->next)
		if (str_eq(before->field, f->field))
			return true;
	return false;
}

static struct str
key_of(struct str field)
{
	return field.n ? field : STR("non_field_errors");
}

void
details_write(struct json_out *o, const struct err *e, enum details_style style)
{
	json_begin_object(o);
	for (const struct err_field *f = e->fields; f; f = f->next) {
		if (told_before(e, f))
			continue;
		json_key_escaped(o, key_of(f->field));
		if (style == DETAILS_TEXTS) {
			json_put_str(o, f->message);
			continue;
		}
		json_begin_array(o);
		for (const struct err_field *same = f; same; same = same->next)
			if (str_eq(same->field, f->field))
				json_put_str(o, same->message);
		json_end_array(o);
	}
	json_end_object(o);
}

/* ---- nested ---- */

struct message {
	struct message *next;
	struct str text;
};

/* A member or element that has faults, of its own or below it. */
struct fault_node {
	struct fault_node *next;
	struct str name;
	int64_t index; /* −1: a member */
	struct fault_node *first;
	struct message *messages;
};

static struct fault_node *
child_of(struct arena *a, struct fault_node *node, struct str name, int64_t index)
{
	struct fault_node **link = &node->first;
	while (*link && ((*link)->index < index || !str_eq((*link)->name, name))) {
		if (index >= 0 && (*link)->index > index)
			break;
		link = &(*link)->next;
	}
	if (*link && (*link)->index == index && str_eq((*link)->name, name))
		return *link;
	struct fault_node *made = arena_new_of(a, struct fault_node);
	made->name = name;
	made->index = index;
	made->next = *link;
	*link = made;
	return made;
}

/* The next step of "a.b[3].c": a name or an index. */
static void
next_step(struct str *path, struct str *name, int64_t *index)
{
	size_t end = 0;
	*index = -1;
	*name = (struct str){ NULL, 0 };
	if (path->p[0] == '[') {
		end = str_index(*path, ']', 0);
		if (str_to_int(str_sub(*path, 1, end - 1), index) && *index >= 0 && end < path->n) {
			*index = *index < INDEX_MAX ? *index : INDEX_MAX;
			*path = str_sub(*path, end + 1, path->n);
			if (path->n && path->p[0] == '.')
				*path = str_sub(*path, 1, path->n);
			return;
		}
		*index = -1;
		end = 1;
	}
	while (end < path->n && path->p[end] != '.' && path->p[end] != '[')
		end++;
	*name = str_sub(*path, 0, end);
	*path = str_sub(*path, end < path->n && path->p[end] == '.' ? end + 1 : end, path->n);
}

static void
insert(struct arena *a, struct fault_node *root, const struct err_field *f)
{
	struct fault_node *node = root;
	struct str path = key_of(f->field);
	while (path.n > 0) {
		struct str name;
		int64_t index;
		next_step(&path, &name, &index);
		/* A list and an object cannot be at one place: the first kind stays, the other is named by its text. */
		if (node->first && (node->first->index >= 0) != (index >= 0))
			break;
		node = child_of(a, node, name, index);
	}
	struct message **link = &node->messages;
	while (*link)
		link = &(*link)->next;
	*link = arena_new_of(a, struct message);
	(*link)->text = f->message;
}

static void
write_messages(struct json_out *o, const struct fault_node *node)
{
	json_begin_array(o);
	for (const struct message *m = node->messages; m; m = m->next)
		json_put_str(o, m->text);
	json_end_array(o);
}

static void
write_node(struct json_out *o, const struct fault_node *node)
{
	if (!node->first) {
		write_messages(o, node);
		return;
	}
	if (node->first->index >= 0) {
		int64_t at = 0;
		json_begin_array(o);
		for (const struct fault_node *child = node->first; child; child = child->next, at++) {
			for (; at < child->index; at++) {
				json_begin_object(o);
				json_end_object(o);
			}
			write_node(o, child);
		}
		json_end_array(o);
		return;
	}
	json_begin_object(o);
	if (node->messages) {
		json_key(o, STR("non_field_errors"));
		write_messages(o, node);
	}
	for (const struct fault_node *child = node->first; child; child = child->next) {
		json_key_escaped(o, child->name);
		write_node(o, child);
	}
	json_end_object(o);
}

static struct fault_node
tree_of(struct arena *a, const struct err *e)
{
	struct fault_node root = { .index = -1 };
	for (const struct err_field *f = e->fields; f; f = f->next)
		insert(a, &root, f);
	return root;
}

void
details_write_nested(struct json_out *o, struct arena *a, const struct err *e)
{
	const struct fault_node root = tree_of(a, e);
	if (!root.first) {
		json_begin_object(o);
		json_end_object(o);
		return;
	}
	write_node(o, &root);
}

static bool
is_taken(struct str name, const char *const *taken)
{
	for (; *taken; taken++)
		if (str_eq(name, str_from_cstr(*taken)))
			return true;
	return false;
}

void
details_hoist(struct json_out *o, struct arena *a, const struct err *e, const char *const *taken)
{
	const struct fault_node root = tree_of(a, e);
	for (const struct fault_node *child = root.first; child; child = child->next) {
		if (child->index >= 0 || is_taken(child->name, taken))
			continue;
		json_key_escaped(o, child->name);
		write_node(o, child);
	}
}
