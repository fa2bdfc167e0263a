/*
 * What SQLite's writer remembers of the KPIs it lately stored values for, so that the next value reads nothing again: the record, the
 * stored state, the target in force, the running figure of the judged window and the last day rollups. The database empties it whenever
 * something else writes to those tables (db_memory_kind); elsewhere nothing is remembered and everything is read. Private to the room.
 */
#ifndef KPI_MEMORY_H
#define KPI_MEMORY_H

#include "domain/kpi/kpi_parts.h"
#include "domain/kpi/rollup.h"
#include "domain/kpi/status.h"

/* What a judgement rests on besides the figure. */
struct kpi_ground {
	struct date today;
	const struct zone *zone;
	struct date last_day; /* of the values up to today */
	bool has_period_target;
	struct kpi_target target;
};

#define MEMO_BUCKETS	 4
#define MEMO_SLICE_BYTES 120 /* longer slices are not remembered */

struct memo_bucket {
	char slice[MEMO_SLICE_BYTES];
	size_t slice_length;
	struct date day;
	struct bucket bucket; /* count 0: there is none */
	bool used;
};

struct kpi_memo {
	struct kpi_memo *chain;
	int64_t company_id;
	struct kpi kpi;
	bool has_state, has_last_day, has_ground, has_figure;
	bool is_unused; /* no formula reads it */
	enum kpi_state state;
	bool any_day;
	struct date last_day; /* with values, up to today; of one transaction only */
	struct kpi_ground ground;
	struct date from, to; /* of figure */
	struct gather figure;
	struct memo_bucket buckets[MEMO_BUCKETS];
	size_t next_bucket;
};

/* NULL: not remembered. */
struct kpi_memo *kpi_memo_find(const struct res_ctx *c, struct str kpi_id);
/* Reads it when it is not remembered yet; *out NULL: there is no such KPI, it is a formula, or nothing is remembered here. */
struct err *kpi_memo_get(struct res_ctx *c, struct str kpi_id, struct kpi_memo **out) MUST_USE;

/* NULL: not remembered. */
const struct bucket *kpi_memo_bucket(const struct kpi_memo *m, struct str slice, struct date day);
/* A day's rollup has been written; added: after is before with values added, so that the figure can follow. */
struct bucket_change {
	struct date day;
	struct bucket before, after;
	bool added;
};
void kpi_memo_bucket_written(struct kpi_memo *m, struct str slice, const struct bucket_change *change);

#endif
