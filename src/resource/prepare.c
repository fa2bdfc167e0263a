/*
 * The generated statements of a resource, prepared without being run: a column that the schema lacks, or one of another kind than the
 * table says, shows in a test and not in a request.
 */
#include "resource/engine.h"

static struct err *
check_writes(struct res_ctx *c, const struct res_def *def)
{
	struct res_shape shape = res_shape(def);
	const void *record = arena_alloc(c->arena, def->record_size);
	struct res_sql s;
	res_sql_init(&s, c->arena);
	res_sql_insert(&s, c, def, &shape, record);
	TRY(res_sql_prepare_check(&s, c->tx));
	res_sql_init(&s, c->arena);
	(void)res_sql_update(&s, c, def, &shape,
		&(struct res_change){ NULL, record }); /* everything is written, so something differs */
	res_sql_row(&s, c, def, &shape, record);
	return res_sql_prepare_check(&s, c->tx);
}

static void
add_filters(struct res_sql *s, struct res_ctx *c, const struct res_def *def)
{
	static const enum list_op ops[] = { LIST_EQ, LIST_NE, LIST_GT, LIST_LTE, LIST_IN, LIST_CONTAINS,
		LIST_IS_NULL };
	const void *record = arena_alloc(c->arena, def->record_size);
	for (size_t i = 0; i < def->field_count; i++)
		for (size_t k = 0; k < COUNT(ops); k++) {
			const struct res_field *f = &def->fields[i];
			struct db_param value = res_param_at(c->arena, f, res_member_of(f, record));
			if (!(f->flags & RF_FILTER) || (ops[k] == LIST_CONTAINS && f->kind != RES_TEXT))
				continue;
			res_sql_filter(s, db_tx_kind(c->tx),
				&(struct list_filter){
					.field = f, .op = ops[k], .values = &value, .count = 1 });
		}
}

struct err *
res_prepare_check(struct res_ctx *c, const struct res_def *def)
{
	struct res_sql s;
	if (def->perm[RES_CREATE] || def->perm[RES_UPDATE])
		TRY(check_writes(c, def));
	for (int op = RES_LIST; op < RES_OP_COUNT; op++) {
		res_sql_init(&s, c->arena);
		res_sql_add_str(&s, res_plan(c, def, NULL)->select);
		res_sql_from(&s, c, def);
		res_sql_scope(&s, c, def, (enum res_op)op);
		TRY(res_sql_prepare_check(&s, c->tx));
	}
	res_sql_init(&s, c->arena);
	res_sql_add_str(&s, res_plan(c, def, NULL)->select);
	res_sql_from(&s, c, def);
	add_filters(&s, c, def);
	bool few = res_sql_search(&s, c, def, STR("abc"));
	res_sql_add(&s, " ORDER BY ");
	for (size_t i = 0; i < def->field_count; i++)
		if (def->fields[i].flags & RF_SORT) {
			res_sql_order(&s, db_tx_kind(c->tx),
				&(struct list_sort){ .field = &def->fields[i], .descending = true }, few);
			res_sql_add(&s, ", ");
		}
	res_sql_add(&s, "id");
	return res_sql_prepare_check(&s, c->tx);
}
