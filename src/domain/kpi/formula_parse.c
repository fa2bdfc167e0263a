/*
 * The formula parser: recursive descent over the text, writing operations in postfix order. Depth, length and number of references are
 * bounded, so no text can exhaust the stack or the evaluator.
 */
#include "domain/kpi/formula_parts.h"

struct parser {
	struct arena *arena;
	struct str text;
	size_t at;
	int depth;
	struct formula *f;
	struct err *fault; /* the first one */
};

static const struct {
	struct str name;
	enum formula_op op;
	int args_min, args_max;
} functions[] = {
	{ STR_INIT("min"), FOP_MIN, 1, 32 },
	{ STR_INIT("max"), FOP_MAX, 1, 32 },
	{ STR_INIT("sum"), FOP_SUM, 1, 32 },
	{ STR_INIT("avg"), FOP_AVG, 1, 32 },
	{ STR_INIT("abs"), FOP_ABS, 1, 1 },
	{ STR_INIT("round"), FOP_ROUND, 1, 2 },
	{ STR_INIT("if"), FOP_IF, 3, 3 },
	{ STR_INIT("coalesce"), FOP_COALESCE, 1, 32 },
};

static void parse_comparison(struct parser *p);

static void
fail(struct parser *p, const char *what)
{
	if (!p->fault)
		p->fault = err_new(p->arena, ERR_INVALID_INPUT, "%s at position %zu.", what, p->at + 1);
}

static char
peek(struct parser *p)
{
	while (p->at < p->text.n && strchr(" \t\r\n", p->text.p[p->at]))
		p->at++;
	return p->at < p->text.n ? p->text.p[p->at] : '\0';
}

static bool
take(struct parser *p, const char *symbol)
{
	struct str s = str_from_cstr(symbol);
	(void)peek(p); /* skips blanks */
	if (!str_starts_with(str_sub(p->text, p->at, p->text.n), s))
		return false;
	p->at += s.n;
	return true;
}

static void
emit(struct parser *p, struct formula_node node)
{
	if (p->f->count == FORMULA_NODES_MAX)
		fail(p, "The formula is too long");
	else
		p->f->nodes[p->f->count++] = node;
}

static void
emit_op(struct parser *p, enum formula_op op, int args)
{
	emit(p, (struct formula_node){ .op = op, .args = args });
}

static void
parse_number(struct parser *p)
{
	size_t end = p->at;
	while (end < p->text.n && strchr("0123456789.", p->text.p[end]))
		end++;
	struct formula_node n = { .op = FOP_NUMBER };
	if (decimal_parse(str_sub(p->text, p->at, end - p->at), &n.number) != DECIMAL_OK) {
		fail(p, "A number is expected");
		return;
	}
	p->at = end;
	emit(p, n);
}

static void
parse_reference(struct parser *p)
{
	size_t end = str_index(p->text, '}', p->at);
	struct str id = str_trim(str_sub(p->text, p->at + 1, end - p->at - 1));
	if (end == p->text.n || id.n == 0 || id.n > LIMIT_ID_CHARS) {
		fail(p, "A KPI's id in braces is expected");
		return;
	}
	size_t i = 0;
	while (i < p->f->ref_count && !str_eq(p->f->refs[i], id))
		i++;
	if (i == FORMULA_REFS_MAX) {
		fail(p, "The formula refers to too many KPIs");
		return;
	}
	if (i == p->f->ref_count)
		p->f->refs[p->f->ref_count++] = arena_str(p->arena, id);
	p->at = end + 1;
	emit(p, (struct formula_node){ .op = FOP_REF, .ref = i });
}

static void
parse_call(struct parser *p)
{
	size_t end = p->at;
	while (end < p->text.n && ((p->text.p[end] | 32) >= 'a' && (p->text.p[end] | 32) <= 'z'))
		end++;
	struct str name = str_sub(p->text, p->at, end - p->at);
	size_t i = 0;
	while (i < COUNT(functions) && !str_eq_nocase(functions[i].name, name))
		i++;
	if (i == COUNT(functions)) {
		fail(p, "A number, a {kpi}, a function or ( is expected");
		return;
	}
	p->at = end;
	if (!take(p, "(")) {
		fail(p, "( is expected");
		return;
	}
	int args = 0;
	do {
		parse_comparison(p);
		args++;
	} while (!p->fault && take(p, ","));
	if (!p->fault && !take(p, ")"))
		fail(p, "A comma or ) is expected");
	else if (!p->fault && (args < functions[i].args_min || args > functions[i].args_max))
		fail(p, "Another number of arguments is expected");
	emit_op(p, functions[i].op, args);
}

static void
parse_primary(struct parser *p)
{
	char c = peek(p);
	if ((c >= '0' && c <= '9') || c == '.') {
		parse_number(p);
	} else if (c == '{') {
		parse_reference(p);
	} else if (take(p, "(")) {
		parse_comparison(p);
		if (!p->fault && !take(p, ")"))
			fail(p, ") is expected");
	} else {
		parse_call(p);
	}
}

static void
parse_unary(struct parser *p)
{
	if (++p->depth > FORMULA_DEPTH_MAX)
		fail(p, "The formula is nested too deeply");
	if (p->fault) {
		p->depth--;
		return;
	}
	if (take(p, "-")) {
		parse_unary(p);
		emit_op(p, FOP_NEGATE, 1);
	} else {
		parse_primary(p);
	}
	p->depth--;
}

static void
parse_product(struct parser *p)
{
	parse_unary(p);
	while (!p->fault) {
		enum formula_op op;
		if (take(p, "*"))
			op = FOP_MUL;
		else if (take(p, "/"))
			op = FOP_DIV;
		else
			return;
		parse_unary(p);
		emit_op(p, op, 2);
	}
}

static void
parse_sum(struct parser *p)
{
	parse_product(p);
	while (!p->fault) {
		enum formula_op op;
		if (take(p, "+"))
			op = FOP_ADD;
		else if (take(p, "-"))
			op = FOP_SUB;
		else
			return;
		parse_product(p);
		emit_op(p, op, 2);
	}
}

static void
parse_comparison(struct parser *p)
{
	static const struct {
		const char *symbol;
		enum formula_op op;
	} symbols[] = { { "<=", FOP_LTE }, { ">=", FOP_GTE }, { "!=", FOP_NE }, { "<", FOP_LT },
		{ ">", FOP_GT }, { "=", FOP_EQ } };

	parse_sum(p);
	for (size_t i = 0; i < COUNT(symbols) && !p->fault; i++) {
		if (take(p, symbols[i].symbol)) {
			parse_sum(p);
			emit_op(p, symbols[i].op, 2);
			return;
		}
	}
}

struct err *
formula_parse(struct arena *a, struct str text, struct formula **out)
{
	struct parser p = { .arena = a, .text = text, .f = arena_new_of(a, struct formula) };

	parse_comparison(&p);
	if (!p.fault && peek(&p) != '\0')
		fail(&p, "An operator is expected");
	if (!p.fault && p.f->ref_count == 0)
		fail(&p, "A formula refers to at least one KPI; it ends");
	if (p.fault)
		return p.fault;
	*out = p.f;
	return NULL;
}

size_t
formula_ref_count(const struct formula *f)
{
	return f->ref_count;
}

struct str
formula_ref(const struct formula *f, size_t index)
{
	check(index < f->ref_count);
	return f->refs[index];
}
