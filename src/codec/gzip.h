/* gzip of a finished answer (zlib), and of an incoming body with a bound on its size. */
#ifndef CODEC_GZIP_H
#define CODEC_GZIP_H

#include "base/buf.h"
#include "base/err.h"

/* Appends the compressed form; level 1–9. False when memory ran out or b is over. */
bool gzip_compress(struct buf *b, struct str plain, int level) MUST_USE;
/* TOO_LARGE past max bytes (a bomb), MALFORMED on broken input. */
struct err *gzip_expand(struct arena *a, struct str packed, size_t max, struct str *out) MUST_USE;

#endif
