/*
 * Time zones: a cache of the tz database's files and the questions asked of one. A zone is immutable once it is in the cache, so that
 * readers walk the list without a lock; only loading a further zone takes one. A day is never assumed to have 24 hours.
 */
#include "base/time.h"
#include "base/tzif.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define ZONE_FOLDER   "/usr/share/zoneinfo/"
#define ZONE_NAME_MAX 64	  /* bytes; the longest name of the database has 32 */
#define ZONE_FILE_MAX 65536	  /* bytes; the largest file has 4 kB */
#define ZONES_ARENA   (32u << 20) /* all 600 zones of the database take 6 MB */

/* The zones of the process; they are only ever added. */
static struct {
	_Atomic(const struct zone *) first;
	pthread_mutex_t lock;
	struct arena *arena;
} cache = { .lock = PTHREAD_MUTEX_INITIALIZER };

static const int32_t no_offset = 0;
static const struct zone utc = { .offset_s = &no_offset, .repeat_s = INT64_MAX };

static bool
is_zone_name(struct str s)
{
	if (s.n == 0 || s.n > ZONE_NAME_MAX || s.p[0] < 'A' || s.p[0] > 'Z')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
			    c == '_' || c == '+' || c == '-' || c == '/'))
			return false;
	}
	return true;
}

/* The content of a zone's file; p NULL when there is none that can be read whole. */
static struct str
read_file(struct arena *a, struct str name)
{
	char *text = arena_alloc(a, ZONE_FILE_MAX);
	size_t n = 0;
	ssize_t got = 0;
	int fd = open(arena_fmt(a, ZONE_FOLDER "%.*s", STR_ARG(name)).p, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return (struct str){ 0 };
	while (n < ZONE_FILE_MAX && (got = read(fd, text + n, ZONE_FILE_MAX - n)) > 0)
		n += (size_t)got;
	close(fd);
	return got == 0 ? (struct str){ text, n } : (struct str){ 0 };
}

static const struct zone *
find_cached(struct str name)
{
	for (const struct zone *z = atomic_load_explicit(&cache.first, memory_order_acquire); z; z = z->next)
		if (str_eq(z->name, name))
			return z;
	return NULL;
}

static const struct zone *
load(struct str name)
{
	struct arena *scratch = arena_new(4 * ZONE_FILE_MAX);
	struct str file = read_file(scratch, name);
	struct zone *z = NULL;

	if (!cache.arena)
		cache.arena = arena_new(ZONES_ARENA);
	if (file.p)
		z = tzif_parse(cache.arena, file);
	if (z) {
		z->name = arena_str(cache.arena, name);
		z->next = (struct zone *)atomic_load(&cache.first);
		atomic_store_explicit(&cache.first, z, memory_order_release);
	}
	arena_free(scratch);
	return z;
}

const struct zone *
zone_find(struct str iana_name)
{
	const struct zone *z;

	if (!is_zone_name(iana_name))
		return NULL;
	if (str_eq(iana_name, STR("UTC")))
		return &utc;
	z = find_cached(iana_name);
	if (z)
		return z;
	pthread_mutex_lock(&cache.lock);
	z = find_cached(iana_name);
	if (!z)
		z = load(iana_name);
	pthread_mutex_unlock(&cache.lock);
	return z;
}

const struct zone *
zone_utc(void)
{
	return &utc;
}

struct str
zone_name(const struct zone *z)
{
	return z == &utc ? STR("UTC") : z->name;
}

/* The same moment of the calendar's cycle inside the table; *shift_s is what was taken off. */
static int64_t
into_table(const struct zone *z, int64_t s, int64_t *shift_s)
{
	*shift_s = s < z->repeat_s ? 0 : ((s - z->repeat_s) / TZIF_CYCLE_S + 1) * TZIF_CYCLE_S;
	return s - *shift_s;
}

/* Index of the offset in force at a second of the table: the number of transitions at or before it. */
static size_t
segment_at(const struct zone *z, int64_t s)
{
	size_t low = 0, high = z->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (z->at_s[middle] <= s)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int64_t
floor_second(struct instant t)
{
	int64_t s = t.us / INSTANT_SECOND;

	return t.us % INSTANT_SECOND < 0 ? s - 1 : s;
}

int32_t
zone_offset_s(const struct zone *z, struct instant t)
{
	int64_t shift_s, s = into_table(z, floor_second(t), &shift_s);

	return z->offset_s[segment_at(z, s)];
}

struct date
zone_date(const struct zone *z, struct instant t)
{
	int64_t s = floor_second(t) + zone_offset_s(z, t), days = s / 86400;

	days -= s % 86400 < 0;
	return (struct date){ days < DATE_MIN_DAYS   ? DATE_MIN_DAYS
			      : days > DATE_MAX_DAYS ? DATE_MAX_DAYS
						     : (int32_t)days };
}

/*
 * The UTC second at which local clocks show local_s; the earlier one where there are two. Where there is none, *skipped is true and the
 * answer is by the offset before the gap; *gap_s is then the second at which the gap lies.
 */
static int64_t
resolve(const struct zone *z, int64_t local_s, bool *skipped, int64_t *gap_s)
{
	int64_t shift_s, s = into_table(z, local_s, &shift_s);
	size_t i = segment_at(z, s - TZIF_OFFSET_MAX);

	/* Walk on while the segment ends before its clocks show the time. */
	while (i < z->count && s - z->offset_s[i] >= z->at_s[i])
		i++;
	*skipped = i > 0 && s - z->offset_s[i] < z->at_s[i - 1];
	if (!*skipped)
		return s - z->offset_s[i] + shift_s;
	*gap_s = z->at_s[i - 1] + shift_s;
	return s - z->offset_s[i - 1] + shift_s;
}

struct instant
zone_day_start(const struct zone *z, struct date d)
{
	bool skipped;
	int64_t gap_s, s = resolve(z, (int64_t)d.days * 86400, &skipped, &gap_s);

	return (struct instant){ (skipped ? gap_s : s) * INSTANT_SECOND };
}

static int64_t
local_second(struct civil_time local)
{
	return (int64_t)date_from_civil(local.date).days * 86400 + local.hour * 3600 + local.minute * 60 +
	       local.second;
}

struct instant
zone_instant(const struct zone *z, struct civil_time local)
{
	bool skipped;
	int64_t gap_s, s = resolve(z, local_second(local), &skipped, &gap_s);

	return (struct instant){ s * INSTANT_SECOND + local.us };
}

struct instant
zone_instant_after_gap(const struct zone *z, struct civil_time local)
{
	bool skipped;
	int64_t gap_s, s = resolve(z, local_second(local), &skipped, &gap_s);

	return (struct instant){ skipped ? gap_s * INSTANT_SECOND : s * INSTANT_SECOND + local.us };
}
