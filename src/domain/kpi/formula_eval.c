/*
 * The formula evaluator: a stack machine over the postfix operations with exact 128-bit decimals. A value that is missing, or that
 * cannot be represented, makes everything computed from it missing (but for coalesce and the branch of if that is not taken).
 */
#include "domain/kpi/formula_parts.h"

__extension__ typedef __int128 wide;

/* coef × 10^-scale, scale 0 to FORMULA_SCALE. */
struct exact {
	bool present;
	wide coef;
	int scale;
};

static const struct exact missing = { .present = false };

/* Rounded half away from zero to a smaller scale. */
static struct exact
coarsen(struct exact x, int scale)
{
	while (x.scale > scale) {
		/* Only the last step may round: dropping a digit at a time would round twice. */
		wide divisor = 1;
		while (x.scale > scale && divisor < (wide)1000000000000000000) {
			divisor *= 10;
			x.scale--;
		}
		wide rest = x.coef % divisor;
		x.coef /= divisor;
		if (x.scale == scale && (rest < 0 ? -rest : rest) * 2 >= divisor)
			x.coef += rest < 0 ? -1 : 1;
	}
	return x;
}

static struct exact
trim(struct exact x)
{
	while (x.scale > 0 && x.coef % 10 == 0) {
		x.coef /= 10;
		x.scale--;
	}
	return x;
}

/* False when it does not fit. */
static bool
refine(struct exact *x, int scale)
{
	while (x->scale < scale) {
		if (__builtin_mul_overflow(x->coef, (wide)10, &x->coef))
			return false;
		x->scale++;
	}
	return true;
}

static struct exact
add(struct exact x, struct exact y)
{
	int scale = x.scale > y.scale ? x.scale : y.scale;
	struct exact r = { true, 0, scale };
	if (!refine(&x, scale) || !refine(&y, scale) || __builtin_add_overflow(x.coef, y.coef, &r.coef))
		return missing;
	return trim(r);
}

static struct exact
negate(struct exact x)
{
	return __builtin_sub_overflow((wide)0, x.coef, &x.coef) ? missing : x;
}

static struct exact
multiply(struct exact x, struct exact y)
{
	struct exact r = { true, 0, x.scale + y.scale };
	while (__builtin_mul_overflow(x.coef, y.coef, &r.coef)) {
		struct exact *longer = x.scale >= y.scale ? &x : &y;
		if (longer->scale == 0)
			return missing;
		*longer = coarsen(*longer, longer->scale - 1);
		r.scale = x.scale + y.scale;
	}
	return trim(coarsen(r, FORMULA_SCALE));
}

static struct exact
divide(struct exact x, struct exact y)
{
	if (y.coef == 0)
		return missing;
	/* One digit more than kept, so that the rounding sees it. */
	struct exact n = x;
	int wanted = FORMULA_SCALE + 1 + y.scale;
	while (n.scale < wanted && !__builtin_mul_overflow(n.coef, (wide)10, &x.coef)) {
		n.coef = x.coef;
		n.scale++;
	}
	if (n.scale < y.scale && !refine(&n, y.scale))
		return missing;
	struct exact r = { true, n.coef / y.coef, n.scale - y.scale };
	return trim(coarsen(r, FORMULA_SCALE));
}

static int
compare(struct exact x, struct exact y)
{
	int scale = x.scale > y.scale ? x.scale : y.scale;
	if (!refine(&x, scale) || !refine(&y, scale)) {
		/* Too large to align: then the unscaled magnitudes tell. */
		x = coarsen(x, 0);
		y = coarsen(y, 0);
	}
	return x.coef < y.coef ? -1 : x.coef > y.coef;
}

static struct exact
truth(bool b)
{
	return (struct exact){ true, b, 0 };
}

static struct exact
fold(enum formula_op op, const struct exact *args, int count)
{
	struct exact r = args[0];
	for (int i = 1; i < count && r.present; i++) {
		if (op == FOP_MIN || op == FOP_MAX) {
			int order = compare(args[i], r);
			if (op == FOP_MIN ? order < 0 : order > 0)
				r = args[i];
		} else {
			r = add(r, args[i]);
		}
	}
	if (op == FOP_AVG && r.present)
		r = divide(r, (struct exact){ true, count, 0 });
	return r;
}

static struct exact
call(const struct formula_node *n, const struct exact *args)
{
	if (n->op == FOP_COALESCE) {
		for (int i = 0; i < n->args; i++)
			if (args[i].present)
				return args[i];
		return missing;
	}
	if (n->op == FOP_IF)
		return !args[0].present ? missing : args[0].coef != 0 ? args[1] : args[2];
	for (int i = 0; i < n->args; i++)
		if (!args[i].present)
			return missing;
	if (n->op == FOP_ABS)
		return args[0].coef < 0 ? negate(args[0]) : args[0];
	if (n->op == FOP_ROUND) {
		struct exact digits = n->args == 2 ? coarsen(args[1], 0) : truth(false);
		if (digits.coef < 0 || digits.coef > FORMULA_SCALE)
			return missing;
		return trim(coarsen(args[0], (int)digits.coef));
	}
	return fold(n->op, args, n->args);
}

static struct exact
binary(enum formula_op op, struct exact x, struct exact y)
{
	if (!x.present || !y.present)
		return missing;
	switch (op) {
	case FOP_ADD:
		return add(x, y);
	case FOP_SUB:
		y = negate(y);
		return y.present ? add(x, y) : missing;
	case FOP_MUL:
		return multiply(x, y);
	case FOP_DIV:
		return divide(x, y);
	case FOP_LT:
		return truth(compare(x, y) < 0);
	case FOP_LTE:
		return truth(compare(x, y) <= 0);
	case FOP_GT:
		return truth(compare(x, y) > 0);
	case FOP_GTE:
		return truth(compare(x, y) >= 0);
	case FOP_EQ:
		return truth(compare(x, y) == 0);
	case FOP_NE:
		return truth(compare(x, y) != 0);
	case FOP_NUMBER:
	case FOP_REF:
	case FOP_NEGATE:
	case FOP_MIN:
	case FOP_MAX:
	case FOP_SUM:
	case FOP_AVG:
	case FOP_ABS:
	case FOP_ROUND:
	case FOP_IF:
	case FOP_COALESCE:
		break;
	}
	check(!"a binary operation");
	return missing;
}

static struct exact
from_decimal(struct decimal d)
{
	return trim((struct exact){ true, d.coef, d.scale });
}

/* Replaces the operation's arguments at the top of the stack by its result; returns the new height. */
static size_t
step(const struct formula_node *n, const struct formula_input *inputs, struct exact *stack, size_t height)
{
	switch (n->op) {
	case FOP_NUMBER:
		stack[height] = from_decimal(n->number);
		return height + 1;
	case FOP_REF:
		stack[height] = inputs[n->ref].present ? from_decimal(inputs[n->ref].value) : missing;
		return height + 1;
	case FOP_NEGATE:
		if (stack[height - 1].present)
			stack[height - 1] = negate(stack[height - 1]);
		return height;
	case FOP_ADD:
	case FOP_SUB:
	case FOP_MUL:
	case FOP_DIV:
	case FOP_LT:
	case FOP_LTE:
	case FOP_GT:
	case FOP_GTE:
	case FOP_EQ:
	case FOP_NE:
		stack[height - 2] = binary(n->op, stack[height - 2], stack[height - 1]);
		return height - 1;
	case FOP_MIN:
	case FOP_MAX:
	case FOP_SUM:
	case FOP_AVG:
	case FOP_ABS:
	case FOP_ROUND:
	case FOP_IF:
	case FOP_COALESCE:
		break;
	}
	size_t first = height - (size_t)n->args;
	stack[first] = call(n, &stack[first]);
	return first + 1;
}

bool
formula_eval(
	const struct formula *f, const struct formula_input *inputs, int32_t decimals, struct decimal *out)
{
	struct exact stack[FORMULA_NODES_MAX];
	size_t height = 0;

	for (size_t i = 0; i < f->count; i++)
		height = step(&f->nodes[i], inputs, stack, height);
	check(height == 1);
	struct exact r = stack[0];
	if (!r.present)
		return false;
	r = coarsen(r, decimals);
	if (!refine(&r, decimals) || r.coef > INT64_MAX || r.coef < INT64_MIN)
		return false;
	*out = (struct decimal){ (int64_t)r.coef, decimals };
	return true;
}
