/* A mail as the text that goes over the wire (RFC 5322, 2045, 2047), and the addresses in it. */
#ifndef NET_MAIL_MESSAGE_H
#define NET_MAIL_MESSAGE_H

#include "base/buf.h"
#include "net/mail_client.h"

/* One @ with something on both sides, nothing that would end it or the line. Stricter checks are whoever stores addresses. */
bool mail_address_is_fit(struct str address);
/* "Ann Lee <ann@example.com>" or the address alone; false: neither. */
bool mail_mailbox_parse(struct str text, struct str *name, struct str *address);

/* Header and body, every line with CR LF. from and m->to are fit. */
void mail_message_write(struct buf *b, struct str from_name, struct str from, const struct mail *m);

#endif
