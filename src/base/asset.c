/* Lookup in a table of embedded files; the tables themselves are generated. */
#include "base/asset.h"

const struct asset *
asset_find(const struct asset_table *table, struct str name)
{
	size_t from = 0;
	size_t to = table->count;
	while (from < to) {
		const size_t middle = from + (to - from) / 2;
		const int order = str_cmp(name, table->assets[middle].name);
		if (order == 0)
			return &table->assets[middle];
		if (order < 0)
			to = middle;
		else
			from = middle + 1;
	}
	return NULL;
}
