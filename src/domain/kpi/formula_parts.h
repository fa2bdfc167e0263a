/* The compiled form shared by the parser and the evaluator: operations in postfix order. */
#ifndef KPI_FORMULA_PARTS_H
#define KPI_FORMULA_PARTS_H

#include "base/limits.h"
#include "domain/kpi/formula.h"

enum formula_op {
	FOP_NUMBER,
	FOP_REF,
	FOP_NEGATE,
	FOP_ADD,
	FOP_SUB,
	FOP_MUL,
	FOP_DIV,
	FOP_LT,
	FOP_LTE,
	FOP_GT,
	FOP_GTE,
	FOP_EQ,
	FOP_NE,
	FOP_MIN,
	FOP_MAX,
	FOP_SUM,
	FOP_AVG,
	FOP_ABS,
	FOP_ROUND,
	FOP_IF,
	FOP_COALESCE
};

struct formula_node {
	enum formula_op op;
	int args;	       /* of a function */
	size_t ref;	       /* of FOP_REF */
	struct decimal number; /* of FOP_NUMBER */
};

struct formula {
	struct formula_node nodes[FORMULA_NODES_MAX];
	size_t count;
	struct str refs[FORMULA_REFS_MAX];
	size_t ref_count;
};

#endif
