/*
 * Texts made fit for drawing and for markup. Whatever a client may have written (control characters, broken UTF-8) becomes text that
 * every renderer takes; what it means in HTML or XML is taken away by escaping, never by leaving it out.
 */
#ifndef DRAW_TEXT_H
#define DRAW_TEXT_H

#include "base/buf.h"

/* Valid UTF-8 without control characters but line ends and tabs; each byte or character that is not such becomes U+FFFD. s itself when it is so already. */
struct str draw_plain(struct arena *a, struct str s);
/* Appends s as text of HTML, SVG or XML, in an element or between double quotes; made plain on the way. */
void draw_escape(struct buf *b, struct str s);
/* Width of a text in a sans-serif font of size 1, without knowing the font: for SVG, whose font the reader's machine chooses. Rather too wide. */
double draw_guess_width(struct str s);
/* The longest start of s, with "…" where something is missing, that fits the width by the same guess. */
struct str draw_guess_fit(struct arena *a, struct str s, double width);

#endif
