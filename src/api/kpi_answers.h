/* Small writers that the answers about KPIs share: dates, exact figures, statistics, and the list shape of kpi-management. */
#ifndef API_KPI_ANSWERS_H
#define API_KPI_ANSWERS_H

#include "api/api.h"

void answer_date(struct json_out *o, struct str key, struct date d);
void answer_instant(struct json_out *o, struct str key, struct instant t);
/* An exact figure without trailing zeros; null when absent. */
void answer_decimal(struct json_out *o, struct str key, bool present, struct decimal d);
/* A statistic with as many digits as it can claim (nine); null when absent or not finite. */
void answer_number(struct json_out *o, struct str key, bool present, double v);
/* {"items":[ … ],"total","page","pages"}: begin, write the items, end. limit 0: everything is on one page. */
void answer_list_begin(struct json_out *o);
void answer_list_end(struct json_out *o, int64_t total, int64_t offset, int64_t limit);

#endif
