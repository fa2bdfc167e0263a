/* The writers of the five dialects; private to the table in dialect.c. */
#ifndef API_DIALECT_WRITERS_H
#define API_DIALECT_WRITERS_H

#include "api/core.h"

void kpi_list_write(struct api_ctx *c, const struct list_query *q, const struct res_page *page);
void kpi_error_write(struct json_out *o, struct api_ctx *c, const struct err *e);
/* The two contracts whose lists are bare arrays. */
void bare_list_write(struct api_ctx *c, const struct list_query *q, const struct res_page *page);
void assignments_error_write(struct json_out *o, struct api_ctx *c, const struct err *e);
void retro_error_write(struct json_out *o, struct api_ctx *c, const struct err *e);
void business_list_write(struct api_ctx *c, const struct list_query *q, const struct res_page *page);
void business_error_write(struct json_out *o, struct api_ctx *c, const struct err *e);
void crm_list_write(struct api_ctx *c, const struct list_query *q, const struct res_page *page);
void crm_error_write(struct json_out *o, struct api_ctx *c, const struct err *e);

/* dialect_crm.c: the envelope around what is in c->out, which must be one JSON value. hoist: an object's members beside data as well. */
void crm_envelope_wrap(struct api_ctx *c, int status, bool hoist);
/* The entity tag of an answer to GET from its lasting part; an envelope's timestamp moves on while nothing else does. In reply.c. */
void reply_tag_body(struct api_ctx *c, struct str lasting);

#endif
