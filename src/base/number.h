/* Binary floating point ↔ text, independent of the process's locale. For statistics and forecasts; amounts are decimals. */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include "base/buf.h"

/* JSON number syntax, whole slice, correctly rounded. False when it is not such a text or too large for a double; *out untouched. */
bool double_parse(struct str s, double *out) MUST_USE;
/* The shortest of %.15g, %.16g and %.17g that reads back as v; v must be finite. */
void double_write(struct buf *b, double v);
/* Length of the JSON number (RFC 8259, section 6) at the start of s; 0 when there is none. */
size_t number_prefix(struct str s);

#endif
