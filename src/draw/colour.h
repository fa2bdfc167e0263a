/*
 * Colours by what they mean. Whoever draws names a role; what it looks like is settled in one place for paper (here) and by the page's
 * style sheet for SVG (chart.h), so that a chart follows a dark page without being drawn again.
 */
#ifndef DRAW_COLOUR_H
#define DRAW_COLOUR_H

#include <stddef.h>

/* name of the role in class names of SVG, its colour on paper (0xRRGGBB); texts keep a contrast of 4.5 : 1 on white, marks 3 : 1 */
#define DRAW_ROLES(X)          \
	X(INK, "ink", 0x1c2b2d)       \
	X(QUIET, "quiet", 0x55676a)   \
	X(LINE, "line", 0xd8e0e0)     \
	X(GROUND, "ground", 0xf1f5f5) \
	X(PAPER, "paper", 0xffffff)   \
	X(ACCENT, "accent", 0x1a626a) \
	X(GOOD, "good", 0x1d6b3a)     \
	X(WARN, "warn", 0x8a5300)     \
	X(BAD, "bad", 0xa32a1f)       \
	X(FIRST, "s1", 0x1f7a85)      \
	X(SECOND, "s2", 0xb86a12)     \
	X(THIRD, "s3", 0x6a56a8)      \
	X(FOURTH, "s4", 0x4d7d2e)     \
	X(FIFTH, "s5", 0xb0446f)

enum draw_role {
#define DRAW_ROLE_ENUM(name, word, paper) DRAW_##name,
	DRAW_ROLES(DRAW_ROLE_ENUM)
#undef DRAW_ROLE_ENUM
	DRAW_ROLE_COUNT
};
#define DRAW_SERIES_ROLES 5 /* DRAW_FIRST and those behind it tell series apart */

extern const char *const draw_role_words[DRAW_ROLE_COUNT];

struct draw_rgb {
	double red, green, blue; /* 0 … 1 */
};
struct draw_rgb draw_rgb(enum draw_role role);

#endif
