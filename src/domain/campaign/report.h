/*
 * The retrospective report: KPIs against targets and earlier campaigns, channels and sources compared, insights by severity, decisions and
 * actions. Made once at approval and kept as JSON, so that it never changes afterwards; before approval the same is made as a draft.
 * HTML and PDF are renderings of that JSON and of nothing else.
 */
#ifndef CAMPAIGN_REPORT_H
#define CAMPAIGN_REPORT_H

#include "domain/campaign/retrospective.h"

/* The report of the present figures as JSON text on the arena. */
struct err *report_make(struct res_ctx *c, const struct retrospective *r, struct str *json) MUST_USE;
/* Keeps it under the retrospective; the first one stays. */
struct err *report_keep(struct res_ctx *c, int64_t retrospective_id, struct str json) MUST_USE;
/* The kept one, or a draft ("draft": true). */
struct err *report_read(struct res_ctx *c, const struct retrospective *r, struct str *json) MUST_USE;

/* A whole page with its charts as inline SVG, readable in print, in the dark, by screen readers (each chart has its table). */
struct err *report_html(struct arena *a, struct str json, struct buf *out) MUST_USE;
/* A4, PDF 1.7, with bookmarks and text that can be searched. */
struct err *report_pdf(struct arena *a, struct str json, struct buf *out) MUST_USE;

#endif
