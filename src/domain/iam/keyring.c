/* Signing keys in memory and in the database, and the secret file they are sealed under. */
#include "domain/iam/keyring.h"

#include "base/log.h"
#include "base/random.h"
#include "domain/iam/iam_sql.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALED_BYTES (crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + KEYRING_KEY_BYTES)
#define FILE_BYTES   (2 * crypto_secretbox_KEYBYTES) /* hexadecimal digits, then a line end */

struct keyring {
	pthread_rwlock_t lock;
	unsigned char master[crypto_secretbox_KEYBYTES];
	struct signing_key keys[KEYRING_KEYS_MAX]; /* the newest first */
	size_t count;
	struct instant newest; /* when the first was made */
	int64_t loaded_us;     /* monotonic */
};

static struct err *
read_secret(struct arena *a, const char *path, int fd, unsigned char *master)
{
	char text[FILE_BYTES + 2];
	ssize_t n = read(fd, text, sizeof(text));
	size_t length = 0;
	bool fine = n >= (ssize_t)FILE_BYTES && n <= (ssize_t)FILE_BYTES + 1 &&
		    sodium_hex2bin(
			    master, crypto_secretbox_KEYBYTES, text, FILE_BYTES, NULL, &length, NULL) == 0 &&
		    length == crypto_secretbox_KEYBYTES;
	secret_wipe(text, sizeof(text));
	struct stat st;
	if (fstat(fd, &st) == 0 && (st.st_mode & 077))
		LOG(LOG_WARN, "others can read the secret file", L_CSTR("file", path));
	if (!fine)
		return err_new(a, ERR_UNAVAILABLE,
			"%s is not a secret file: %zu hexadecimal digits are expected.", path,
			(size_t)FILE_BYTES);
	return NULL;
}

static struct err *
make_secret(struct arena *a, const char *path, unsigned char *master)
{
	random_bytes(master, crypto_secretbox_KEYBYTES);
	char text[FILE_BYTES + 1];
	sodium_bin2hex(text, sizeof(text), master, crypto_secretbox_KEYBYTES);
	text[FILE_BYTES] = '\n';
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool fine = fd >= 0 && write(fd, text, sizeof(text)) == (ssize_t)sizeof(text) && fsync(fd) == 0;
	int fault = errno;
	secret_wipe(text, sizeof(text));
	if (fd >= 0 && close(fd) != 0)
		fine = false;
	if (!fine)
		return err_new(a, ERR_UNAVAILABLE, "The secret file %s cannot be written: %s.", path,
			strerror(fault));
	return NULL;
}

struct err *
keyring_new(struct arena *a, struct str secret_file, struct keyring **out)
{
	const char *path = arena_cstr(a, secret_file);
	unsigned char master[crypto_secretbox_KEYBYTES];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno != ENOENT)
		return err_new(
			a, ERR_UNAVAILABLE, "The secret file %s cannot be read: %s.", path, strerror(errno));
	struct err *e = fd >= 0 ? read_secret(a, path, fd, master) : make_secret(a, path, master);
	if (fd >= 0)
		(void)close(fd); /* nothing was written through it */
	if (e)
		return e;
	struct keyring *k = calloc(1, sizeof(*k));
	check(k);
	check(pthread_rwlock_init(&k->lock, NULL) == 0);
	memcpy(k->master, master, sizeof(master));
	secret_wipe(master, sizeof(master));
	*out = k;
	return NULL;
}

void
keyring_free(struct keyring *k)
{
	if (!k)
		return;
	pthread_rwlock_destroy(&k->lock);
	secret_wipe(k, sizeof(*k));
	free(k);
}

static bool
unseal(const struct keyring *k, struct str sealed, unsigned char *secret)
{
	if (sealed.n != SEALED_BYTES)
		return false;
	const unsigned char *nonce = (const unsigned char *)sealed.p;
	return crypto_secretbox_open_easy(secret, nonce + crypto_secretbox_NONCEBYTES,
		       sealed.n - crypto_secretbox_NONCEBYTES, nonce, k->master) == 0;
}

struct err *
keyring_load(struct keyring *k, struct db_tx *tx, size_t *count)
{
	struct signing_key keys[KEYRING_KEYS_MAX];
	struct instant newest = { 0 };
	size_t n = 0;
	struct db_rows r;
	TRY(DB_QUERY(tx, &sql_signing_key_list, &r, P_INT(KEYRING_KEYS_MAX)));
	for (bool row;;) {
		TRY(db_next(&r, &row));
		if (!row || n == KEYRING_KEYS_MAX)
			break;
		struct str kid = db_text(&r, 0);
		struct signing_key *key = &keys[n];
		*key = (struct signing_key){ 0 };
		if (kid.n != KEYRING_KID_BYTES || !unseal(k, db_text(&r, 1), key->secret)) {
			LOG(LOG_WARN,
				"a signing key was sealed with another secret file: its tokens are not "
				"accepted here",
				L_STR("kid", kid));
			continue;
		}
		memcpy(key->kid, kid.p, kid.n);
		if (n++ == 0)
			newest.us = db_int(&r, 2);
	}
	pthread_rwlock_wrlock(&k->lock);
	memcpy(k->keys, keys, n * sizeof(keys[0]));
	k->count = n;
	k->newest = newest;
	k->loaded_us = monotonic_us();
	pthread_rwlock_unlock(&k->lock);
	secret_wipe(keys, sizeof(keys));
	*count = n;
	return NULL;
}

struct err *
keyring_add(struct keyring *k, struct db_tx *tx, struct instant now)
{
	unsigned char secret[KEYRING_KEY_BYTES];
	unsigned char sealed[SEALED_BYTES];
	random_bytes(secret, sizeof(secret));
	random_bytes(sealed, crypto_secretbox_NONCEBYTES);
	int rc = crypto_secretbox_easy(
		sealed + crypto_secretbox_NONCEBYTES, secret, sizeof(secret), sealed, k->master);
	secret_wipe(secret, sizeof(secret));
	check(rc == 0);
	struct str kid = random_token(db_tx_arena(tx), KEYRING_KID_BYTES * 3 / 4);
	check(kid.n == KEYRING_KID_BYTES);
	return DB_EXEC(tx, &sql_signing_key_add, P_TEXT(kid),
		P_BLOB(((struct str){ (const char *)sealed, sizeof(sealed) })), P_INSTANT(now));
}

void
keyring_newest(struct keyring *k, struct signing_key *out)
{
	pthread_rwlock_rdlock(&k->lock);
	check(k->count > 0);
	*out = k->keys[0];
	pthread_rwlock_unlock(&k->lock);
}

int64_t
keyring_age_s(struct keyring *k, struct instant now)
{
	pthread_rwlock_rdlock(&k->lock);
	int64_t age_us = now.us - k->newest.us;
	pthread_rwlock_unlock(&k->lock);
	return age_us / INSTANT_SECOND;
}

bool
keyring_find(struct keyring *k, struct str kid, struct signing_key *out)
{
	bool found = false;
	pthread_rwlock_rdlock(&k->lock);
	for (size_t i = 0; i < k->count && !found; i++) {
		found = str_eq(kid, str_from_cstr(k->keys[i].kid));
		if (found)
			*out = k->keys[i];
	}
	pthread_rwlock_unlock(&k->lock);
	return found;
}

bool
keyring_may_reload(struct keyring *k)
{
	pthread_rwlock_rdlock(&k->lock);
	bool may = monotonic_us() - k->loaded_us > INSTANT_SECOND;
	pthread_rwlock_unlock(&k->lock);
	return may;
}

#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING

struct str
keyring_seal(const struct keyring *k, struct arena *a, struct str plain)
{
	size_t n = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + plain.n;
	unsigned char *sealed = arena_alloc(a, n);
	size_t text_cap = sodium_base64_encoded_len(n, BASE64);
	char *text = arena_alloc(a, text_cap);
	random_bytes(sealed, crypto_secretbox_NONCEBYTES);
	check(crypto_secretbox_easy(sealed + crypto_secretbox_NONCEBYTES, (const unsigned char *)plain.p,
		      plain.n, sealed, k->master) == 0);
	sodium_bin2base64(text, text_cap, sealed, n, BASE64);
	return str_from_cstr(text);
}

bool
keyring_unseal(const struct keyring *k, struct arena *a, struct str sealed, struct str *plain)
{
	unsigned char *bytes = arena_alloc(a, sealed.n);
	size_t n = 0;
	if (sodium_base642bin(bytes, sealed.n, sealed.p, sealed.n, NULL, &n, NULL, BASE64) != 0 ||
		n < crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES)
		return false;
	size_t length = n - crypto_secretbox_NONCEBYTES - crypto_secretbox_MACBYTES;
	unsigned char *opened = arena_alloc(a, length);
	if (crypto_secretbox_open_easy(opened, bytes + crypto_secretbox_NONCEBYTES,
		    n - crypto_secretbox_NONCEBYTES, bytes, k->master) != 0)
		return false;
	*plain = (struct str){ (const char *)opened, length };
	return true;
}
