/*
 * The engine's vocabulary: a resource is a constant table of fields, and one engine validates, stores, lists, filters, sorts, searches,
 * pages, scopes, audits and describes every resource from it. A domain's record is a plain struct whose first member is struct res_row;
 * the table binds its members to columns and public names. A view gives the same record another contract's names.
 *
 * Every table has the columns company_id, id, version, created_at, updated_at, and deleted_at where .soft_delete is set; its primary key
 * is (company_id, id).
 */
#ifndef RESOURCE_RESOURCE_H
#define RESOURCE_RESOURCE_H

#include "base/decimal.h"
#include "codec/json.h"
#include "db/db.h"
#include "resource/actor.h"

struct res_def;
struct res_field;
struct res_plans;

/* kind, struct member's type, what the JSON holds */
enum res_kind {
	RES_TEXT,    /* struct str; string. With .ref: the text id of that resource */
	RES_INT,     /* int64_t; integer, numeric strings are accepted */
	RES_BOOL,    /* bool; true/false, also 1/0 and the words as strings, as forms send them; column BOOLEAN */
	RES_DECIMAL, /* struct decimal; number, exact, keeps its scale; column TEXT */
	RES_MONEY,   /* struct money; string or number with the currency's decimals, by view; column BIGINT */
	RES_DATE,    /* struct date; "YYYY-MM-DD"; column TEXT */
	RES_INSTANT, /* struct instant; ISO 8601; column BIGINT */
	RES_ENUM,    /* int: index into .names; string, matched case-insensitively; column TEXT holds the name */
	RES_REF,     /* int64_t: id of a row of .ref; integer, numeric strings are accepted */
	RES_JSON     /* struct str: compact JSON text; any JSON; column TEXT */
};

enum res_flag {
	RF_REQUIRED = 1 << 0,    /* must be in the body of a create or replace */
	RF_NULL = 1 << 1,        /* null is a value (and the value when omitted without default) */
	RF_BLANK = 1 << 2,       /* "" is allowed */
	RF_SERVER = 1 << 3,      /* never read from a body */
	RF_CREATE_ONLY = 1 << 4, /* read on create, ignored afterwards */
	RF_SECRET = 1 << 5,      /* read, never shown, and not in audit rows */
	RF_FILTER = 1 << 6,
	RF_SORT = 1 << 7,
	RF_SEARCH = 1 << 8,      /* part of the text that search looks in */
	RF_UNIQUE = 1 << 9,      /* unique in the company by a constraint of the schema; .taken names the fault */
	RF_HIDDEN = 1 << 10      /* stored, in no view unless it names the field */
};

struct res_field {
	const char *name;   /* public name; dots nest: "thresholds.min_value" (such fields stand together) */
	const char *column;
	enum res_kind kind;
	unsigned flags;
	size_t offset;
	/*
	 * TEXT: characters (max 0: LIMIT_NAME_CHARS). INT: the range, both 0: any. DECIMAL: max is the number of decimals allowed, 0: any;
	 * MONEY: likewise, 0: the currency's. JSON: max is the bytes of the compact text, 0: LIMIT_TEXT_BYTES.
	 */
	int32_t min, max;
	const char *const *names;   /* ENUM: NULL-terminated */
	const struct res_def *ref;  /* REF, or TEXT holding a text id */
	const char *preset;         /* value when omitted on create, as its JSON text without quotes: "active", "0.8", "true" */
	const char *taken;          /* UNIQUE: stable word of the conflict, such as "KPI_NAME_EXISTS" */
	/* More checks on one given value: the message of the fault, or NULL. The record already holds the value. */
	const char *(*verify)(const void *record);
	const char *doc;            /* for the API description: a sentence */
	const char *example;        /* JSON text */
};

/* Table rows: #define RES_RECORD struct kpi, then F(name, TEXT, .max = 100). A member of another type than the kind's does not compile. */
#define RES_CTYPE_TEXT    struct str
#define RES_CTYPE_INT     int64_t
#define RES_CTYPE_BOOL    bool
#define RES_CTYPE_DECIMAL struct decimal
#define RES_CTYPE_MONEY   struct money
#define RES_CTYPE_DATE    struct date
#define RES_CTYPE_INSTANT struct instant
#define RES_CTYPE_ENUM    int
#define RES_CTYPE_REF     int64_t
#define RES_CTYPE_JSON    struct str
#define RES_OFFSET(member, ctype)                                                                      \
	(offsetof(RES_RECORD, member) +                                                                \
		0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((RES_RECORD *)0)->member), ctype) ? 1 : -1]))
#define F(member, KIND, ...)                                                                           \
	{ .name = #member, .column = #member, .kind = RES_##KIND, .offset = RES_OFFSET(member, RES_CTYPE_##KIND), __VA_ARGS__ }
/* The same for a member whose public name is another: FN(target_value, "thresholds.target_value", DECIMAL, …). */
#define FN(member, public_name, KIND, ...)                                                             \
	{ .name = (public_name), .column = #member, .kind = RES_##KIND, .offset = RES_OFFSET(member, RES_CTYPE_##KIND), __VA_ARGS__ }

/* First member of every record. Bit i stands for field i of the table; at most 64 fields. */
struct res_row {
	uint64_t given; /* in the body that was parsed */
	uint64_t null;  /* has no value */
};

enum res_op { RES_LIST, RES_READ, RES_CREATE, RES_UPDATE, RES_DELETE, RES_OP_COUNT };

enum res_scope {
	SCOPE_COMPANY, /* everyone with the permission sees all rows of the company */
	SCOPE_OWNER,   /* without .scope_all permission only rows whose owner_id is the actor */
	SCOPE_CUSTOM   /* hooks.scope adds its predicate */
};

/* What an operation runs with. */
struct res_ctx {
	struct arena *arena;
	struct db_tx *tx;
	const struct actor *actor;
	struct instant now;
	struct str request_id;
	const struct res_plans *plans; /* NULL: what they hold is worked out anew where it is needed */
	void *app;           /* services of upper layers, not looked at here */
};

struct res_sql; /* a statement under construction: res_sql.h */

struct res_hooks {
	/*
	 * Rules across fields that need nothing but the record. res_parse asks it when fields are faulty, so that all faults are told at once:
	 * such fields have no value then, and a rule that reads one of them is left out. before_write asks it for every record by itself.
	 */
	struct err *(*rules)(struct res_ctx *c, const void *record, struct err **e);
	/* The record is about to be stored: checks across fields, derived fields. old NULL: create. Adds field faults with err_add_field to one error. */
	struct err *(*before_write)(struct res_ctx *c, const void *old, void *record);
	/* It has been stored, in the same transaction. old NULL: created; record NULL: deleted. */
	struct err *(*after_write)(struct res_ctx *c, const void *old, const void *record);
	struct err *(*before_delete)(struct res_ctx *c, const void *record);
	/* SCOPE_CUSTOM: appends " AND …" for what the actor may see. */
	void (*scope)(struct res_ctx *c, struct res_sql *sql, enum res_op op);
};

struct res_def {
	const char *name;        /* "kpi": singular, also the object_type of events */
	const char *title;       /* "KPI": in messages and descriptions */
	const char *table;
	const struct res_field *fields;
	size_t field_count;
	size_t record_size;
	const char *id_prefix;   /* text ids made by the server: "kpi-" gives kpi-001; NULL: integer ids. The id is the field named by .id_field */
	const char *id_field;    /* "id" when NULL */
	bool soft_delete;
	enum res_scope scope;
	enum permission scope_all; /* SCOPE_OWNER: who sees every owner's rows */
	perm_set perm[RES_OP_COUNT]; /* any of them; 0: the operation is closed */
	const char *default_sort;  /* "-created_at,id" */
	const char *not_found;     /* stable word, "KPI_NOT_FOUND"; NULL: NOT_FOUND */
	const char *doc;
	struct res_hooks hooks;
};

/* ---- views ------------------------------------------------------------------------------------------------------------------ */

enum res_view_flag {
	RV_READ_ONLY = 1 << 0,  /* shown, not read */
	RV_WRITE_ONLY = 1 << 1, /* read, not shown */
	RV_SHORT = 1 << 2,      /* decimal without trailing zeros */
	RV_OMIT_NULL = 1 << 3,  /* left out when it has no value, otherwise null is shown */
	RV_REQUIRED = 1 << 4    /* required in this contract although the table does not say so */
};

struct res_view_field {
	const char *name;  /* as this contract spells it; dots nest */
	const char *field; /* the table's name; NULL for a written one */
	unsigned flags;
	/* A computed value: writes the value (the key is written already). schema: its JSON Schema for the description. */
	void (*write)(struct json_out *o, const struct res_ctx *c, const void *record);
	const char *schema;
};
struct res_view {
	const char *name;                    /* of the schema in the description: "KpiAssignment" */
	const struct res_view_field *fields; /* NULL: every field of the table by its own name, but secrets and hidden ones */
	size_t field_count;
	enum instant_format instants;
	bool money_as_text;
};

/*
 * What tables and views come to (texts of statements, groups and keys of the JSON), worked out once at the start of a server. Whoever
 * made the set adds to it; afterwards it is constant, and threads share it. view NULL: the table's own. Adding a pair again does nothing.
 */
struct res_plans *res_plans_new(struct arena *a);
void res_plans_add(struct res_plans *all, const struct res_def *def, const struct res_view *view);

/* ---- input and output ------------------------------------------------------------------------------------------------------- */

enum res_mode {
	RES_MODE_CREATE,  /* required fields must be there, presets fill in */
	RES_MODE_REPLACE, /* required fields must be there, omitted ones keep their value (as Django REST Framework does) */
	RES_MODE_MERGE    /* only what is given changes */
};

/*
 * Reads a body into record (which holds the old values, or zeros for a create) and validates everything declared in the table: every
 * fault is reported at once, named as the view spells it. strict: unknown members are faults too. References are looked up.
 * INVALID_INPUT; "Invalid data. Expected a dictionary, but got list." when the body is no object.
 */
struct err *res_parse(struct res_ctx *c, const struct res_def *def, const struct res_view *view, const json_val *body,
	enum res_mode mode, bool strict, void *record) MUST_USE;
/*
 * Gives a record of zeros its presets, and null to the other fields that may be. res_parse does so by itself for a create; code that
 * fills a record by hand calls this first.
 */
void res_defaults(const struct res_ctx *c, const struct res_def *def, void *record);
/* One record as JSON in a view's names (NULL: the table's own). */
void res_write(struct json_out *o, const struct res_ctx *c, const struct res_def *def, const struct res_view *view, const void *record);
/* Its members alone, for a caller that has opened the object and adds more. */
void res_write_members(struct json_out *o, const struct res_ctx *c, const struct res_def *def, const struct res_view *view,
	const void *record);

const struct res_field *res_field_find(const struct res_def *def, struct str name); /* by the table's public name */
size_t res_field_index(const struct res_def *def, const char *name);                /* must exist */
bool res_is_null(const struct res_def *def, const void *record, const char *name);
void res_set_null(const struct res_def *def, void *record, const char *name, bool null);
bool res_is_given(const struct res_def *def, const void *record, const char *name);

/* ---- operations: permission of .perm is checked by each (INSUFFICIENT_PERMISSIONS), scope is applied to each -------------------- */

/* Fills id, version, created_at, updated_at and owner_id where the record has such fields; runs the hooks; writes search text and event. */
struct err *res_create(struct res_ctx *c, const struct res_def *def, void *record) MUST_USE;
/* NOT_FOUND also for rows of other companies and outside the scope. id: as in the path. */
struct err *res_read(struct res_ctx *c, const struct res_def *def, struct str id, void *record) MUST_USE;
/* The same for a change: locks the row (PostgreSQL) and checks the permission of op. */
struct err *res_read_for(struct res_ctx *c, const struct res_def *def, enum res_op op, struct str id, void *record) MUST_USE;
/* Stores record over old; version goes up by one. No event and no new version when nothing differs. */
struct err *res_update(struct res_ctx *c, const struct res_def *def, const void *old, void *record) MUST_USE;
struct err *res_delete(struct res_ctx *c, const struct res_def *def, struct str id) MUST_USE;
/* Without the actor's scope and permission, for the server's own purposes; *found false instead of NOT_FOUND. Company still applies. */
struct err *res_find(struct res_ctx *c, const struct res_def *def, const char *field, struct db_param value, void *record, bool *found) MUST_USE;

/* ---- lists ------------------------------------------------------------------------------------------------------------------ */

enum list_op { LIST_EQ, LIST_NE, LIST_GT, LIST_GTE, LIST_LT, LIST_LTE, LIST_CONTAINS, LIST_IN, LIST_IS_NULL };

struct list_filter {
	const struct res_field *field;
	enum list_op op;
	struct db_param *values; /* one, or several for IN; none for IS_NULL; two for EQ and NE: from the first up to but not the second */
	size_t count;
	bool negate;
};
struct list_sort {
	const struct res_field *field;
	bool descending;
};
#define LIST_FILTERS_MAX 24
#define LIST_SORTS_MAX   6
struct list_query {
	struct list_filter filters[LIST_FILTERS_MAX];
	size_t filter_count;
	struct list_sort sorts[LIST_SORTS_MAX]; /* empty: the default; the id is always appended in the last one's direction, so paging is stable */
	size_t sort_count;
	struct str search;
	int64_t offset, limit;
	bool with_total;
	/* More of a handler: appends " AND …". May be NULL. */
	void (*where)(struct res_ctx *c, struct res_sql *sql, void *arg);
	void *where_arg;
};
/*
 * Adds "field op text"; the text is checked as the field's kind is. A date for an instant field means its local day's start, for LTE its
 * end, for EQ and NE the whole day. IN takes values parted by commas, IS_NULL true or false. Text is compared as it is, CONTAINS without
 * regard to case and runs of white space. A fault goes to *e under param's name. A field without RF_FILTER is passed over, like an unknown one.
 */
void list_filter_add(struct res_ctx *c, struct list_query *q, const struct res_field *f, enum list_op op, struct str text,
	struct str param, struct err **e);
bool list_sort_add(struct list_query *q, const struct res_field *f, bool descending); /* false: not sortable or too many */

struct res_page {
	void **records; /* each of record_size */
	size_t count;
	int64_t total;  /* −1 unless asked for */
};
struct err *res_list(struct res_ctx *c, const struct res_def *def, const struct list_query *q, struct res_page *out) MUST_USE;

/* Prepares what the engine would run for the resource: its columns, every filter and every order. For the test of all statements. */
struct err *res_prepare_check(struct res_ctx *c, const struct res_def *def) MUST_USE;

/* ---- events ----------------------------------------------------------------------------------------------------------------- */

/*
 * Writes one row of the event table, which is audit trail and outbox in one, in this transaction. old_values and new_values are JSON
 * texts or empty. res_create, res_update and res_delete call it by themselves ("kpi.created", "kpi.updated", "kpi.deleted").
 */
struct err *event_add(struct res_ctx *c, struct str type, const char *object_type, struct str object_id, struct str old_values,
	struct str new_values) MUST_USE;

#endif
