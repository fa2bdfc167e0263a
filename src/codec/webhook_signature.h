/*
 * Signatures of webhook deliveries: "v1,<base64>" of the Standard Webhooks specification (HMAC-SHA256 of id.timestamp.body), and the
 * older "sha256=<hex>" of the body alone. Pure.
 */
#ifndef CODEC_WEBHOOK_SIGNATURE_H
#define CODEC_WEBHOOK_SIGNATURE_H

#include "base/buf.h"

struct webhook_signed {
	struct str id; /* without a dot */
	int64_t timestamp_s;
	struct str body;
};

/*
 * Appends "v1,…". A secret "whsec_<base64>" is decoded, as the specification's libraries do; any other one, also one that is not valid
 * base64 behind the prefix, is used as its bytes.
 */
void webhook_signature_write(struct buf *b, struct str secret, const struct webhook_signed *message);
/* Appends "sha256=…"; the key is the same as above. */
void webhook_body_signature_write(struct buf *b, struct str secret, struct str body);
/* A secret of 32 random bytes in the specification's form, on a. */
struct str webhook_secret_new(struct arena *a);

#endif
