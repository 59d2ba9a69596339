#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The real stentor-controlplane's HTTP by raw sockets: framing, authority, limits, slow clients.

usage: test_http.py PROGRAM
"""
import email.utils
import http.client
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from controlplane import Planes, wait_for  # noqa: E402

PROGRAM = sys.argv.pop(1)
DEADLINE = 20
HOST = b"Host: localhost\r\n"
GET = b"GET /healthz HTTP/1.1\r\n"
POST = b"POST /events HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
CHUNKED = b"2\r\n{}\r\n0\r\n\r\n"
HEAD_MAX, BODY_MAX, FIELDS_MAX = 16384, 65536, 64


def planes(**options):
    return Planes(PROGRAM, **{"http": "true", "http_port": 0, "answer_timeout_ms": 100, **options})


def connect(port, source="127.0.0.1", timeout=DEADLINE):
    return socket.create_connection(("127.0.0.1", port), timeout, (source, 0))


def read_response(stream, method="GET"):
    """One response: status, headers (lower case), body; None at the end of the stream."""
    line = stream.readline()
    if not line:
        return None
    match = re.fullmatch(rb"HTTP/1\.1 (\d{3}) [^\r\n]+\r\n", line)
    assert match, line
    status, headers = int(match.group(1)), {}
    while (line := stream.readline()) not in (b"\r\n", b""):
        name, value = line.decode("latin-1").rstrip("\r\n").split(":", 1)
        headers[name.lower()] = value.strip()
    if status == 100:
        return status, headers, b""
    size = 0 if method == "HEAD" or status in (204, 304) else int(headers["content-length"])
    return status, headers, stream.read(size)


def exchange(port, request, count=1):
    """Sends bytes, reads that many responses, and whether the connection was closed behind them."""
    with connect(port) as client, client.makefile("rb") as stream:
        client.sendall(request)
        responses = [read_response(stream) for _ in range(count)]
        client.settimeout(0.2)
        try:
            closed = stream.read(1) == b""
        except TimeoutError:
            closed = False
        return responses, closed


def ask(port, method, path, headers=(), body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
    try:
        connection.request(method, path, body=body, headers=dict(headers))
        response = connection.getresponse()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
    finally:
        connection.close()


# What is sent, the status, whether the connection is closed behind it.
FRAMING = [
    ("a plain request", GET + HOST + b"\r\n", 200, False),
    ("HTTP/1.0 is answered and closed", b"GET /healthz HTTP/1.0\r\n" + HOST + b"\r\n", 200, True),
    ("HTTP/1.0 needs a Host as well", b"GET /healthz HTTP/1.0\r\n\r\n", 400, True),
    ("HTTP/1.2 is not known", b"GET /healthz HTTP/1.2\r\n" + HOST + b"\r\n", 505, True),
    ("CRLF before a request is skipped", b"\r\n\r\n" + GET + HOST + b"\r\n", 200, False),
    ("a line may end in LF alone", b"GET /healthz HTTP/1.1\nHost: localhost\n\n", 200, False),
    ("a bare CR is no line end", GET + HOST + b"X: a\rb\r\n\r\n", 400, True),
    ("a folded line is one line", GET + HOST + b"X: a\r\n b\r\n\r\n", 200, False),
    ("folding cannot hide a length", POST + b"Content-Length: 1\r\n 0\r\n\r\n{}", 400, True),
    ("folding cannot hide a length of GET",
     GET + HOST + b"Content-Length:\r\n 2\r\n\r\n{}", 400, True),
    ("folding cannot hide a Host", GET + b"Host: localhost\r\n .evil\r\n\r\n", 400, False),
    ("folding cannot hide an encoding",
     POST + b"Content-Length: 2\r\nTransfer-Encoding:\r\n chunked\r\n\r\n" + CHUNKED, 400, True),
    ("a first field cannot be a continuation", GET + b" X: a\r\n" + HOST + b"\r\n", 400, True),
    ("no space before a colon", GET + b"Host : localhost\r\n\r\n", 400, True),
    ("no space before a colon, length", POST + b"Content-Length : 2\r\n\r\n{}", 400, True),
    ("a space in the target", b"GET /heal thz HTTP/1.1\r\n" + HOST + b"\r\n", 400, True),
    ("bytes beyond ASCII in the target", b"GET /r\xc3\xb6om HTTP/1.1\r\n" + HOST + b"\r\n", 400,
     True),
    ("a method that is no token", b"G@T / HTTP/1.1\r\n" + HOST + b"\r\n", 400, True),
    ("methods have case", b"get /healthz HTTP/1.1\r\n" + HOST + b"\r\n", 405, False),
    ("an unknown method", b"TRACE / HTTP/1.1\r\n" + HOST + b"\r\n", 405, False),
    ("CONNECT", b"CONNECT localhost:80 HTTP/1.1\r\n" + HOST + b"\r\n", 400, True),
    ("GET of *", b"GET * HTTP/1.1\r\n" + HOST + b"\r\n", 405, False),
    ("OPTIONS of *", b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", 204, False),
    ("an unknown path", b"GET /nothing HTTP/1.1\r\n" + HOST + b"\r\n", 404, False),
    ("an encoded slash is in no id", b"GET /room/a%2Fb HTTP/1.1\r\n" + HOST + b"\r\n", 400, False),
    ("an encoded NUL is in no id", b"GET /room/a%00b HTTP/1.1\r\n" + HOST + b"\r\n", 400, False),
    ("a cut encoding", b"GET /room/a%z HTTP/1.1\r\n" + HOST + b"\r\n", 400, False),
    ("no way up", b"GET /www/../healthz HTTP/1.1\r\n" + HOST + b"\r\n", 404, False),
    ("no way up, encoded", b"GET /www/%2e%2e HTTP/1.1\r\n" + HOST + b"\r\n", 404, False),
    ("a query is let through", b"GET /healthz?a=b&c HTTP/1.1\r\n" + HOST + b"\r\n", 200, False),
    ("one length", POST + b"Content-Length: 2\r\n\r\n{}", 401, False),
    ("a length with leading zeros", POST + b"Content-Length: 002\r\n\r\n{}", 401, False),
    ("two lengths, the same",
     POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400, True),
    ("two lengths, different",
     POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ", 400, True),
    ("no length", POST + b"\r\n", 411, True),
    ("chunked", POST + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKED, 411, True),
    ("chunked, in other letters", POST + b"tRANSFER-eNCODING: Chunked\r\n\r\n" + CHUNKED, 411, True),
    ("chunked and a length",
     POST + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n" + CHUNKED, 400, True),
    ("an unknown encoding", POST + b"Transfer-Encoding: xchunked\r\n\r\n" + CHUNKED, 411, True),
    ("two encodings", POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n"
     + CHUNKED, 400, True),
    ("a body on GET", GET + HOST + b"Content-Length: 2\r\n\r\n{}", 400, True),
    ("an empty body on GET", GET + HOST + b"Content-Length: 0\r\n\r\n", 200, False),
    ("an unknown expectation", POST + b"Content-Length: 2\r\nExpect: 200-ok\r\n\r\n", 417, True),
    ("an encoded body", POST + b"Content-Length: 2\r\nContent-Encoding: gzip\r\n\r\n{}", 415, False),
    ("another media type", b"POST /events HTTP/1.1\r\n" + HOST
     + b"Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", 415, False),
    ("two tokens", POST + b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n"
     b"Content-Length: 2\r\n\r\n{}", 400, True),
    ("other credentials", POST + b"Authorization: Basic YTpi\r\nContent-Length: 2\r\n\r\n{}", 401,
     False),
]

AUTHORITY = [
    ("no Host", GET + b"\r\n", 400),
    ("two", GET + HOST + HOST + b"\r\n", 400),
    ("an empty one", GET + b"Host:\r\n\r\n", 400),
    ("a name that was not configured (DNS rebinding)", GET + b"Host: evil.example\r\n\r\n", 421),
    ("a configured name", GET + b"Host: relay.example\r\n\r\n", 200),
    ("in other letters, with a port", GET + b"Host: Relay.Example:8443\r\n\r\n", 200),
    ("with a name in front", GET + b"Host: a.relay.example\r\n\r\n", 421),
    ("with a name behind", GET + b"Host: relay.example.evil\r\n\r\n", 421),
    ("with a dot behind", GET + b"Host: relay.example.\r\n\r\n", 400),
    ("an IPv4 address", GET + b"Host: 192.0.2.1:80\r\n\r\n", 200),
    ("an IPv6 address", GET + b"Host: [::1]:8080\r\n\r\n", 200),
    ("an IPv6 address without brackets", GET + b"Host: ::1\r\n\r\n", 400),
    ("a bracket that does not close", GET + b"Host: [::1\r\n\r\n", 400),
    ("credentials", GET + b"Host: localhost@relay.example\r\n\r\n", 400),
    ("a list", GET + b"Host: localhost, relay.example\r\n\r\n", 400),
    ("a path", GET + b"Host: localhost/x\r\n\r\n", 400),
    ("a port that is none", GET + b"Host: localhost:65536\r\n\r\n", 400),
    ("an empty port", GET + b"Host: localhost:\r\n\r\n", 400),
    ("an absolute target", b"GET http://localhost/healthz HTTP/1.1\r\n" + HOST + b"\r\n", 200),
    ("an absolute target without a Host", b"GET http://localhost/healthz HTTP/1.1\r\n\r\n", 400),
    ("an absolute target for another", b"GET http://relay.example/healthz HTTP/1.1\r\n" + HOST
     + b"\r\n", 400),
    ("an absolute target of another scheme", b"GET ftp://localhost/healthz HTTP/1.1\r\n" + HOST
     + b"\r\n", 400),
]

# What libmicrohttpd 0.9.75 refuses by itself, in its own words: then the connection has to end.
LIBRARY = [
    ("HTTP/0.9", b"GET /healthz\r\n\r\n"),
    ("HTTP/2.0", b"GET /healthz HTTP/2.0\r\n" + HOST + b"\r\n"),
    ("a line without a colon", GET + HOST + b"nonsense\r\n\r\n"),
    ("NUL in a name", GET + HOST + b"X\0: a\r\n\r\n"),
    ("tabs in the request line", b"GET\t/healthz\tHTTP/1.1\r\n" + HOST + b"\r\n"),
    ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    ("a list of lengths", POST + b"Content-Length: 2, 2\r\n\r\n{}"),
    ("a signed length", POST + b"Content-Length: +2\r\n\r\n{}"),
    ("a negative length", POST + b"Content-Length: -2\r\n\r\n{}"),
    ("a hexadecimal length", POST + b"Content-Length: 0x2\r\n\r\n{}"),
    ("an empty length", POST + b"Content-Length:\r\n\r\n{}"),
    ("a length of 2^64 + 2", POST + b"Content-Length: 18446744073709551618\r\n\r\n{}"),
    ("a length with a vertical tab", POST + b"Content-Length: \x0b2\r\n\r\n{}"),
    ("70,000 bytes of head", GET + HOST + b"X: " + b"a" * 70000 + b"\r\n\r\n"),
    ("more cookies than fit", GET + HOST + b"Cookie: " + b"a=b;" * 3000 + b"\r\n\r\n"),
]


def padded(total):
    room = total - len(GET + HOST + b"X: \r\n\r\n")
    return GET + HOST + b"X: " + b"a" * room + b"\r\n\r\n"


class Framing(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.planes = planes(http_hosts='[ "relay.example" ]',
                            http_origins='[ "https://app.example" ]')
        cls.planes.start()
        cls.port = cls.planes.http_port()

    @classmethod
    def tearDownClass(cls):
        cls.planes.__exit__(None, None, None)

    def check(self, request, status, closed):
        (response,), was_closed = exchange(self.port, request)
        self.assertEqual(response[0], status, response)
        if closed is not None:
            self.assertEqual(was_closed, closed, response)
        self.assertEqual(response[1]["x-content-type-options"], "nosniff")
        if status >= 400:
            self.assertEqual(response[1]["content-type"], "application/problem+json")
            problem = json.loads(response[2])
            self.assertEqual(problem["status"], status)
            self.assertGreater(len(problem["detail"]), 10)
        if status == 405:
            self.assertIn("GET", response[1]["allow"])

    def test_framing(self):
        for what, request, status, closed in FRAMING:
            with self.subTest(what):
                self.check(request, status, closed)

    def test_authority(self):
        for what, request, status in AUTHORITY:
            with self.subTest(what):
                self.check(request, status, None)

    def test_what_the_library_refuses_ends_the_connection(self):
        for what, request in LIBRARY:
            with self.subTest(what):
                with connect(self.port) as client:
                    # A second request behind it must never be answered.
                    client.sendall(request + GET + HOST + b"\r\n")
                    got = b""
                    try:
                        while piece := client.recv(65536):
                            got += piece
                    except ConnectionResetError:
                        pass
                    self.assertRegex(got, rb"\A(HTTP/1\.1 (400|413|431|505) |\Z)")
                    self.assertNotIn(b" 200 ", got)

    def test_nothing_is_smuggled_behind_a_body_in_doubt(self):
        for framing in (b"Content-Length: 2\r\nContent-Length: 99\r\n",
                        b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
                        b"Transfer-Encoding: chunked\r\n",
                        b"Transfer-Encoding:\r\n chunked\r\nContent-Length: 2\r\n",
                        b"Transfer-Encoding:\x0bchunked\r\nContent-Length: 2\r\n"):
            with self.subTest(framing):
                (response, rest), _ = exchange(
                    self.port, POST + framing + b"\r\n{}" + GET + HOST + b"\r\n", 2)
                self.assertIn(response[0], (400, 411))
                self.assertIsNone(rest)

    def test_pipelined_requests_are_answered_in_order(self):
        request = (POST + b"Content-Length: 2\r\n\r\n{}" + GET + HOST + b"\r\n") * 10
        responses, closed = exchange(self.port, request, 20)
        self.assertEqual([response[0] for response in responses], [401, 200] * 10)
        self.assertFalse(closed)

    def test_limits_to_the_byte(self):
        self.check(padded(HEAD_MAX), 200, False)
        self.check(padded(HEAD_MAX + 1), 431, True)
        fields = b"".join(b"X%d: a\r\n" % i for i in range(FIELDS_MAX - 1))
        self.check(GET + HOST + fields + b"\r\n", 200, False)
        self.check(GET + HOST + fields + b"Y: a\r\n\r\n", 431, True)
        body = b"x" * BODY_MAX
        self.check(POST + b"Content-Length: %d\r\n\r\n" % len(body) + body, 401, False)
        self.check(POST + b"Content-Length: %d\r\n\r\n" % (len(body) + 1) + body + b"x", 413, False)
        self.check(b"GET /room/" + b"a" * 64 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
                   self.room_status(), False)
        self.check(b"GET /room/" + b"a" * 65 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 400, False)

    def room_status(self):
        """200 once there is a page."""
        return ask(self.port, "GET", "/room/a")[0]

    def test_a_huge_body_is_refused_before_it_is_sent(self):
        self.check(POST + b"Content-Length: 999999999999\r\n\r\n", 413, True)

    def test_the_head_may_come_a_byte_at_a_time(self):
        with connect(self.port) as client, client.makefile("rb") as stream:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in POST + b"Content-Length: 2\r\n\r\n{}":
                client.sendall(bytes([byte]))
            self.assertEqual(read_response(stream)[0], 401)

    def test_who_expects_to_continue_is_told_so(self):
        with connect(self.port) as client, client.makefile("rb") as stream:
            client.sendall(POST + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")
            self.assertEqual(read_response(stream)[0], 100)
            client.sendall(b"{}")
            self.assertEqual(read_response(stream)[0], 401)
        self.check(POST + b"Content-Length: 65537\r\nExpect: 100-continue\r\n\r\n", 413, True)

    def test_head_has_no_body(self):
        with connect(self.port) as client, client.makefile("rb") as stream:
            for path in (b"/healthz", b"/rooms", b"/readyz"):
                client.sendall(b"HEAD " + path + b" HTTP/1.1\r\n" + HOST + b"\r\n")
                response = read_response(stream, "HEAD")
                self.assertGreater(int(response[1]["content-length"]), 0)
            client.sendall(b"HEAD /events/tea HTTP/1.1\r\n" + HOST + b"\r\n")
            self.assertEqual(read_response(stream, "HEAD")[0], 405)

    def test_every_response_has_the_policies(self):
        for path in ("/healthz", "/rooms", "/nothing", "/"):
            headers = ask(self.port, "GET", path)[1]
            policy = headers["content-security-policy"]
            self.assertIn("default-src 'none'", policy)
            self.assertIn("frame-ancestors 'none'", policy)
            self.assertNotIn("unsafe", policy)
            self.assertEqual(headers["referrer-policy"], "no-referrer")
            self.assertEqual(headers["x-content-type-options"], "nosniff")
            self.assertIn(headers["cache-control"], ("no-store", "no-cache"))
            self.assertIsNotNone(email.utils.parsedate_to_datetime(headers["date"]))

    def test_pages_have_tags(self):
        status, headers, body = ask(self.port, "GET", "/")
        self.assertEqual(status, 200)
        self.assertEqual(headers["content-type"], "text/html; charset=utf-8")
        tag = headers["etag"]
        for names, wanted in ((tag, 304), ("W/" + tag, 304), ('"x", ' + tag, 304), ("*", 304),
                              ('"x"', 200), ("x", 200)):
            status, headers, again = ask(self.port, "GET", "/", {"If-None-Match": names})
            self.assertEqual(status, wanted, names)
            self.assertEqual(headers["etag"], tag)
            self.assertEqual(again, b"" if wanted == 304 else body)
        self.assertEqual(ask(self.port, "GET", "/room/tea")[0], 200)
        self.assertEqual(ask(self.port, "GET", "/www/nothing.js")[0], 404)
        for name in re.findall(rb'(?:src|href)="/www/([^"]+)"', body):
            self.assertEqual(ask(self.port, "GET", "/www/" + name.decode())[0], 200, name)

    def test_origins(self):
        body = b"{}"
        fields = {"Content-Type": "application/json"}
        for origin, status, shared in ((None, 401, None),
                                       (f"http://127.0.0.1:{self.port}", 401, None),
                                       (f"https://127.0.0.1:{self.port}", 401, None),
                                       ("https://app.example", 401, "https://app.example"),
                                       ("https://evil.example", 403, None),
                                       ("https://app.example.evil", 403, None),
                                       ("http://app.example", 403, None),
                                       ("null", 403, None)):
            with self.subTest(origin=origin):
                more = {} if origin is None else {"Origin": origin}
                got, headers, _ = ask(self.port, "POST", "/events", {**fields, **more}, body)
                self.assertEqual(got, status)
                self.assertEqual(headers.get("access-control-allow-origin"), shared)
                # Reading what everybody may read needs no leave, but without it nobody sees it.
                got, headers, _ = ask(self.port, "GET", "/rooms", more)
                self.assertEqual(got, 200)
                self.assertEqual(headers.get("access-control-allow-origin"), shared)

    def test_preflights(self):
        for path, methods in (("/whip/tea", "POST"), ("/whep/tea", "POST"),
                              ("/session/x", "PATCH, DELETE"), ("/events", "POST")):
            status, headers, body = ask(self.port, "OPTIONS", path, {
                "Origin": "https://app.example", "Access-Control-Request-Method": "POST"})
            self.assertEqual((status, body), (204, b""))
            self.assertEqual(headers["access-control-allow-origin"], "https://app.example")
            self.assertEqual(headers["access-control-allow-methods"], methods + ", OPTIONS")
            self.assertIn("if-match", headers["access-control-allow-headers"])
            self.assertIn("Origin", headers["vary"])
        self.assertEqual(ask(self.port, "OPTIONS", "/whip/tea")[1]["accept-post"], "application/sdp")
        self.assertEqual(ask(self.port, "OPTIONS", "/whip/tea",
                             {"Origin": "https://evil.example"})[0], 403)

    def test_readiness_needs_the_data_plane(self):
        status, _, body = ask(self.port, "GET", "/readyz")
        self.assertEqual(status, 503)
        self.assertIn("data plane", json.loads(body)["detail"])

    def test_no_token_is_logged(self):
        token = "c2VjcmV0LXRva2VuLW9mLWFubg"
        ask(self.port, "POST", "/events", {"Content-Type": "application/json",
                                           "Authorization": "Bearer " + token}, b"{}")
        ask(self.port, "GET", "/events/tea?token=" + token, {"Authorization": "Bearer " + token})
        with open(f"{self.planes.folder}/controlplane.log", encoding="utf-8") as log:
            self.assertNotIn(token, log.read())


class Slow(unittest.TestCase):
    """Each is cut about when its time is over: timeout, and a second for the clock's tick."""

    TIMEOUT_S = 1.0
    LEAST_S, MOST_S = 0.9, 6.0

    @classmethod
    def setUpClass(cls):
        cls.planes = planes(http_request_timeout_ms=1000, http_response_timeout_ms=1000)
        cls.planes.start()
        cls.port = cls.planes.http_port()

    @classmethod
    def tearDownClass(cls):
        cls.planes.__exit__(None, None, None)

    def trickle(self, begin, piece):
        """Sends a piece ten times a second until it is cut; how long that took."""
        with connect(self.port) as client:
            start = time.monotonic()
            client.sendall(begin)
            client.settimeout(0.1)
            while time.monotonic() - start < DEADLINE:
                try:
                    if client.recv(4096) == b"":
                        return time.monotonic() - start
                    self.fail("an answer to half a request")
                except TimeoutError:
                    pass
                except ConnectionError:
                    return time.monotonic() - start
                try:
                    client.sendall(piece)
                except ConnectionError:
                    return time.monotonic() - start
        return self.fail("a slow client is never cut")

    def check(self, begin, piece):
        took = self.trickle(begin, piece)
        self.assertGreater(took, self.LEAST_S)
        self.assertLess(took, self.MOST_S)

    def test_a_slow_head(self):
        self.check(GET, b"X: a\r\n")

    def test_a_slow_body(self):
        self.check(POST + b"Content-Length: 60000\r\n\r\n", b"x")

    def test_nobody_says_anything(self):
        self.check(b"", b"")

    def test_a_head_that_libmicrohttpd_never_answers(self):
        # 0.9.75 runs out of its pool over so many arguments and then does nothing at all.
        self.check(b"GET /healthz?" + b"a&" * 5000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", b"")

    def test_a_slow_reader(self):
        with connect(self.port) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            request = (b"GET /rooms HTTP/1.1\r\n" + HOST + b"\r\n") * 200
            client.settimeout(0.2)
            start = time.monotonic()
            try:
                while time.monotonic() - start < DEADLINE:
                    try:
                        client.sendall(request)
                    except TimeoutError:
                        pass
            except ConnectionError:
                pass
            took = time.monotonic() - start
            self.assertGreater(took, self.LEAST_S)
            self.assertLess(took, self.MOST_S + 4)

    def test_others_are_served_meanwhile(self):
        with connect(self.port) as slow:
            slow.sendall(GET)
            for _ in range(20):
                self.assertEqual(ask(self.port, "GET", "/rooms")[0], 200)


class Crowd(unittest.TestCase):
    def test_a_thousand_idle_connections_and_a_good_client(self):
        with planes() as p:
            p.start()
            port = p.http_port()
            idle = [connect(port, f"127.0.1.{1 + i // 200}") for i in range(1000)]
            try:
                start = time.monotonic()
                for _ in range(100):
                    self.assertEqual(ask(port, "GET", "/rooms")[0], 200)
                self.assertLess(time.monotonic() - start, 5)
            finally:
                for client in idle:
                    client.close()

    def test_a_flood_from_one_address_leaves_room_for_others(self):
        with planes(http_connections_address_max=10) as p:
            p.start()
            port = p.http_port()
            flood = [connect(port, "127.0.2.1") for _ in range(10)]
            try:
                flood[9].sendall(GET + HOST + b"\r\n")
                self.assertIn(b" 200 ", flood[9].recv(4096))
                with connect(port, "127.0.2.1") as eleventh:
                    try:
                        self.assertEqual(eleventh.recv(1), b"")
                    except ConnectionError:
                        pass
                self.assertEqual(ask(port, "GET", "/healthz")[0], 200)
                flood.pop().close()
                wait_for("a place is free again", lambda: self.answered(port, "127.0.2.1"))
            finally:
                for client in flood:
                    client.close()

    def answered(self, port, source):
        with connect(port, source) as client:
            try:
                client.sendall(GET + HOST + b"\r\n")
                return b" 200 " in client.recv(4096)
            except ConnectionError:
                return False

    def test_beyond_all_connections(self):
        with planes(http_connections_max=20, http_connections_address_max=20) as p:
            p.start()
            port = p.http_port()
            all_of_them = [connect(port) for _ in range(20)]
            try:
                all_of_them[19].sendall(GET + HOST + b"\r\n")
                self.assertIn(b" 200 ", all_of_them[19].recv(4096))
                self.assertFalse(self.answered(port, "127.0.3.1"))
            finally:
                for client in all_of_them:
                    client.close()


class Start(unittest.TestCase):
    def refused(self, p, words):
        process = p.launch("controlplane")
        self.assertEqual(process.wait(DEADLINE), 1)
        with open(f"{p.folder}/controlplane.log", encoding="utf-8") as log:
            self.assertIn(words, log.read())

    def test_plain_beyond_loopback_has_to_be_wished_for(self):
        with planes(http_address='"0.0.0.0"') as p:
            self.refused(p, "http_address = 0.0.0.0: not loopback")
        with planes(http_address='"0.0.0.0"', http_plain="true") as p:
            p.start()
            self.assertEqual(ask(p.http_port(), "GET", "/healthz")[0], 200)

    def test_a_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            with planes(http_port=other.getsockname()[1]) as p:
                self.refused(p, "Address already in use")

    def test_off(self):
        with planes(http="false") as p:
            p.start()
            with open(f"{p.folder}/controlplane.log", encoding="utf-8") as log:
                self.assertNotIn("http_listening", log.read())

    def make_pair(self, p, name):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost", "-days", "2",
                        "-addext", "subjectAltName=DNS:localhost",
                        "-keyout", f"{p.folder}/{name}.key", "-out", f"{p.folder}/{name}.pem"],
                       check=True, capture_output=True)

    def configure(self, p, certificate, key):
        path = f"{p.folder}/stentor.conf"
        with open(path, encoding="utf-8") as file:
            text = re.sub(r"http_(certificate|key) = .*\n", "", file.read())
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("controlplane = {", "controlplane = {\n"
                                    f'http_certificate = "{p.folder}/{certificate}";\n'
                                    f'http_key = "{p.folder}/{key}";\n', 1))

    def test_bad_certificates_are_named(self):
        with planes() as p:
            self.make_pair(p, "one")
            self.make_pair(p, "two")
            with open(f"{p.folder}/empty", "w", encoding="utf-8"):
                pass
            for certificate, key, words in (
                    ("none", "one.key", "/none: cannot be read: No such file"),
                    ("one.pem", "none", "/none: cannot be read: No such file"),
                    ("empty", "one.key", "/empty: no certificate in PEM form"),
                    ("one.pem", "one.pem", "/one.pem: no private key in PEM form"),
                    ("one.pem", "two.key", "/two.key: not the key of the certificate in ")):
                self.configure(p, certificate, key)
                self.refused(p, words)

    def test_tls(self):
        with planes(http_hosts='[ "localhost" ]') as p:
            self.make_pair(p, "one")
            self.configure(p, "one.pem", "one.key")
            p.start()
            port = p.http_port()
            context = ssl.create_default_context(cafile=f"{p.folder}/one.pem")
            connection = http.client.HTTPSConnection(
                "localhost", port, timeout=DEADLINE, context=context)
            # Whatever this machine calls itself.
            connection._create_connection = lambda address, *rest: socket.create_connection(
                ("127.0.0.1", address[1]), *rest)
            for _ in range(3):
                connection.request("GET", "/rooms")
                response = connection.getresponse()
                self.assertEqual((response.status, response.read()), (200, b'{"rooms":[],"scheduled":[]}'))
            self.assertIn(connection.sock.version(), ("TLSv1.2", "TLSv1.3"))
            connection.close()
            old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            old.check_hostname = False
            old.verify_mode = ssl.CERT_NONE
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
            with connect(port) as client, self.assertRaises((ssl.SSLError, OSError)):
                old.wrap_socket(client)
            with connect(port) as client:
                client.sendall(GET + HOST + b"\r\n")
                self.assertNotIn(b"200", self.drain(client))

    def drain(self, client):
        got = b""
        try:
            while piece := client.recv(4096):
                got += piece
        except ConnectionError:
            pass
        return got


if __name__ == "__main__":
    unittest.main()
