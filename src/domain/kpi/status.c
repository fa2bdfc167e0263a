/*
 * Judging a KPI on what is stored: which window, which figure, which target; and telling a crossing once. A formula's state follows its
 * sources in the same transaction.
 */
#include "domain/kpi/status.h"
#include "domain/kpi/formula.h"
#include "domain/kpi/kpi_sql.h"
#include "domain/kpi/memory.h"
#include "domain/notice/notice.h"

const char *const kpi_state_names[] = { "on_track", "warning", "critical", "no_data", NULL };

/* The window that holds the latest value: a target's period, the KPI's own dates, or its calendar period. */
static void
choose_window(const struct res_ctx *c, const struct kpi *k, struct date first, const struct kpi_target *t,
	struct kpi_standing *s)
{
	bool has_start = kpi_has(k, "time_config.start_date"), has_end = kpi_has(k, "time_config.end_date");

	if (t) {
		s->from = t->start;
		s->to = (struct date){ period_add(t->start, t->period, 1).days - 1 };
	} else if (has_start || has_end) {
		s->from = has_start ? kpi_day(c, k->start_date) : first;
		s->to = has_end ? kpi_day(c, k->end_date) : s->as_of;
		if (s->as_of.days > s->to.days)
			s->as_of = s->to;
	} else {
		s->from = period_start(s->as_of, (enum period)k->period);
		s->to = (struct date){ period_add(s->as_of, (enum period)k->period, 1).days - 1 };
	}
}

/* The part of the target that the days up to as_of stand for. */
static struct decimal
expected_by(const struct kpi *k, const struct kpi_standing *s)
{
	struct decimal days_gone = { s->as_of.days - s->from.days + 1, 0 },
		       days = { s->to.days - s->from.days + 1, 0 }, part;

	if (!k->prorate || k->aggregation != KPI_SUM || s->as_of.days >= s->to.days ||
		s->as_of.days < s->from.days)
		return s->target;
	if (!decimal_mul(s->target, days_gone, s->target.scale, &part) ||
		!decimal_div(part, days, s->target.scale + 2, &part))
		return s->target;
	return part;
}

/* Whether values without any target keep the KPI on track, whatever their figure is. */
static bool
stays_on_track(const struct kpi *k, enum kpi_state previous, const struct kpi_standing *s)
{
	return previous == KPI_ON_TRACK && !s->has_target && k->direction != KPI_RANGE &&
	       str_is_empty(k->formula) && !kpi_has(k, "time_config.start_date") &&
	       !kpi_has(k, "time_config.end_date") && !kpi_has(k, "time_config.no_data_after_days");
}

/* A KPI that no value can be entered for is never remembered, nor is a ground whose window begins with the values. */
static struct err *
find_ground(struct res_ctx *c, const struct kpi *k, struct kpi_memo *m, struct kpi_ground *g,
	struct date *first, bool *found)
{
	/* Where a window has an end but no beginning of its own, it begins with the values. */
	bool open_start = kpi_has(k, "time_config.end_date") && !kpi_has(k, "time_config.start_date");
	struct date today = kpi_day(c, c->now);

	*found = true;
	if (m->has_ground && m->ground.today.days == today.days && m->ground.zone == c->actor->zone) {
		*g = m->ground;
		return NULL;
	}
	*g = (struct kpi_ground){ .today = today, .zone = c->actor->zone };
	if (m->has_last_day && !open_start) {
		g->last_day = m->last_day;
		*found = m->any_day;
	} else {
		TRY(kpi_extent(c, k, today, open_start ? first : NULL, &g->last_day, found));
	}
	if (!*found)
		return NULL;
	TRY(kpi_target_on(c, k, g->last_day, &g->target, &g->has_period_target));
	if (!open_start) {
		m->ground = *g;
		m->has_ground = true;
		m->has_figure = false;
	}
	return NULL;
}

/* The figure of the window; s->has_value tells whether there is one. */
static struct err *
find_figure(struct res_ctx *c, const struct kpi *k, struct kpi_memo *m, struct kpi_standing *s)
{
	if (!str_is_empty(k->formula) || !m->has_ground)
		return kpi_figure(c, k, ROLLUP_ALL, s->from, s->as_of, &s->value, &s->has_value);
	if (!m->has_figure || m->from.days != s->from.days || m->to.days != s->as_of.days) {
		m->has_figure = false;
		TRY(gather_read(c, k, ROLLUP_ALL, s->from, s->as_of, &m->figure));
		m->from = s->from;
		m->to = s->as_of;
		m->has_figure = true;
	}
	s->has_value = m->figure.any;
	if (s->has_value)
		s->value = gather_figure(k, &m->figure);
	return NULL;
}

/* state_only: nobody wants to know the figure of a KPI whose state is the same whatever it is. */
static struct err *
judge(struct res_ctx *c, const struct kpi *k, struct kpi_memo *m, bool state_only, struct kpi_standing *s)
{
	struct date first = { 0 };
	enum kpi_state previous = m->state;
	struct kpi_ground g;
	bool found;

	*s = (struct kpi_standing){ .state = KPI_NO_DATA };
	TRY(find_ground(c, k, m, &g, &first, &found));
	if (!found)
		return NULL;
	s->as_of = g.last_day;
	choose_window(c, k, first, g.has_period_target ? &g.target : NULL, s);
	s->has_target = g.has_period_target || kpi_has(k, "thresholds.target_value");
	s->target = g.has_period_target ? g.target.value : k->target_value;
	s->expected = expected_by(k, s);
	if (state_only && stays_on_track(k, previous, s)) {
		s->state = KPI_ON_TRACK;
		return NULL;
	}
	TRY(find_figure(c, k, m, s));
	if (!s->has_value)
		return NULL;
	if (s->has_target || k->direction == KPI_RANGE)
		s->has_achievement = kpi_achievement(k, s->value, s->expected, &s->achievement);
	if (kpi_has(k, "time_config.no_data_after_days") &&
		g.today.days - s->as_of.days > k->no_data_after_days)
		return NULL;
	s->state = s->has_achievement ? kpi_judge(k, s->achievement, previous) : KPI_ON_TRACK;
	return NULL;
}

static enum kpi_state
state_named(struct str name)
{
	for (int i = 0; kpi_state_names[i]; i++)
		if (str_eq(name, str_from_cstr(kpi_state_names[i])))
			return (enum kpi_state)i;
	return KPI_NO_DATA;
}

/*
 * What judging asks first, in one query: from memory, or into the memo of this call. A formula's days are its sources'.
 */
static struct err *
find_facts(struct res_ctx *c, const struct kpi *k, struct kpi_memo *m)
{
	struct db_rows rows;
	bool found;

	if (m->has_state)
		return NULL;
	TRY(DB_FIND(c->tx, &sql_kpi_facts, &rows, &found, P_INT(c->actor->company_id), P_TEXT(k->id),
		P_TEXT(kpi_date_text(c->arena, kpi_day(c, c->now)))));
	m->state = db_is_null(&rows, 0) ? KPI_NO_DATA : state_named(db_text(&rows, 0));
	m->any_day = !db_is_null(&rows, 1);
	if (m->any_day)
		check(date_parse(db_text(&rows, 1), &m->last_day));
	m->is_unused = db_int(&rows, 2) == 0;
	m->has_state = true;
	return NULL;
}

/* The writer's memo, or one that lasts as long as the call. */
static struct kpi_memo *
memo_of(const struct res_ctx *c, const struct kpi *k)
{
	struct kpi_memo *m = kpi_memo_find(c, k->id);

	if (m)
		return m;
	m = arena_new_of(c->arena, struct kpi_memo);
	m->has_last_day = str_is_empty(k->formula);
	return m;
}

struct err *
kpi_standing(struct res_ctx *c, const struct kpi *k, struct kpi_standing *out)
{
	struct kpi_memo *m = memo_of(c, k);
	TRY(find_facts(c, k, m));
	return judge(c, k, m, false, out);
}

static void
put_decimal(struct json_out *o, struct str key, bool present, struct decimal d)
{
	json_key(o, key);
	if (present)
		json_put_decimal(o, d, true);
	else
		json_put_null(o);
}

static struct str
crossing_text(struct res_ctx *c, const struct kpi *k, enum kpi_state previous, const struct kpi_standing *s)
{
	struct buf b;
	struct json_out o;

	buf_init_arena(&b, c->arena, LIMIT_TEXT_BYTES);
	json_out_init(&o, &b);
	json_begin_object(&o);
	json_pair_str(&o, "kpi_id", k->id);
	json_pair_str(&o, "name", k->name);
	json_pair_str(&o, "unit", k->currency.n ? k->currency : k->unit);
	json_pair_str(&o, "status", str_from_cstr(kpi_state_names[s->state]));
	json_pair_str(&o, "previous_status", str_from_cstr(kpi_state_names[previous]));
	put_decimal(&o, STR("value"), s->has_value, s->value);
	put_decimal(&o, STR("target"), s->has_target, s->target);
	put_decimal(&o, STR("expected"), s->has_target, s->expected);
	put_decimal(&o, STR("achievement"), s->has_achievement, s->achievement);
	if (s->has_value) {
		json_pair_str(&o, "from", kpi_date_text(c->arena, s->from));
		json_pair_str(&o, "as_of", kpi_date_text(c->arena, s->as_of));
	}
	json_end_object(&o);
	return buf_str(&b);
}

/* NULL: nothing that anybody needs to be told. */
static const char *
crossing_event(enum kpi_state previous, enum kpi_state now)
{
	if (now == KPI_NO_DATA)
		return "threshold.no_data";
	if (previous == KPI_NO_DATA)
		return now == KPI_ON_TRACK ? NULL : "threshold.breached";
	return now > previous ? "threshold.breached" : "threshold.recovered";
}

static struct err *
store_crossing(struct res_ctx *c, const struct kpi *k, struct kpi_memo *m, const struct kpi_standing *s)
{
	enum kpi_state previous = m->state;
	const char *event = crossing_event(previous, s->state);
	struct buf achievement;

	buf_init_arena(&achievement, c->arena, 64);
	decimal_write_short(&achievement, s->achievement);
	db_tx_remembers(c->tx);
	TRY(DB_EXEC(c->tx, &sql_kpi_state_put, P_INT(c->actor->company_id), P_TEXT(k->id),
		P_TEXT(str_from_cstr(kpi_state_names[s->state])), P_INSTANT(c->now),
		s->has_achievement ? P_TEXT(buf_str(&achievement)) : P_NULL));
	m->state = s->state;
	if (!event)
		return NULL;
	const struct notice notice = { event, k->id, crossing_text(c, k, previous, s) };
	TRY(event_add(c, str_from_cstr(event), "kpi", k->id, STR(""), notice.details));
	return notice_put(c, &notice);
}

static struct err *update_at_depth(struct res_ctx *c, const struct kpi *k, int depth);

/* The formulas that read k. Their ids are collected first: going deeper uses the same statements. */
static struct err *
update_users(struct res_ctx *c, const struct kpi *k, const struct kpi_memo *m, int depth)
{
	struct user {
		struct user *next;
		struct str id;
	} *users = NULL;
	struct db_rows rows;
	bool row, found;

	if (depth >= FORMULA_LEVELS || m->is_unused)
		return NULL;
	TRY(DB_QUERY(c->tx, &sql_kpi_reference_users, &rows, P_INT(c->actor->company_id), P_TEXT(k->id)));
	for (;;) {
		TRY(db_next(&rows, &row));
		if (!row)
			break;
		struct user *u = arena_new_of(c->arena, struct user);
		*u = (struct user){ users, db_text_copy(&rows, 0) };
		users = u;
	}
	for (; users; users = users->next) {
		struct kpi formula = { 0 };
		TRY(DB_FIND(
			c->tx, &sql_kpi_lock, &rows, &found, P_INT(c->actor->company_id), P_TEXT(users->id)));
		TRY(res_find(c, &kpi_res, "id", P_TEXT(users->id), &formula, &found));
		if (found)
			TRY(update_at_depth(c, &formula, depth + 1));
	}
	return NULL;
}

static struct err *
update_at_depth(struct res_ctx *c, const struct kpi *k, int depth)
{
	struct kpi_memo *m = memo_of(c, k);
	struct kpi_standing s;

	TRY(find_facts(c, k, m));
	if (k->status == KPI_ACTIVE) {
		TRY(judge(c, k, m, true, &s));
		if (s.state != m->state)
			TRY(store_crossing(c, k, m, &s));
	}
	return update_users(c, k, m, depth);
}

struct err *
kpi_state_is_stale(struct res_ctx *c, const struct kpi *k, bool *stale)
{
	struct kpi_memo *m = memo_of(c, k);
	struct kpi_standing s;

	*stale = false;
	if (k->status != KPI_ACTIVE)
		return NULL;
	TRY(find_facts(c, k, m));
	TRY(judge(c, k, m, true, &s));
	*stale = s.state != m->state;
	return NULL;
}

struct err *
kpi_state_update(struct res_ctx *c, const struct kpi *k)
{
	return update_at_depth(c, k, 0);
}
