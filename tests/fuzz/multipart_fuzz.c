/* The input's first line is the Content-Type, the rest the body. Parts lie inside the body, in order, with clean names. */
#include "codec/form.h"
#include "fuzz.h"

#define PARTS 20

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena *a = arena_new(256 << 20);
	struct str rest = { (const char *)bytes, size }, type;
	struct form_part *parts;
	size_t count;

	if (str_split(&rest, '\n', &type) && !multipart_parse(a, type, rest, PARTS, &parts, &count)) {
		const char *from = rest.p;

		check(count <= PARTS);
		for (size_t i = 0; i < count; i++) {
			check(parts[i].name.p && str_is_utf8(parts[i].name) &&
				str_is_utf8(parts[i].file_name));
			check(str_index(parts[i].file_name, '/', 0) == parts[i].file_name.n);
			check(parts[i].body.p >= from &&
				parts[i].body.p + parts[i].body.n <= rest.p + rest.n);
			from = parts[i].body.p + parts[i].body.n;
		}
	}
	arena_free(a);
	return 0;
}
