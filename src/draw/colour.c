/* The roles' colours on paper. */
#include "draw/colour.h"

const char *const draw_role_words[DRAW_ROLE_COUNT] = {
#define DRAW_ROLE_WORD(name, word, paper) [DRAW_##name] = word,
	DRAW_ROLES(DRAW_ROLE_WORD)
#undef DRAW_ROLE_WORD
};

static const unsigned paper_colours[DRAW_ROLE_COUNT] = {
#define DRAW_ROLE_PAPER(name, word, paper) [DRAW_##name] = paper,
	DRAW_ROLES(DRAW_ROLE_PAPER)
#undef DRAW_ROLE_PAPER
};

struct draw_rgb
draw_rgb(enum draw_role role)
{
	unsigned v = paper_colours[role];
	return (struct draw_rgb){ (v >> 16 & 255) / 255.0, (v >> 8 & 255) / 255.0, (v & 255) / 255.0 };
}
