/*
 * Commands that work on KPI values without a server: `recalculate` makes the stored day figures anew, `import` records a file. On SQLite
 * both want the data directory for themselves, because a running server would go on answering from what it remembers.
 */
#include "app/command.h"
#include "domain/campaign/campaign.h"
#include "domain/iam/company.h"
#include "domain/kpi/kpi.h"
#include "domain/kpi/value.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX (64u << 20)
#define KPIS_A_STEP    200

/* ---- recalculate ---- */

struct step {
	int64_t company_id, offset;
	int64_t kpis, differences; /* of this step */
};

static struct err *
step_work(struct db_tx *tx, void *arg)
{
	struct step *s = arg;
	struct actor actor;
	TRY(company_actor(tx, s->company_id, &actor));
	struct res_ctx c = {
		.arena = db_tx_arena(tx), .tx = tx, .actor = &actor, .now = clock_system.now(&clock_system)
	};
	struct list_query q = { .offset = s->offset, .limit = KPIS_A_STEP };
	struct res_page page;
	TRY(res_list(&c, &kpi_res, &q, &page));
	s->kpis = (int64_t)page.count;
	s->differences = 0;
	for (size_t i = 0; i < page.count; i++) {
		int64_t differences = 0;
		TRY(kpi_recalculate(&c, page.records[i], &differences));
		s->differences += differences;
	}
	return NULL;
}

struct ids {
	int64_t *ids;
	size_t count;
};

static struct err *
ids_work(struct db_tx *tx, void *arg)
{
	struct ids *list = arg;
	return company_ids(tx, &list->ids, &list->count);
}

static struct err *
recalculate_all(struct command_context *c, struct db *db)
{
	struct ids list = { 0 };
	int64_t kpis = 0, differences = 0;
	TRY(db_read(db, c->arena, ids_work, &list));
	for (size_t i = 0; i < list.count; i++) {
		struct step s = { .company_id = list.ids[i] };
		do {
			struct arena_mark mark = arena_mark(c->arena);
			TRY(db_write(db, c->arena, step_work, &s));
			arena_release(c->arena, mark);
			kpis += s.kpis;
			differences += s.differences;
			s.offset += s.kpis;
		} while (s.kpis == KPIS_A_STEP);
	}
	command_say(c, "%lld KPIs looked at, %lld days were wrong", (long long)kpis, (long long)differences);
	return NULL;
}

struct err *
recalculate_command(struct command_context *c)
{
	struct command_database d;
	if (c->config.argument_count)
		return command_usage(c, "no argument is expected");
	TRY(command_database_open(c, true, &d));
	struct err *e = recalculate_all(c, d.db);
	command_database_close(&d);
	return e;
}

/* ---- import ---- */

static struct err *
read_file(struct command_context *c, struct str name, struct str *out)
{
	const char *path = arena_cstr(c->arena, name);
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0)
		return err_new(c->arena, ERR_UNAVAILABLE, "%s cannot be read: %s.", path, strerror(errno));
	size_t size = st.st_size > 0 && st.st_size <= FILE_BYTES_MAX ? (size_t)st.st_size : 0;
	char *text = arena_alloc(c->arena, size);
	size_t n = 0;
	for (ssize_t got = 1; got > 0 && n < size; n += (size_t)got) {
		got = read(fd, text + n, size - n);
		if (got < 0)
			break;
	}
	(void)close(fd); /* only read */
	if (n == 0 || n < size)
		return err_new(c->arena, ERR_UNAVAILABLE,
			"%s is empty, larger than %u bytes, or cannot be read.", path, FILE_BYTES_MAX);
	*out = (struct str){ text, n };
	return NULL;
}

struct import {
	struct str company, kpi, text;
	size_t values;
};

static struct err *
import_work(struct db_tx *tx, void *arg)
{
	struct import *w = arg;
	struct arena *a = db_tx_arena(tx);
	int64_t company_id = 0;
	bool found = false;
	struct actor actor;
	struct kpi kpi;
	struct kpi_value *values = NULL;
	TRY(company_find(tx, w->company, &company_id, &found));
	if (!found)
		return err_new(a, ERR_NOT_FOUND, "There is no company %.*s.", STR_ARG(w->company));
	TRY(company_actor(tx, company_id, &actor));
	struct res_ctx c = { .arena = a, .tx = tx, .actor = &actor, .now = clock_system.now(&clock_system) };
	TRY(res_read_for(&c, &kpi_res, RES_UPDATE, w->kpi, &kpi));
	TRY(kpi_values_parse_csv(&c, &kpi, w->text, &values, &w->values));
	TRY(kpi_values_put(&c, &kpi, values, w->values));
	return campaign_values_recorded(&c, &kpi, values, w->values);
}

struct err *
import_command(struct command_context *c)
{
	struct import w = { .company = c->config.company, .kpi = c->config.kpi };
	if (c->config.argument_count != 1 || w.company.n == 0 || w.kpi.n == 0)
		return command_usage(c, "import needs FILE.csv, --company and --kpi");
	TRY(read_file(c, c->config.arguments[0], &w.text));
	struct command_database d;
	TRY(command_database_open(c, true, &d));
	struct err *e = db_write(d.db, c->arena, import_work, &w);
	command_database_close(&d);
	if (!e)
		command_say(c, "%zu values of %.*s recorded", w.values, STR_ARG(w.kpi));
	return e;
}
