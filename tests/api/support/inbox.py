"""A mail server for tests: prints each message that it takes as a line of JSON.

inbox.py [--closed] [--tls CERT KEY] [--login USER PASSWORD] [--refuse WORDS]... [--hold WORDS]

It takes a port of its own. A closed one refuses connections until a line comes in; nobody else can get the port meanwhile.

A message with the words of a --refuse in its subject or text is refused behind it (554), until a further line comes in; what was refused is
printed too. The first one with those of --hold is taken and never answered.

What it does is chosen by the recipient's local part: refused… is unknown (550), full… is over quota for now (452), rejected… has every
message refused after its text (554), others are taken.
"""
import argparse
import asyncio
import email
import email.policy
import json
import socket
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Inbox:
    def __init__(self, refused, held):
        self.refused, self.held = refused, held

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused"):
            return "550 5.1.1 There is nobody of that name"
        if address.startswith("full"):
            return "452 4.2.2 The mailbox is full"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        words = f"{message['subject']}\n{message.get_content()}"
        if envelope.rcpt_tos[0].startswith("rejected") or any(r in words for r in self.refused):
            print(json.dumps({"refused": str(message["subject"]), "to": envelope.rcpt_tos}), flush=True)
            return "554 5.7.1 This looks like spam"
        print(json.dumps({
            "from": envelope.mail_from, "to": envelope.rcpt_tos, "tls": session.ssl is not None,
            "login": session.auth_data.login.decode() if session.auth_data else None,
            "headers": {name.lower(): str(value) for name, value in message.items()},
            "text": message.get_content(), "raw": envelope.content.decode("utf-8", "replace"),
        }), flush=True)
        if self.held and self.held in words:
            self.held = None
            await asyncio.Event().wait()
        return "250 Taken"


async def obey(loop, inbox):
    """A line lifts the refusals; the end of the lines is the end of the server."""
    while await loop.run_in_executor(None, sys.stdin.readline):
        inbox.refused = []
        print(json.dumps({"lifted": True}), flush=True)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--closed", action="store_true")
    options.add_argument("--tls", nargs=2)
    options.add_argument("--login", nargs=2)
    options.add_argument("--refuse", action="append", default=[])
    options.add_argument("--hold")
    given = options.parse_args()
    door = socket.socket()
    door.bind(("127.0.0.1", 0))
    print(json.dumps({"port": door.getsockname()[1]}), flush=True)
    if given.closed and not sys.stdin.readline():
        return
    settings = {}
    if given.tls:
        settings["tls_context"] = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        settings["tls_context"].load_cert_chain(*given.tls)
        settings["require_starttls"] = True
    if given.login:
        def judge(server, session, envelope, mechanism, data):
            fine = [data.login.decode(), data.password.decode()] == given.login
            return AuthResult(success=fine, handled=fine, auth_data=data)
        settings.update(authenticator=judge, auth_required=True, auth_require_tls=bool(given.tls))
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    inbox = Inbox(given.refuse, given.hold)
    loop.run_until_complete(loop.create_server(lambda: SMTP(inbox, loop=loop, **settings), sock=door))
    print(json.dumps({"open": True}), flush=True)
    loop.run_until_complete(obey(loop, inbox))


main()
