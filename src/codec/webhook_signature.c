/* HMAC by libsodium; the decoded key lives on the stack and is wiped. */
#include "codec/webhook_signature.h"
#include "base/check.h"
#include "base/random.h"
#include <sodium.h>

#define PREFIX	      "whsec_"
#define KEY_BYTES_MAX 1024 /* of a decoded secret: names of 255 characters hold less */
#define BASE64	      sodium_base64_VARIANT_ORIGINAL
#define NEW_BYTES     32

struct key {
	unsigned char decoded[KEY_BYTES_MAX];
	const unsigned char *p;
	size_t n;
};

static void
key_of(struct key *k, struct str secret)
{
	struct str prefix = STR(PREFIX), text = str_sub(secret, prefix.n, secret.n);

	k->p = (const unsigned char *)secret.p;
	k->n = secret.n;
	if (str_starts_with(secret, prefix) && text.n &&
		sodium_base642bin(
			k->decoded, sizeof(k->decoded), text.p, text.n, NULL, &k->n, NULL, BASE64) == 0)
		k->p = k->decoded;
	else
		k->n = secret.n;
}

static void
add_base64(struct buf *b, const unsigned char *p, size_t n)
{
	char text[sodium_base64_ENCODED_LEN(crypto_auth_hmacsha256_BYTES, BASE64)];

	check(n <= crypto_auth_hmacsha256_BYTES);
	sodium_bin2base64(text, sizeof(text), p, n, BASE64);
	buf_add_str(b, str_from_cstr(text));
}

void
webhook_signature_write(struct buf *b, struct str secret, const struct webhook_signed *message)
{
	crypto_auth_hmacsha256_state state;
	unsigned char mac[crypto_auth_hmacsha256_BYTES];
	char digits[INT_DIGITS_MAX], *first;
	struct key k;

	check(message->timestamp_s >= 0);
	first = int_digits((uint64_t)message->timestamp_s, digits + sizeof(digits));
	key_of(&k, secret);
	crypto_auth_hmacsha256_init(&state, k.p, k.n);
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)message->id.p, message->id.n);
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)".", 1);
	crypto_auth_hmacsha256_update(
		&state, (const unsigned char *)first, (size_t)(digits + sizeof(digits) - first));
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)".", 1);
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)message->body.p, message->body.n);
	crypto_auth_hmacsha256_final(&state, mac);
	secret_wipe(&k, sizeof(k));
	secret_wipe(&state, sizeof(state));
	buf_add_lit(b, "v1,");
	add_base64(b, mac, sizeof(mac));
}

void
webhook_body_signature_write(struct buf *b, struct str secret, struct str body)
{
	crypto_auth_hmacsha256_state state;
	unsigned char mac[crypto_auth_hmacsha256_BYTES];
	char hex[2 * crypto_auth_hmacsha256_BYTES + 1];
	struct key k;

	key_of(&k, secret);
	crypto_auth_hmacsha256_init(&state, k.p, k.n);
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)body.p, body.n);
	crypto_auth_hmacsha256_final(&state, mac);
	secret_wipe(&k, sizeof(k));
	secret_wipe(&state, sizeof(state));
	sodium_bin2hex(hex, sizeof(hex), mac, sizeof(mac));
	buf_add_lit(b, "sha256=");
	buf_add_str(b, str_from_cstr(hex));
}

struct str
webhook_secret_new(struct arena *a)
{
	unsigned char bytes[NEW_BYTES];
	struct buf b;

	random_bytes(bytes, sizeof(bytes));
	buf_init_arena(&b, a, 128);
	buf_add_lit(&b, PREFIX);
	add_base64(&b, bytes, sizeof(bytes));
	secret_wipe(bytes, sizeof(bytes));
	return buf_str(&b);
}
