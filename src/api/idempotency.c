/* The statements around the table `idempotency`, and the form in which an answer is stored there. */
#include "api/idempotency.h"
#include "api/idempotency_sql.h"
#include "base/limits.h"
#include <sodium.h>

#define STORED_FIELDS_MAX 12 /* fewer than an answer may have, so that "replayed" fits beside them */

static void
add_to_hash(crypto_generichash_state *h, struct str s)
{
	const uint64_t n = s.n;
	crypto_generichash_update(h, (const unsigned char *)&n, sizeof(n));
	if (s.n)
		crypto_generichash_update(h, (const unsigned char *)s.p, s.n);
}

struct err *
idempotency_read(
	struct arena *a, const struct http_request *r, struct str header, struct idempotency_key *out)
{
	out->on = false;
	if (!header.p)
		return NULL;
	if (header.n == 0 || header.n > IDEMPOTENCY_KEY_MAX)
		return err_field(a, "Idempotency-Key", "Must have 1 to %d characters.", IDEMPOTENCY_KEY_MAX);
	for (size_t i = 0; i < header.n; i++)
		if (header.p[i] < 0x20 || header.p[i] > 0x7E)
			return err_field(a, "Idempotency-Key", "Must consist of printable ASCII characters.");
	struct str path = r->path;
	if (path.n > 1 && path.p[path.n - 1] == '/')
		path.n--;
	crypto_generichash_state h;
	crypto_generichash_init(&h, NULL, 0, sizeof(out->hash));
	add_to_hash(&h, r->query);
	add_to_hash(&h, r->body);
	crypto_generichash_final(&h, out->hash, sizeof(out->hash));
	out->key = header;
	out->method_path = arena_fmt(a, "%s %.*s", http_method_names[r->method], STR_ARG(path));
	out->on = true;
	return NULL;
}

/* ---- the stored form ---- */

struct str
idempotency_pack(struct arena *a, const struct http_answer *answer)
{
	struct buf b;
	buf_init_arena(&b, a, LIMIT_ANSWER_BYTES * 2ull);
	if (answer->etag.n) {
		buf_add_lit(&b, "ETag: ");
		buf_add_str(&b, answer->etag);
		buf_add_byte(&b, '\n');
	}
	for (size_t i = 0; i < answer->field_count; i++) {
		buf_add_str(&b, answer->fields[i].name);
		buf_add_lit(&b, ": ");
		buf_add_str(&b, answer->fields[i].value);
		buf_add_byte(&b, '\n');
	}
	buf_add_byte(&b, '\n');
	const size_t head = b.len;
	buf_add_str(&b, answer->body);
	struct str packed = buf_str(&b);
	/* What no cache may keep holds a secret, such as a key that is shown once. */
	if (packed.n > LIMIT_IDEMPOTENCY_BYTES || answer->no_etag)
		packed.n = head;
	return packed;
}

void
idempotency_unpack(struct arena *a, struct str packed, struct http_answer *out)
{
	struct http_field *fields = arena_alloc_array(a, STORED_FIELDS_MAX, sizeof(*fields));
	struct str line;
	out->fields = fields;
	out->field_count = 0;
	while (str_split(&packed, '\n', &line) && line.n > 0) {
		const size_t colon = str_index(line, ':', 0);
		const struct str name = str_sub(line, 0, colon);
		const struct str value = str_sub(line, colon + 2, line.n);
		if (str_eq(name, STR("ETag")))
			out->etag = value;
		else if (out->field_count < STORED_FIELDS_MAX)
			fields[out->field_count++] = (struct http_field){ name, value };
	}
	out->body = packed.p ? packed : (struct str){ NULL, 0 };
}

/* ---- the table ---- */

static struct err *
answer_of_row(struct db_tx *tx, const struct idempotency_key *k, const struct db_rows *row,
	struct http_answer *answer)
{
	struct arena *a = db_tx_arena(tx);
	const struct str hash = { (const char *)k->hash, sizeof(k->hash) };
	if (!str_eq(db_text(row, 0), k->method_path) || !str_eq(db_text(row, 1), hash))
		return err_new(a, ERR_IDEMPOTENCY_MISMATCH, "");
	const int64_t status = db_int(row, 2);
	if (status == 0) {
		struct err *e = err_new(
			a, ERR_CONFLICT, "A request with this Idempotency-Key is still being processed.");
		e->retry_after_s = 1;
		return err_word(e, "IDEMPOTENCY_IN_PROGRESS");
	}
	*answer = (struct http_answer){ .status = (int)status, .content_type = db_text_copy(row, 4) };
	idempotency_unpack(a, db_text_copy(row, 3), answer);
	return NULL;
}

struct err *
idempotency_take(struct db_tx *tx, const struct idempotency_key *k, struct instant now, bool *stored,
	struct http_answer *answer)
{
	const struct db_param values[] = {
		P_INT(k->company_id),
		P_INT(k->user_id),
		P_TEXT(k->key),
		P_TEXT(k->method_path),
		P_BLOB(((struct str){ (const char *)k->hash, sizeof(k->hash) })),
		P_INSTANT(now),
		P_INT(now.us - LIMIT_IDEMPOTENCY_S * INSTANT_SECOND),
		P_INT(now.us - IDEMPOTENCY_ABANDONED_US),
	};
	int64_t taken;
	TRY(db_exec(tx, &sql_idempotency_take, values, COUNT(values), &taken));
	*stored = false;
	if (taken > 0)
		return NULL;
	struct db_rows row;
	TRY(DB_FIND(tx, &sql_idempotency_find, &row, stored, P_INT(k->company_id), P_INT(k->user_id),
		P_TEXT(k->key)));
	if (!*stored) /* swept away between the two statements */
		return err_private(db_tx_arena(tx), ERR_UNAVAILABLE, "the idempotency row has gone");
	return answer_of_row(tx, k, &row, answer);
}

struct err *
idempotency_keep(struct db_tx *tx, const struct idempotency_key *k, const struct http_answer *answer)
{
	return DB_EXEC(tx, &sql_idempotency_keep, P_INT(k->company_id), P_INT(k->user_id), P_TEXT(k->key),
		P_INT(answer->status), P_BLOB(idempotency_pack(db_tx_arena(tx), answer)),
		P_TEXT(answer->content_type));
}

struct err *
idempotency_release(struct db_tx *tx, const struct idempotency_key *k)
{
	return DB_EXEC(tx, &sql_idempotency_release, P_INT(k->company_id), P_INT(k->user_id), P_TEXT(k->key));
}

struct err *
idempotency_sweep(struct db_tx *tx, struct instant now)
{
	return DB_EXEC(tx, &sql_idempotency_sweep, P_INT(now.us - LIMIT_IDEMPOTENCY_S * INSTANT_SECOND));
}
