/*
 * What SQLite's writer remembers of rows between its transactions, kept as true as the tables: the driver tells of every doubt, and at the
 * next job a memory in doubt is emptied. It is not emptied at once, because the job whose statement raised the doubt may still hold what
 * it found there.
 */
#include "db/driver.h"

struct db_memory {
	const struct db_memory_kind *kind;
	void *content;
	bool in_doubt;
};

struct db_memory *
db_memory_new(const struct db_memory_kind *kind)
{
	struct db_memory *m = calloc(1, sizeof(*m));

	check(m);
	*m = (struct db_memory){ .kind = kind, .content = kind->make() };
	return m;
}

void
db_memory_free(struct db_memory *m)
{
	if (!m)
		return;
	m->kind->discard(m->content);
	free(m);
}

bool
db_memory_watches(const struct db_memory *m, const char *table)
{
	for (const char *const *t = m->kind->tables; *t; t++)
		if (strcmp(*t, table) == 0)
			return true;
	return false;
}

void
db_memory_doubt(struct db_memory *m)
{
	if (m)
		m->in_doubt = true;
}

void
db_memory_settle(struct db_memory *m)
{
	if (!m || !m->in_doubt)
		return;
	m->kind->empty(m->content);
	m->in_doubt = false;
}

void *
db_tx_memory(const struct db_tx *tx)
{
	const struct db_memory *m = tx->db->memory;

	return m && tx->write && !m->in_doubt ? m->content : NULL;
}

void
db_tx_remembers(struct db_tx *tx)
{
	tx->remembers = true;
}

void
db_tx_forget(struct db_tx *tx)
{
	db_memory_doubt(tx->db->memory);
}
