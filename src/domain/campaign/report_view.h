/*
 * A report as people read it: its JSON turned into texts, tables, tiles and charts, from which the page and the PDF are laid out. Nothing
 * is looked up here; what the JSON does not hold, no rendering shows.
 */
#ifndef CAMPAIGN_REPORT_VIEW_H
#define CAMPAIGN_REPORT_VIEW_H

#include "codec/json.h"
#include "draw/table.h"

/* ---- texts ---- */

/* The member's text; empty when it is absent or no string. */
struct str view_text(const json_val *object, const char *key);
const json_val *view_member(const json_val *object, const char *key);
/* As of an empty array when there is none. */
struct json_iter view_iter(const json_val *array_or_object);
size_t view_count(const json_val *array_or_object);
/* A figure with its unit: "2.34 %", "12,345.60 EUR", "1,234"; "–" for null or absence. */
struct str view_number(struct arena *a, const json_val *number, struct str unit);
/* A fraction as a share, in percent with one decimal. */
struct str view_share(struct arena *a, const json_val *number);
/* "+12.4 %", "−3.0 %" */
struct str view_change(struct arena *a, const json_val *percent);
/* "2024-06-01" → "1 June 2024"; "2024-06-15T09:00:00Z" → "15 June 2024, 09:00 UTC"; anything else as it is. */
struct str view_date(struct arena *a, struct str text);
struct str view_instant(struct arena *a, struct str text);
/* "1 June 2024 – 14 June 2024", one of both, or empty. */
struct str view_period(struct arena *a, const json_val *report);
/* "1 June 2024 – 14 June 2024 · retrospective 456 · team 789" */
struct str view_subtitle(struct arena *a, const json_val *report);
/* Who approved it when, or that it is a draft. */
struct str view_state(struct arena *a, const json_val *report);
/* How the figures came about, in sentences; and a line for one of "earlier_campaigns". */
struct str view_about(struct arena *a, const json_val *report);
struct str view_earlier_line(struct arena *a, const json_val *campaign);
/* {"id", "name"} → the name, or "person 12" by kind. */
struct str view_named(struct arena *a, const json_val *v, const char *kind);
/* "sum of 12 values", "clicks / impressions", "mean of 3 entered values" */
struct str view_basis(struct arena *a, const json_val *figure);
enum draw_role view_severity_role(struct str severity);

/* ---- evidence: nested JSON as a flat list ---- */

#define VIEW_EVIDENCE_MAX 40

struct view_pair {
	struct str name, value;
};
/* At most VIEW_EVIDENCE_MAX pairs; *left_out tells how many there are besides. */
struct view_pair *view_evidence(struct arena *a, const json_val *evidence, size_t *count, size_t *left_out);

/* ---- tables, tiles ---- */

struct view_table {
	struct draw_column *columns;
	size_t column_count;
	struct draw_cell *cells; /* row by row */
	size_t row_count;
	bool has_total; /* the last row is the whole of those above */
};
struct view_table view_kpis(struct arena *a, const json_val *report);
/* Metrics from … from + count − 1 of "channels" or "sources", below them the totals. */
struct view_table view_slices(struct arena *a, const json_val *report, const char *axis, size_t from, size_t count);
struct view_table view_course(struct arena *a, const json_val *report, size_t from, size_t count);
struct view_table view_actions(struct arena *a, const json_val *report, const char *which);

#define VIEW_TILES_MAX 8
size_t view_tiles(struct arena *a, const json_val *report, struct draw_tile *out);
/* Metrics of the report's tables. */
size_t view_metric_count(const json_val *report);
bool view_has_slices(const json_val *report, const char *axis);
/* Whether a figure anywhere in the comparison is a mean of entered values. */
bool view_has_means(const json_val *report);

/* ---- charts ---- */

#define VIEW_CHARTS_MAX 4
/* What was reached of the targets, in percent; false when there is no target. */
bool view_targets_chart(struct arena *a, const json_val *report, struct chart *out);
/* Changes against earlier campaigns; false without any. */
bool view_earlier_chart(struct arena *a, const json_val *report, struct chart *out);
/* The telling metrics of an axis, at most VIEW_CHARTS_MAX. */
size_t view_slice_charts(struct arena *a, const json_val *report, const char *axis, struct chart *out);
size_t view_course_charts(struct arena *a, const json_val *report, struct chart *out);

#endif
