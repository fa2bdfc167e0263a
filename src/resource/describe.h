/* JSON Schema (2020-12, as OpenAPI 3.1 uses it) of a resource as a view shows or takes it, made from the table that validates. */
#ifndef RESOURCE_DESCRIBE_H
#define RESOURCE_DESCRIBE_H

#include "resource/resource.h"

enum res_schema_mode {
	RES_SCHEMA_READ,    /* what is shown */
	RES_SCHEMA_CREATE,  /* what a create takes, with what it requires */
	RES_SCHEMA_REPLACE, /* what a replacing update takes, with what it requires */
	RES_SCHEMA_MERGE    /* what a merging update takes; nothing is required */
};

/* One object schema. view NULL: the table's own names. */
void res_schema_write(struct json_out *o, const struct res_def *def, const struct res_view *view,
	enum res_schema_mode mode);
/* The schema of one value, as a query parameter has it. */
void res_schema_field_write(struct json_out *o, const struct res_field *f);

#endif
