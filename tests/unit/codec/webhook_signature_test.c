/* Signatures against the published example of the Standard Webhooks specification and values computed with OpenSSL. */
#include "base/random.h"
#include "codec/webhook_signature.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct webhook_signed example = {
	.id = STR_INIT("msg_p5jXN8AQM9LWM0D4loKWxJek"),
	.timestamp_s = 1614265330,
	.body = STR_INIT("{\"test\": 2432232314}"),
};
#define EXAMPLE_SECRET	  STR("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
#define EXAMPLE_SIGNATURE "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

static struct arena *
arena_of(void **state)
{
	return *state;
}

static const char *
signature(struct arena *a, struct str secret, const struct webhook_signed *m)
{
	struct buf b;

	buf_init_arena(&b, a, 256);
	webhook_signature_write(&b, secret, m);
	return arena_cstr(a, buf_str(&b));
}

static void
the_published_example(void **state)
{
	struct arena *a = arena_of(state);

	assert_string_equal(signature(a, EXAMPLE_SECRET, &example), EXAMPLE_SIGNATURE);
}

static void
every_part_is_signed(void **state)
{
	struct arena *a = arena_of(state);
	struct webhook_signed id = example, time = example, body = example;

	id.id = STR("msg_p5jXN8AQM9LWM0D4loKWxJel");
	time.timestamp_s++;
	body.body = STR("{\"test\": 2432232315}");
	assert_string_not_equal(signature(a, EXAMPLE_SECRET, &id), EXAMPLE_SIGNATURE);
	assert_string_not_equal(signature(a, EXAMPLE_SECRET, &time), EXAMPLE_SIGNATURE);
	assert_string_not_equal(signature(a, EXAMPLE_SECRET, &body), EXAMPLE_SIGNATURE);
	assert_string_not_equal(
		signature(a, STR("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx"), &example), EXAMPLE_SIGNATURE);
}

/* The prefix alone makes no key: what follows it has to be base64, otherwise the whole text is the key. */
static void
other_secrets_are_their_bytes(void **state)
{
	struct arena *a = arena_of(state);
	struct buf b;

	buf_init_arena(&b, a, 256);
	webhook_body_signature_write(&b, STR("your_webhook_secret"), STR("{}"));
	/* printf '{}' | openssl dgst -sha256 -hmac your_webhook_secret */
	assert_string_equal(arena_cstr(a, buf_str(&b)),
		"sha256=691a717b048d034ed31e56f4a45865ec097a0fdc12cc79c4d970ee86e47ab5b7");
	assert_string_not_equal(
		signature(a, STR("whsec_not base64!"), &example), signature(a, STR("not base64!"), &example));
	assert_string_not_equal(signature(a, STR("whsec_"), &example), signature(a, STR("x"), &example));
}

static void
made_secrets_differ_and_work(void **state)
{
	struct arena *a = arena_of(state);
	struct str one = webhook_secret_new(a), two = webhook_secret_new(a);

	assert_int_equal(one.n, 6 + 44);
	assert_true(str_starts_with(one, STR("whsec_")));
	assert_false(str_eq(one, two));
	assert_string_not_equal(signature(a, one, &example), signature(a, two, &example));
}

static int
start(void **state)
{
	*state = arena_new(1u << 20);
	return random_start() ? 0 : -1;
}

static int
stop(void **state)
{
	arena_free(*state);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_example),
		cmocka_unit_test(every_part_is_signed),
		cmocka_unit_test(other_secrets_are_their_bytes),
		cmocka_unit_test(made_secrets_differ_and_work),
	};
	return cmocka_run_group_tests_name("webhook_signature", tests, start, stop);
}
