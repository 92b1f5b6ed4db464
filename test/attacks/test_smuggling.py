"""P36: one body, one request. Forged requests inside bodies, through nginx and on the handlers' own sockets."""

import itertools
import re
import socket
import threading
import time
from urllib.parse import urlparse

import pytest

from conftest import OPERATIONS, caller_of, operations
from fastcgi import Connection, request
from house.client import LEARNING, Caller, expect

REJECT = LEARNING + "/candidates/{}/reject"


class Victim:
    """A candidate, and the request that somebody smuggles to decide it with a key that may."""

    def __init__(self, home):
        self.home = home
        self.candidate = home.new_candidate()
        self.path = REJECT.format(self.candidate["id"])
        self.body = b'{"reason":"Smuggled"}'

    def as_records(self):
        return request("POST", self.path, self.body, CONTENT_TYPE="application/json", HTTP_X_API_KEY=self.home.admin.key)

    def as_http(self):
        return (f"POST {self.path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {self.home.admin.key}\r\nContent-Type: "
                f"application/json\r\nContent-Length: {len(self.body)}\r\n\r\n").encode() + self.body

    def is_untouched(self):
        return self.home.find(self.candidate["pattern_signature"])["approval_status"] == "not_submitted"


@pytest.fixture
def victim(home):
    return Victim(home)


def exits(home, operation):
    """Parameters with which a request ends early, one set for each way out; and one that gets through to the body."""
    key, json_type = {"HTTP_X_API_KEY": home.admin.key}, {"CONTENT_TYPE": "application/json"}
    if operation.is_for_appliances:
        key = {"HTTP_AUTHORIZATION": "Bearer " + home.main.appliances[0].caller.token}
    return {
        "nobody": {**json_type}, "wrong key": {**json_type, "HTTP_X_API_KEY": "wrong"},
        "cross-site": {**json_type, "HTTP_COOKIE": "flywheel_session=" + home.browser.cookie},
        "media type": {**key, "CONTENT_TYPE": "text/plain"}, "bad query": {**key, **json_type, "QUERY_STRING": "nope=1"},
        "bad key of the change": {**key, **json_type, "HTTP_IDEMPOTENCY_KEY": "\x01"}, "body": {**key, **json_type},
    }


@operations(lambda operation: operation.body_schema() is not None)
def test_p36_records_inside_a_body_are_never_a_request(home, sockets, program_of, victim, operation):
    """Straight to the program that decides; what answers next is the next request, by its request id."""
    program = program_of[(operation.method, operation.path)]
    for way, size in itertools.product(exits(home, operation).items(), (1, 200_000)):
        why, params = way
        forged = victim.as_records()
        connection = Connection(sockets / f"{program}.sock")
        status, _, _ = connection.ask(operation.method, operation.address(), forged * (size // len(forged) + 1), **params)
        assert 400 <= status < 500, (why, status)
        connection.send(request("GET", "/api/nothing-here", FLYWHEEL_REQUEST_ID="the-next-one"))
        status, headers, _ = connection.answer()
        assert (status, headers["X-Request-Id"]) == (404, "the-next-one"), why
        connection.close()
    assert victim.is_untouched()


def answers_to(server, data, wait=1.5):
    """All that comes back on one connection, as status codes."""
    where, got = urlparse(server.url), b""
    with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
        connection.sendall(data)
        connection.settimeout(wait)
        try:
            while chunk := connection.recv(65536):
                got += chunk
        except socket.timeout:
            pass
    return [int(status) for status in re.findall(rb"^HTTP/1\.1 (\d+)", got, re.M)]


def outer(home, method, path, *lines):
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", f"X-API-Key: {home.admin.key}",
                        "Content-Type: application/json", *lines, "", ""]).encode()


@pytest.mark.parametrize("method, path", [
    ("POST", REJECT.format("x")), ("POST", "/api/nothing"), ("DELETE", LEARNING + "/stats"), ("POST", "/"),
    ("POST", LEARNING + "/stats"), ("POST", "/livez"), ("GET", LEARNING + "/stats"), ("GET", "/index.html"),
])
def test_p36_a_request_inside_a_body_is_part_of_the_body(server, home, victim, method, path):
    inner = victim.as_http()
    data = outer(home, method, path, f"Content-Length: {len(inner)}") + inner
    after = b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    statuses = answers_to(server, data + after)
    assert len(statuses) <= 2 and (len(statuses) < 2 or statuses[1] == 200), statuses
    assert victim.is_untouched()


@pytest.mark.parametrize("lines", [
    ("Content-Length: 4", "Transfer-Encoding: chunked"), ("Transfer-Encoding: chunked", "Content-Length: 4"),
    ("Content-Length: 4", "Content-Length: {all}"), ("Content-Length: 4, {all}",), ("Content-Length: +{all}",),
    ("Content-Length: 0x4",), ("Content-Length: 4 ", "Transfer-Encoding: xchunked"), ("Transfer-Encoding: chunked, identity",),
    ("Transfer-Encoding: identity", "Content-Length: 4"), ("Transfer-Encoding:\tchunked", "Content-Length: 4"),
    ("Transfer-Encoding: chunked", "Transfer-Encoding: identity"), ("Transfer-Encoding: \x0bchunked", "Content-Length: 4"),
    ("Transfer-Encoding : chunked", "Content-Length: 4"), ("X: y\n Transfer-Encoding: chunked", "Content-Length: 4"),
    ("Content-Length: -1",), ("Content-Length: 99999999999999999999",), ("Content-Length:",), ("Content-Length: 4;",),
    ("Content-Length\x00: {all}", "Content-Length: 4"),
])
def test_p36_lengths_that_can_be_read_in_two_ways_are_refused(server, home, victim, lines):
    """So that nothing in front of nginx can read them in the other way."""
    inner = victim.as_http()
    chunked = b"0\r\n\r\n" + inner
    sent = [line.replace("{all}", str(len(chunked))) for line in lines]
    refused = answers_to(server, outer(home, "POST", REJECT.format("x"), *sent) + chunked)
    assert len(refused) == 1 and refused[0] in (400, 413, 501), refused
    assert victim.is_untouched()


@pytest.mark.parametrize("chunks", [
    b"5;x=\r\n\r\n{all}", b"0005\r\n{\"a\":\r\n0\r\n\r\n", b"-5\r\nabcde\r\n0\r\n\r\n", b"5\nabcde\n0\n\n", b"fffffffffffffffff\r\n",
    b"5 \r\nabcde\r\n0\r\n\r\n", b"0x5\r\nabcde\r\n0\r\n\r\n", b"5\r\nabcdefgh\r\n0\r\n\r\n", b"\r\n5\r\nabcde\r\n0\r\n\r\n",
])
def test_p36_odd_chunks_smuggle_nothing(server, home, victim, chunks):
    data = outer(home, "POST", REJECT.format("x"), "Transfer-Encoding: chunked") + chunks.replace(b"{all}", victim.as_http())
    statuses = answers_to(server, data)
    assert statuses == [] or statuses[0] in (400, 404, 413, 422), statuses
    assert victim.is_untouched()


def read_answer(connection):
    """One whole answer with a length; its status."""
    got = b""
    while b"\r\n\r\n" not in got:
        got += connection.recv(65536)
    head, _, body = got.partition(b"\r\n\r\n")
    length = int(re.search(rb"(?i)^content-length: (\d+)", head, re.M).group(1))
    while len(body) < length:
        body += connection.recv(65536)
    return int(head.split()[1])


def test_p36_slow_clients_starve_nobody(server, home):
    """64 connections that are kept, 40 clients that stop in the middle of a request, 10 that send a byte a second."""
    where = urlparse(server.url)
    whole = outer(home, "POST", REJECT.format("x"), "Content-Length: 30") + b'{"reason":"Never in one piece"}'[:30]

    def connect():
        return socket.create_connection((where.hostname, where.port), timeout=10)

    kept, halves, slow = ([connect() for _ in range(count)] for count in (64, 40, 10))
    stop = threading.Event()

    def dribble():
        for byte in (whole[i:i + 1] for i in range(len(whole))):
            for connection in slow:
                try:
                    connection.sendall(byte)
                except OSError:
                    pass
            if stop.wait(1):
                return

    thread = threading.Thread(target=dribble)
    try:
        for number, connection in enumerate(halves):
            connection.sendall(whole[:1 + (number * 7) % (len(whole) - 1)])
        thread.start()
        answered, deadline = 0, time.monotonic() + 6
        while time.monotonic() < deadline:
            for connection in kept:
                connection.sendall(f"GET {LEARNING}/stats HTTP/1.1\r\nHost: x\r\nX-API-Key: {home.admin.key}\r\n\r\n".encode())
            for connection in kept:
                assert read_answer(connection) == 200, "somebody was starved"
                answered += 1
            fresh = Caller(server, key=home.admin.key)
            expect(200, fresh.get(LEARNING + "/candidates", limit="5"))
            expect(404, fresh.call("POST", REJECT.format("x"), body={"reason": "A change is answered, too"}))
        assert answered >= 64
    finally:
        stop.set()
        thread.join()
        for connection in kept + halves + slow:
            connection.close()


def test_every_program_with_a_body_was_attacked(program_of):
    attacked = {program_of[(operation.method, operation.path)] for operation in OPERATIONS
                if operation.body_schema() is not None}
    assert {program for (method, _), program in program_of.items() if method != "GET"} <= attacked


def test_callers_with_the_same_requests_get_through(home):
    """The refusals above are not for another reason: the smuggled request itself would be served."""
    candidate = home.new_candidate()
    expect(200, caller_of(home, OPERATIONS[0]).post(REJECT.format(candidate["id"]), {"reason": "Smuggled"}))
