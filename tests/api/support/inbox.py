"""A mail server for tests: prints each message that it takes as a line of JSON.

inbox.py [--closed] [--tls CERT KEY] [--login USER PASSWORD]

It takes a port of its own. A closed one refuses connections until a line comes in; nobody else can get the port meanwhile.

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
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused"):
            return "550 5.1.1 There is nobody of that name"
        if address.startswith("full"):
            return "452 4.2.2 The mailbox is full"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if envelope.rcpt_tos[0].startswith("rejected"):
            return "554 5.7.1 This looks like spam"
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        print(json.dumps({
            "from": envelope.mail_from, "to": envelope.rcpt_tos, "tls": session.ssl is not None,
            "login": session.auth_data.login.decode() if session.auth_data else None,
            "headers": {name.lower(): str(value) for name, value in message.items()},
            "text": message.get_content(), "raw": envelope.content.decode("utf-8", "replace"),
        }), flush=True)
        return "250 Taken"


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--closed", action="store_true")
    options.add_argument("--tls", nargs=2)
    options.add_argument("--login", nargs=2)
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
    loop.run_until_complete(loop.create_server(lambda: SMTP(Inbox(), loop=loop, **settings), sock=door))
    print(json.dumps({"open": True}), flush=True)
    loop.run_until_complete(loop.run_in_executor(None, sys.stdin.read))


main()
