"""Bodies made to hurt: too large, too deep, too many, cut, or not what they say they are. Every operation that takes one."""

import json
import socket
from urllib.parse import urlparse

import pytest

from conftest import caller_of, operations
from house.client import Caller, expect
from house.operations import own_names

with_body = operations(lambda operation: operation.body_schema() is not None)
DEEP = 20_000
JSON_TYPE = {"Content-Type": "application/json"}


def hostile(example):
    """(name, bytes) of bodies under 64 KiB. None is acceptable to a closed body; an open one may pass over it."""
    first = next(iter(example), "x") if isinstance(example, dict) else "x"
    text = json.dumps(example)
    yield "deep arrays", b"[" * DEEP + b"]" * DEEP
    yield "deep objects", b'{"a":' * 9_000 + b"1" + b"}" * 9_000
    yield "deep in a member", b'{"%s":' % first.encode() + b"[" * DEEP + b"]" * DEEP + b"}"
    yield "many members", json.dumps({f"m{n}": n for n in range(4_000)}).encode()
    yield "many of one", b"{" + b",".join([b'"%s":1' % first.encode()] * 4_000) + b"}"
    yield "long member name", json.dumps({"n" * 60_000: 1}).encode()
    yield "long text", json.dumps({first: "x" * 60_000}).encode()
    yield "large number", b'{"%s":1%s}' % (first.encode(), b"0" * 60_000)
    yield "small number", b'{"%s":1e-99999999}' % first.encode()
    yield "huge exponent", b'{"%s":1e999999999999}' % first.encode()
    yield "many escapes", b'{"%s":"%s"}' % (first.encode(), b"\\u0041" * 9_000)
    yield "zero", b'{"%s":"\\u0000"}' % first.encode()
    yield "half a pair", b'{"%s":"\\ud800"}' % first.encode()
    yield "bad text", b'{"%s":"\xff\xfe"}' % first.encode()
    yield "prototype", b'{"__proto__":{"admin":true},"constructor":{"prototype":{}}}'
    yield "cut", text[:-1].encode() if len(text) > 2 else b"{"
    yield "twice", (text + text).encode()
    yield "only white space", b" \n" * 1_000
    yield "nothing but a zero byte", b"\0"
    yield "another language", b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><x>&a;</x>"


@with_body
def test_no_body_is_more_than_refused(server, home, operation):
    name = own_names(server.contract, home.admin, operation)[0] if "{id}" in operation.path else ""
    caller = caller_of(home, operation) if operation.needs_sign_in else Caller(server)
    for what, body in hostile(operation.body_example()):
        answer = caller.call(operation.method, operation.address(name), raw=body, headers=JSON_TYPE)
        if operation.is_for_appliances:
            assert answer.status in (200, 201, 400, 403, 413, 422), (what, answer)
        elif what in ("only white space", "small number"):  # nothing, and what every reader takes for 0
            assert answer.status < 500, (what, answer)
        else:
            assert answer.status in (400, 403, 413, 422), (what, answer)


@with_body
def test_a_body_over_the_limit_is_413_with_and_without_a_length(server, home, operation):
    limit = 8 << 20 if operation.is_for_appliances else 64 << 10
    caller = caller_of(home, operation) if operation.needs_sign_in else Caller(server)
    body = b'{"x":"' + b"y" * limit + b'"}'
    expect(413, caller.call(operation.method, operation.address(), raw=body, headers=JSON_TYPE))
    chunks = (body[start:start + 65536] for start in range(0, len(body), 65536))
    expect(413, caller.call(operation.method, operation.address(), raw=chunks, headers=JSON_TYPE))


def test_a_body_that_announces_more_than_it_sends_is_no_request(server, home):
    """Not even when what has come so far would do."""
    where, candidate = urlparse(server.url), home.new_candidate()
    body = b'{"reason":"Cut by somebody in between"}'
    head = (f"POST /api/partners/me/learning/candidates/{candidate['id']}/reject HTTP/1.1\r\nHost: x\r\nX-API-Key: "
            f"{home.admin.key}\r\nContent-Type: application/json\r\nContent-Length: {len(body) + 10}\r\n\r\n").encode()
    with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
        connection.sendall(head + body)
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(5)
        answer = connection.recv(65536)
    assert b" 200 " not in answer.partition(b"\r\n")[0]
    assert home.find(candidate["pattern_signature"])["approval_status"] == "not_submitted"


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "identity"])
def test_a_body_that_is_compressed_is_not_unpacked(home, encoding):
    """A bomb stays what it is: bytes that are no JSON."""
    import gzip
    bomb = gzip.compress(b'{"reason":"' + b"x" * 5_000_000 + b'"}')
    answer = home.admin.call("POST", f"/api/partners/me/learning/candidates/{home.new_candidate()['id']}/reject", raw=bomb,
                             headers={**JSON_TYPE, "Content-Encoding": encoding})
    assert answer.status in (400, 413, 415), answer
