/* API keys. The secret part has 256 random bits, so a plain hash of it is as good as a slow one and can be looked up. */
#include "domain/iam/api_key.h"

#include "base/random.h"
#include "domain/iam/iam_internal.h"
#include "domain/iam/role.h"

#define SECRET_BYTES 32
#define SHOWN_CHARS  12

#define RES_RECORD struct api_key

static const struct res_field fields[] = {
	F(id, INT, .flags = RF_SERVER | RF_FILTER | RF_SORT),
	F(version, INT, .flags = RF_SERVER),
	F(created_at, INSTANT, .flags = RF_SERVER | RF_FILTER | RF_SORT),
	F(updated_at, INSTANT, .flags = RF_SERVER | RF_FILTER | RF_SORT),
	F(name, TEXT, .flags = RF_REQUIRED | RF_FILTER | RF_SORT, .max = 100, .doc = "What the key is for.",
		.example = "\"ERP nightly sync\""),
	F(prefix, TEXT, .flags = RF_SERVER, .doc = "The key's first characters, to tell keys apart."),
	F(key_hash, TEXT, .flags = RF_SERVER | RF_SECRET | RF_HIDDEN),
	F(role_id, REF, .flags = RF_CREATE_ONLY | RF_FILTER, .ref = &role_res, .doc = "Role of the key."),
	F(role, TEXT, .flags = RF_CREATE_ONLY | RF_FILTER | RF_SORT, .max = 50,
		.doc = "Name of the role; INTEGRATION when nothing is given.", .example = "\"INTEGRATION\""),
	F(created_by, INT, .flags = RF_SERVER | RF_NULL | RF_FILTER, .doc = "Who made it."),
	F(active, BOOL, .flags = RF_FILTER, .preset = "true", .doc = "False switches the key off."),
	F(expires_at, INSTANT, .flags = RF_NULL | RF_FILTER | RF_SORT, .doc = "When it ends; null: never."),
};

static struct err *
before_write(struct res_ctx *c, const void *old, void *record)
{
	struct api_key *key = record;
	if (old)
		return NULL;
	struct role role;
	struct role_choice choice = {
		.id_given = res_is_given(&api_key_res, key, "role_id"),
		.name_given = res_is_given(&api_key_res, key, "role"),
		.id = key->role_id,
		.name = key->role,
		.preset = "INTEGRATION",
	};
	TRY(role_choose(c, &choice, &role));
	key->role_id = role.id;
	key->role = role.name;
	return NULL;
}

static struct err *
after_write(struct res_ctx *c, const void *old, const void *record)
{
	(void)old;
	(void)record;
	iam_touched(c->tx);
	return NULL;
}

#define ADMIN PERM_BIT(PERM_COMPANY_ADMIN)

const struct res_def api_key_res = {
	.name = "api_key",
	.title = "API key",
	.table = "api_key",
	.fields = fields,
	.field_count = COUNT(fields),
	.record_size = sizeof(struct api_key),
	.scope = SCOPE_COMPANY,
	.perm = { [RES_LIST] = ADMIN,
		[RES_READ] = ADMIN,
		[RES_CREATE] = ADMIN,
		[RES_UPDATE] = ADMIN,
		[RES_DELETE] = ADMIN },
	.default_sort = "id",
	.doc = "A credential of a program, sent as X-API-Key. The key itself is in the answer that creates "
	       "it and nowhere else.",
	.hooks = { .before_write = before_write, .after_write = after_write },
};

static const struct res_view_field view_fields[] = {
	{ .name = "id", .field = "id" },
	{ .name = "name", .field = "name" },
	{ .name = "prefix", .field = "prefix" },
	{ .name = "role_id", .field = "role_id" },
	{ .name = "role", .field = "role" },
	{ .name = "created_by", .field = "created_by" },
	{ .name = "active", .field = "active" },
	{ .name = "expires_at", .field = "expires_at" },
	{ .name = "created_on", .field = "created_at" },
	{ .name = "updated_on", .field = "updated_at" },
};
const struct res_view api_key_view = {
	.name = "ApiKey", .fields = view_fields, .field_count = COUNT(view_fields)
};

struct err *
api_key_create(struct res_ctx *c, struct api_key *record, struct str *secret)
{
	struct str text = arena_fmt(c->arena, API_KEY_PREFIX "%lld_%.*s", (long long)c->actor->company_id,
		STR_ARG(random_token(c->arena, SECRET_BYTES)));
	record->prefix = str_sub(text, 0, SHOWN_CHARS);
	record->key_hash = iam_secret_hash(c->arena, text);
	record->created_by = c->actor->person_id;
	res_set_null(&api_key_res, record, "created_by", c->actor->person_id == 0);
	TRY(res_create(c, &api_key_res, record));
	*secret = text;
	return NULL;
}

bool
api_key_parse(struct arena *a, struct str text, int64_t *company_id, struct str *hash)
{
	struct str rest = str_sub(text, sizeof(API_KEY_PREFIX) - 1, text.n);
	struct str company;
	if (text.n > 128 || !str_starts_with(text, STR(API_KEY_PREFIX)) || !str_split(&rest, '_', &company))
		return false;
	if (!str_to_int(company, company_id) || *company_id <= 0)
		return false;
	*hash = iam_secret_hash(a, text);
	return true;
}
