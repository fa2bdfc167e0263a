/*
 * Mail to people through one server (SMTP): blocking, with a limit on time. A message has one recipient, so an address that is refused
 * concerns nobody else. The server is the operator's choice; its certificate is checked.
 */
#ifndef NET_MAIL_CLIENT_H
#define NET_MAIL_CLIENT_H

#include "base/err.h"
#include "base/time.h"

#define MAIL_TIMEOUT_MS 60000

struct mail_server {
	struct str url;            /* smtp://host:587 (with STARTTLS) or smtps://host:465 */
	struct str user, password; /* user empty: no login */
	struct str from;           /* "kpi@example.com" or "Sextant <kpi@example.com>" */
	bool allows_plain;         /* without TLS where the server offers none; one on this machine may always do so */
	struct str ca_file;        /* PEM; empty: the system's */
	int timeout_ms;            /* for a whole message; 0: MAIL_TIMEOUT_MS */
};
/* INVALID_INPUT on "mail-server" or "mail-from": what a message could never be sent with. */
struct err *mail_server_check(struct arena *a, const struct mail_server *s) MUST_USE;

struct mail {
	struct str to;            /* address */
	struct str to_name;       /* may be empty */
	struct str subject, text; /* UTF-8; the text's lines end with \n */
	struct str id;            /* left of the @ in Message-ID: letters, digits, dots; the same for the same message */
	struct instant date;
	/* As in http_call; may be NULL. */
	bool (*is_over)(void *arg);
	void *arg;
};
/*
 * NULL: the server has taken it over. INVALID_INPUT with the word RECIPIENT_REFUSED: it will never take mail for this address (RFC 5321
 * 4.2.3, RFC 3463 3.2); with RECIPIENT_RESERVED: nobody can be there (mail_address_is_reserved), and no server was asked;
 * with CONTENT_REFUSED: it took the text and refused the message, which another text may mend.
 * UNAVAILABLE, when it may work later: the words of curl_fault, LOGIN_REFUSED, or MAIL_REFUSED for any other refusal. The detail has the
 * server's own words.
 */
struct err *mail_send(const struct mail_server *s, struct arena *a, const struct mail *m) MUST_USE;

#endif
