/*
 * Runs a fuzz target without libFuzzer: over every file of the folders given, every beginning of a small file, and copies of it in
 * which single bits are turned. Each input lies in a block of its exact size, so that the sanitizer sees a read past its end.
 */
#include "fuzz.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX  (1u << 20)
#define WORK_MAX  (1u << 20) /* bytes of changed copies for each file, so that large files do not take long */
#define FLIPS_MAX 2000
#define CUTS_MAX  1000

static void
run(const uint8_t *bytes, size_t size)
{
	uint8_t *exact = malloc(size ? size : 1);

	check(exact);
	memcpy(exact, bytes, size);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
}

static void
run_variants(uint8_t *bytes, size_t size)
{
	size_t cost = size ? size : 1, flips = WORK_MAX / cost < FLIPS_MAX ? WORK_MAX / cost : FLIPS_MAX;
	size_t bits = size * 8, step = bits / (flips ? flips : 1) + 1;

	run(bytes, size);
	for (size_t n = 0; n < size && n < CUTS_MAX && n * cost < WORK_MAX; n++)
		run(bytes, n);
	for (size_t bit = 0; bit < bits; bit += step) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		run(bytes, size);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static int
run_folder(const char *folder, uint8_t *room)
{
	DIR *d = opendir(folder);
	struct dirent *entry;
	char path[4096];
	int count = 0;

	check(d);
	while ((entry = readdir(d))) {
		if (entry->d_name[0] == '.')
			continue;
		check(snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) < (int)sizeof(path));
		FILE *f = fopen(path, "rb");
		check(f);
		run_variants(room, fread(room, 1, FILE_MAX, f));
		fclose(f);
		count++;
	}
	closedir(d);
	return count;
}

int
main(int argc, char **argv)
{
	uint8_t *room = malloc(FILE_MAX);
	int count = 0;

	check(room);
	for (int i = 1; i < argc; i++)
		count += run_folder(argv[i], room);
	free(room);
	printf("%d seeds\n", count);
	return count > 0 ? 0 : 1;
}
