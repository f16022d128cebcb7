"""An SMTP server that keeps every message with its envelope: a foreign one for
tests, in nothing but Python's standard library.

usage: sink.py DIRECTORY PORT

A message becomes NNNNNN.eml, the bytes as they came but for dot-stuffing, and
NNNNNN.json, {"from", "to", "options"}: both are there before the client is told
250.  The directory's file "port" names the port once the server listens.
"""

import itertools
import json
import os
import socketserver
import sys

directory, port = sys.argv[1], int(sys.argv[2])
serial = itertools.count(1)  # next() on it is atomic in CPython


def path(argument, keyword):
    """Split 'FROM:<a@b> X=Y' into the address and the options."""
    if not argument.upper().startswith(keyword + ":"):
        return None, []
    rest = argument[len(keyword) + 1 :].lstrip()
    if not rest.startswith("<") or ">" not in rest:
        return None, []
    address, options = rest[1:].split(">", 1)
    return address, options.split()


def store(sender, recipients, options, body):
    name = os.path.join(directory, "%06d" % next(serial))
    envelope = {"from": sender, "to": recipients, "options": options}
    for ending, content in ((".eml", body), (".json", json.dumps(envelope).encode())):
        with open(name + ending + ".part", "wb") as f:
            f.write(content)
        os.rename(name + ending + ".part", name + ending)


class Session(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True
    rbufsize = 1 << 16

    def say(self, *lines):
        """Answer; the last line of several is set off by a space (RFC 5321 4.2.1)."""
        out = ["%s-%s" % (line[:3], line[4:]) for line in lines[:-1]] + [lines[-1]]
        self.wfile.write(("\r\n".join(out) + "\r\n").encode())

    def handle(self):
        self.reset()
        try:
            self.say("220 sink.example ESMTP")
            while True:
                line = self.rfile.readline(4096)
                if not line.endswith(b"\n"):
                    return
                verb, _, argument = line.decode("utf-8", "replace").strip().partition(" ")
                if verb.upper() == "QUIT":
                    self.say("221 2.0.0 bye")
                    return
                getattr(self, "do_" + verb.lower(), self.unknown)(argument)
        except (ConnectionError, EOFError):
            pass

    def reset(self):
        self.sender, self.recipients, self.options = None, [], []

    def unknown(self, argument):
        self.say("500 5.5.1 unknown command")

    def do_helo(self, argument):
        self.say("250 sink.example")

    def do_ehlo(self, argument):
        self.reset()
        self.say("250 sink.example", "250 PIPELINING", "250 8BITMIME", "250 DSN",
                 "250 SIZE 26214400", "250 ENHANCEDSTATUSCODES")

    def do_noop(self, argument):
        self.say("250 2.0.0 ok")

    def do_rset(self, argument):
        self.reset()
        self.say("250 2.0.0 ok")

    def do_mail(self, argument):
        address, options = path(argument, "FROM")
        if address is None or self.sender is not None:
            self.say("503 5.5.1 nested or malformed MAIL")
            return
        self.sender, self.options = address, options
        self.say("250 2.1.0 ok")

    def do_rcpt(self, argument):
        address, options = path(argument, "TO")
        if not address or self.sender is None:
            self.say("503 5.5.1 malformed RCPT, or no MAIL")
            return
        self.recipients.append(address)
        self.options += options
        self.say("250 2.1.5 ok")

    def do_data(self, argument):
        if not self.recipients:
            self.say("503 5.5.1 no recipient")
            return
        self.say("354 go on")
        lines = []
        while True:
            line = self.rfile.readline()
            if not line.endswith(b"\n"):
                raise EOFError
            if line == b".\r\n":
                break
            lines.append(line[1:] if line.startswith(b".") else line)
        store(self.sender, self.recipients, self.options, b"".join(lines))
        self.reset()
        self.say("250 2.0.0 kept")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


with Server(("127.0.0.1", port), Session) as server:
    with open(os.path.join(directory, "port.part"), "w") as f:
        f.write(str(server.server_address[1]))
    os.rename(os.path.join(directory, "port.part"), os.path.join(directory, "port"))
    server.serve_forever()
