/*
 * One line of series into numbers (see forecast_csv.h). Fields are split by libcsv; numbers are brought to JSON's
 * grammar for double_parse, which rounds correctly and knows no locale.
 */
#include "app/forecast_csv.h"
#include "base/number.h"

#include <csv.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_BYTES = 64, FREQUENCY_MAX = 1000000 };

/* State of one line while libcsv calls back. */
struct line_reader {
	struct forecast_csv_row *row;
	size_t field;
	bool ended; /* a record end was seen: nothing may follow on the line */
	const char *problem;
};

/* Copies the digits of *text to out and returns how many; *text moves behind them. */
static size_t
digits_copy(const char **text, const char *end, char *out, size_t room)
{
	size_t count = 0;
	while (*text < end && **text >= '0' && **text <= '9' && count < room)
		out[count++] = *(*text)++;
	return count;
}

/* Writes text as a JSON number into out (NUL-terminated); false when it is not a decimal number. */
static bool
number_normalise(const char *text, const char *end, char *out)
{
	char *at = out, *limit = out + NUMBER_BYTES - 8;
	if (text < end && (*text == '+' || *text == '-')) {
		if (*text == '-')
			*at++ = '-';
		text++;
	}
	const char *start = text;
	while (text + 1 < end && *text == '0' && text[1] >= '0' && text[1] <= '9')
		text++;
	size_t whole = digits_copy(&text, end, at, (size_t)(limit - at)), part = 0;
	if (whole == 0)
		*at++ = '0';
	at += whole;
	if (text < end && *text == '.') {
		text++;
		*at++ = '.';
		part = digits_copy(&text, end, at, (size_t)(limit - at));
		at += part;
		if (part == 0)
			*at++ = '0';
	}
	if (whole + part == 0 || text == start)
		return false;
	if (text < end && (*text == 'e' || *text == 'E')) {
		*at++ = 'e';
		text++;
		if (text < end && (*text == '+' || *text == '-'))
			*at++ = *text++;
		size_t exponent = digits_copy(&text, end, at, 4);
		if (exponent == 0)
			return false;
		at += exponent;
	}
	*at = '\0';
	return text == end;
}

bool
forecast_csv_number(const char *text, size_t length, double *value)
{
	char json[NUMBER_BYTES];
	const char *end = text + length;
	while (text < end && (*text == ' ' || *text == '\t'))
		text++;
	while (end > text && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	if (!number_normalise(text, end, json))
		return false;
	return double_parse(str_from_cstr(json), value);
}

static bool
value_append(struct forecast_csv_row *row, double value)
{
	if (row->count == row->cap) {
		size_t cap = row->cap ? 2 * row->cap : 256;
		double *values = realloc(row->values, cap * sizeof *values);
		if (!values)
			return false;
		row->values = values;
		row->cap = cap;
	}
	row->values[row->count++] = value;
	return true;
}

static const char *
id_read(struct forecast_csv_row *row, const char *text, size_t length)
{
	if (length == 0)
		return "the id is empty";
	if (length > FORECAST_CSV_ID_BYTES)
		return "the id is longer than 200 bytes";
	if (memchr(text, '\0', length))
		return "the id contains a NUL";
	row->id = malloc(length + 1);
	if (!row->id)
		return "out of memory";
	memcpy(row->id, text, length);
	row->id[length] = '\0';
	return NULL;
}

static const char *
frequency_read(struct forecast_csv_row *row, const char *text, size_t length)
{
	double value;
	if (!forecast_csv_number(text, length, &value))
		return "the frequency is not a number";
	if (!(value >= 1 && value <= FREQUENCY_MAX && value == floor(value)))
		return "the frequency must be a whole number from 1 to 1,000,000";
	row->frequency = (unsigned)value;
	return NULL;
}

static const char *
value_read(struct forecast_csv_row *row, const char *text, size_t length)
{
	double value = NAN;
	if (length > 0 && !forecast_csv_number(text, length, &value))
		return "a value is not a number";
	return value_append(row, value) ? NULL : "out of memory";
}

static void
field_read(void *text, size_t length, void *argument)
{
	struct line_reader *reader = argument;
	if (reader->problem)
		return;
	if (reader->ended) {
		reader->problem = "the line holds more than one row";
		return;
	}
	switch (reader->field++) {
	case 0:
		reader->problem = id_read(reader->row, text, length);
		break;
	case 1:
		reader->problem = frequency_read(reader->row, text, length);
		break;
	default:
		reader->problem = value_read(reader->row, text, length);
		break;
	}
}

static void
record_end(int terminator, void *argument)
{
	struct line_reader *reader = argument;
	(void)terminator; /* whatever ended it, nothing may follow */
	reader->ended = true;
}

const char *
forecast_csv_parse(const char *line, size_t length, struct forecast_csv_row *row)
{
	free(row->id);
	row->id = NULL;
	row->count = 0;
	row->frequency = 0;
	while (length > 0 && (line[length - 1] == '\r' || line[length - 1] == '\n'))
		length--;
	if (length == 0)
		return NULL;
	if (length > FORECAST_CSV_LINE_BYTES)
		return "the line is longer than 32 MiB";
	struct csv_parser parser;
	struct line_reader reader = { .row = row };
	if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
		return "out of memory";
	if (csv_parse(&parser, line, length, field_read, record_end, &reader) != length && !reader.problem)
		reader.problem = "a quote is out of place";
	if (csv_fini(&parser, field_read, record_end, &reader) != 0 && !reader.problem)
		reader.problem = "a quote is not closed";
	csv_free(&parser);
	if (!reader.problem && reader.field < 2)
		reader.problem = "a row needs an id and a frequency";
	return reader.problem;
}

void
forecast_csv_row_done(struct forecast_csv_row *row)
{
	free(row->id);
	free(row->values);
	*row = (struct forecast_csv_row){ 0 };
}
