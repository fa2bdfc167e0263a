/* Unicode text operations (utf8proc): the one folding that search and uniqueness use on both databases. */
#ifndef CODEC_TEXT_H
#define CODEC_TEXT_H

#include "base/arena.h"

/* NFKC case folding with white space runs made one blank and none at the ends; s is valid UTF-8. Folding twice changes nothing. */
struct str text_fold(struct arena *a, struct str s);

#endif
