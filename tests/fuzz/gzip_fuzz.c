/* Expanding never passes its bound, and what was expanded survives compressing and expanding again. */
#include "codec/gzip.h"
#include "fuzz.h"

#define BOUND 100000

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena *a = arena_new(256 << 20);
	struct str out, again;
	struct buf b;

	if (!gzip_expand(a, (struct str){ (const char *)bytes, size }, BOUND, &out)) {
		check(out.n <= BOUND);
		buf_init_arena(&b, a, 1 << 20);
		check(gzip_compress(&b, out, 1 + (int)(out.n % 9)));
		check(!gzip_expand(a, buf_str(&b), BOUND, &again) && str_eq(again, out));
	}
	arena_free(a);
	return 0;
}
