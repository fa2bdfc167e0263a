/*
 * Rows of series as `sextant forecast` reads them: id,frequency,v1,v2,… with an empty field for a gap. One line is
 * one row and is parsed on its own, so a broken line never costs another one.
 */
#ifndef APP_FORECAST_CSV_H
#define APP_FORECAST_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum {
	FORECAST_CSV_ID_BYTES = 200,
	FORECAST_CSV_LINE_BYTES = 32 * 1024 * 1024 /* a million values of 32 characters */
};

struct forecast_csv_row {
	char *id;
	unsigned frequency; /* >= 1 */
	double *values;	    /* NaN is a gap; gaps at the end of the line are kept */
	size_t count, cap;
};

/*
 * Parses one line (without its end) into *row, which starts zeroed and may be reused; free it with
 * forecast_csv_row_done. Returns NULL, or a sentence saying what is wrong with the line; *row is then empty but still
 * to be freed. An empty line gives a row without id.
 */
const char *forecast_csv_parse(const char *line, size_t length, struct forecast_csv_row *row);

void forecast_csv_row_done(struct forecast_csv_row *row);

/* Parses a decimal number such as -12.5e3 (the point is a point, whatever the locale). False when text is not one. */
bool forecast_csv_number(const char *text, size_t length, double *value);

#endif
