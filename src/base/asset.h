/*
 * Files that the binary carries: pages for the browser and the demo company. tools/embed.py turns a list of files into a table of them
 * at build time, so that an installed binary needs no files beside it.
 */
#ifndef BASE_ASSET_H
#define BASE_ASSET_H

#include "base/str.h"

struct asset {
	struct str name;         /* as listed: "demo/kpis.csv", "swagger-ui.css" */
	struct str content_type; /* "text/css; charset=utf-8" */
	struct str bytes;
	struct str gzip;         /* the same, compressed at build time; empty when that would not be shorter */
	struct str etag;         /* of the bytes, with quotes */
};

struct asset_table {
	const struct asset *assets; /* sorted by name */
	size_t count;
};

/* The tables of the build: the pages of web/ by their file names, demo/'s files, and the insight rules. */
extern const struct asset_table web_assets;
extern const struct asset_table demo_assets;
extern const struct asset_table insight_assets;

/* NULL when the table has no such file. */
const struct asset *asset_find(const struct asset_table *table, struct str name);

#endif
