/* A mail as the text that goes over the wire (RFC 5322, 2045, 2047), and the addresses in it. */
#ifndef NET_MAIL_MESSAGE_H
#define NET_MAIL_MESSAGE_H

#include "base/buf.h"
#include "net/mail_client.h"

/* One @ with something on both sides, nothing that would end it or the line. Stricter checks are whoever stores addresses. */
bool mail_address_is_fit(struct str address);
/*
 * As every server takes it: the domain in ASCII (IDNA 2008). On the arena, or the address itself. False: not fit, not ASCII before the @, or
 * no such domain can be.
 */
bool mail_address_encode(struct arena *a, struct str address, struct str *out);
/*
 * Whether nobody can be there: the domain is or ends in example, invalid, test, localhost, example.com, example.net or example.org, which
 * RFC 2606 and RFC 6761 keep for examples and tests. address: as mail_address_encode makes it.
 */
bool mail_address_is_reserved(struct str address);
/* "Ann Lee <ann@example.com>" or the address alone; false: neither. */
bool mail_mailbox_parse(struct str text, struct str *name, struct str *address);

/* Header and body, every line with CR LF. from and m->to are encoded. */
void mail_message_write(struct buf *b, struct str from_name, struct str from, const struct mail *m);

#endif
