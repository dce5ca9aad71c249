# proxy.py - between devenv and its servers: what a plan says goes wrong
# SPDX-License-Identifier: Apache-2.0
import http.client
import socket
import struct
import threading
import time
from email.utils import formatdate

from plan import NoPlan

STALL = 4  # seconds; devenv is told to wait for less
HUGE = 6 << 20  # more than any document may have
CUT = "cut", "cut-chunked", "truncated", "short", "long", "empty"


class Gone(Exception):
    """The connection has ended."""


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body
        self.length = len(body)  # what HEAD tells

    def without(self, *names):
        self.headers = [(k, v) for k, v in self.headers
                        if k.lower() not in names]
        return self

    def head(self, length):
        lines = ["HTTP/1.1 %d X" % self.status]
        lines += ["%s: %s" % h for h in self.headers]
        if length is not None:
            lines.append("Content-Length: %d" % length)
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def refusal(status, code, *headers):
    body = '{"errors":[{"code":"%s","message":"as planned"}]}' % code
    return Answer(status, list(headers), body.encode())


class Request:
    def __init__(self, stream):
        line = stream.readline(65536).decode("latin-1").split()
        if len(line) != 3:
            raise Gone
        self.method, self.path = line[:2]
        self.headers = {}
        while True:
            text = stream.readline(65536).decode("latin-1").strip()
            if not text:
                break
            name, _, value = text.partition(":")
            self.headers[name.strip()] = value.strip()
        self.length = int(self.headers.get("Content-Length", 0))
        self.stream = stream
        self.body = None

    def read(self):
        if self.body is None:
            self.body = self.stream.read(self.length)
            if len(self.body) < self.length:
                raise Gone
        return self.body


class Proxy:
    """Listens on `port`; /v2/ goes to the registry, /token to its token
    server, /files/ is served from `files` (name: bytes)."""

    def __init__(self, registry, tokens, files):
        self.registry, self.tokens, self.files = registry, tokens, files
        self.plan = NoPlan()
        self.open = set()
        self.server = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.server.getsockname()[1]
        self.host = "127.0.0.1:%d" % self.port
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            c, _ = self.server.accept()
            threading.Thread(target=self.serve, args=(c,),
                             daemon=True).start()

    def use(self, plan):
        """What was begun by another plan ends here."""
        self.plan = plan
        for c in list(self.open):
            reset(c)

    def serve(self, c):
        self.open.add(c)
        c.settimeout(30)
        try:
            stream = c.makefile("rb")
            while True:
                self.answer(c, Request(stream))
        except (OSError, Gone, ValueError):
            pass
        finally:
            self.open.discard(c)
            c.close()

    # --- the servers behind ---

    def upstream(self, q, authorized=True):
        if q.path.startswith("/files/"):
            body = self.files.get(q.path[7:])
            if body is None:
                return refusal(404, "NONE")
            return Answer(200, [("ETag", '"%d"' % len(body))], body)
        place = self.tokens if q.path.startswith("/token") else self.registry
        if not place:
            return refusal(404, "NONE")
        headers = dict(q.headers)
        if not authorized:
            headers.pop("Authorization", None)
        u = http.client.HTTPConnection(place, timeout=30)
        try:
            u.request(q.method, q.path, q.read(), headers)
            r = u.getresponse()
            answer = Answer(r.status, r.getheaders(), r.read())
        finally:
            u.close()
        answer.length = int(r.getheader("Content-Length") or 0)
        if self.tokens:
            answer.headers = [(k, v.replace(self.tokens, self.host))
                              for k, v in answer.headers]
        return answer.without("content-length", "transfer-encoding",
                              "connection")

    def answer(self, c, q):
        fault, draw = self.plan.fault(q.method, q.path)
        early = getattr(self, "do_" + (fault or "").replace("-", "_"), None)
        if early:
            early(c, q, draw)
            return
        if fault and fault[0] in "45":
            q.read()
            send(c, q, self.refused(fault))
            return
        a = self.upstream(q, authorized=fault != "expired")
        if fault == "lost":
            raise Gone
        self.spoil(c, q, a, fault, draw)

    @staticmethod
    def refused(fault):
        headers = []
        if fault == "429":
            headers = [("Retry-After", "1")]
        if fault == "429-date":
            headers = [("Retry-After", formatdate(time.time() + 2,
                                                  usegmt=True))]
        code = {"403": "DENIED", "404": "UNKNOWN"}.get(fault, "BUSY")
        return refusal(int(fault[:3]), code, *headers)

    # --- instead of an answer ---

    def do_delay(self, c, q, draw):
        time.sleep(draw.uniform(0.05, 0.5))
        send(c, q, self.upstream(q))

    def do_reset(self, c, q, draw):
        reset(c)
        raise Gone

    def do_silent(self, c, q, draw):
        raise Gone

    def do_stall(self, c, q, draw):
        time.sleep(STALL)
        raise Gone

    def do_garbage(self, c, q, draw):
        q.read()
        c.sendall(draw.randbytes(300))
        raise Gone

    def do_no_head(self, c, q, draw):
        q.read()
        c.sendall(b"HTTP/1.1\r\n\r\n")
        raise Gone

    def do_slow_head(self, c, q, draw):
        q.read()
        for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 200:
            c.sendall(bytes([byte]))
            time.sleep(0.2)
        raise Gone

    def do_interim(self, c, q, draw):
        q.read()
        c.sendall(b"HTTP/1.1 102 Processing\r\n\r\n" * draw.randint(1, 40))
        send(c, q, self.upstream(q))

    def do_headers(self, c, q, draw):
        q.read()
        c.sendall(b"HTTP/1.1 200 OK\r\n")
        for _ in range(400):
            c.sendall(b"X-More: " + b"y" * 1000 + b"\r\n")
        raise Gone

    def do_redirects(self, c, q, draw):
        q.read()
        place = "/v2/%d%s" % (draw.getrandbits(60), q.path)
        if draw.random() < 0.5:
            place = q.path
        send(c, q, Answer(307, [("Location", place)], b""))

    def do_inward(self, c, q, draw):
        q.read()
        place = draw.choice(["http://169.254.169.254/latest", "//0.0.0.0/",
                             "file:///etc/passwd", "gopher://127.0.0.1:70/"])
        send(c, q, Answer(302, [("Location", place)], b""))

    def do_teapot(self, c, q, draw):
        q.read()
        send(c, q, Answer(418, [], draw.randbytes(3000)))

    def do_challenge(self, c, q, draw):
        q.read()
        text = draw.choice(['Bearer realm="http://169.254.169.254/t"',
                            'Bearer realm="not a url",service="x"',
                            'Bearer service="x"', 'Basic', 'Digest x="',
                            'Negotiate ' + "A" * 5000,
                            'Bearer realm="http://%s/token",scope="%s"'
                            % (self.host, "s" * 9000)])
        send(c, q, refusal(401, "UNAUTHORIZED", ("WWW-Authenticate", text)))

    def do_cut_upload(self, c, q, draw):
        q.stream.read(q.length // 2)
        reset(c)
        raise Gone

    # --- an answer that is not what it was ---

    def spoil(self, c, q, a, fault, draw):
        body = a.body
        if fault == "no-location":
            a.without("location")
        elif fault == "bad-location":
            a.without("location").headers.append(("Location", draw.choice(
                ["", "http://", "http://169.254.169.254/up", "::", "\t",
                 "file:///tmp/up", "http://127.0.0.1:1/up"])))
        elif fault == "digest-header":
            a.without("docker-content-digest").headers.append(
                ("Docker-Content-Digest", draw.choice(
                    ["sha256:00", "sha256:" + "0" * 64, "md5:1", ""])))
        elif fault == "corrupt" and body:
            at = draw.randrange(len(body))
            a.body = body[:at] + bytes([body[at] ^ 1]) + body[at + 1:]
        elif fault == "swapped":
            a.body = draw.randbytes(len(body))
        elif fault == "broken-json":
            a.without("docker-content-digest")
            a.body = draw.choice([b"null", b"{}", b"[" * 90000, b"<html>",
                                  b'{"schemaVersion":2,"layers":[{}]}'])
        elif fault == "huge":
            self.flood(c, a)
        elif fault == "slow-body":
            self.drip(c, a)
        elif fault in CUT and body:
            self.cut(c, a, fault, draw.randrange(len(body)))
        send(c, q, a)

    @staticmethod
    def flood(c, a):
        c.sendall(a.head(HUGE))
        for _ in range(HUGE >> 16):
            c.sendall(b" " * (1 << 16))
        raise Gone

    @staticmethod
    def drip(c, a):
        c.sendall(a.head(len(a.body)))
        for at in range(0, min(len(a.body), 30)):
            c.sendall(a.body[at:at + 1])
            time.sleep(0.2)
        raise Gone

    @staticmethod
    def cut(c, a, fault, at):
        """The head promises `n` bytes, and part of them come."""
        n = len(a.body)
        if fault == "cut-chunked":
            a.headers.append(("Transfer-Encoding", "chunked"))
            c.sendall(a.head(None) + b"%x\r\n" % n + a.body[:at])
        elif fault in ("cut", "truncated"):
            c.sendall(a.head(n) + a.body[:at])
            if fault == "cut":
                reset(c)
        elif fault == "short":
            c.sendall(a.head(at) + a.body[:at])
        elif fault == "long":
            c.sendall(a.head(n + 9) + a.body + b"and more.")
        else:
            c.sendall(a.head(0))
        raise Gone


def reset(c):
    """Closed with what was sent still on its way."""
    try:
        c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                     struct.pack("ii", 1, 0))
        c.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    c.close()


def send(c, q, a):
    q.read()
    if q.method == "HEAD":
        c.sendall(a.head(a.length))
    else:
        c.sendall(a.head(len(a.body)) + a.body)
