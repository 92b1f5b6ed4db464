"""Errors: one form, the right status, and a sentence a person can act on, whoever makes them."""

import socket
from urllib.parse import urlparse

import pytest

from house.client import LEARNING, REQUEST_ID, expect, raw_request


def test_a_malformed_body_is_400_and_says_where(acme):
    candidate = acme.new_candidate()
    path = f"{LEARNING}/candidates/{candidate['id']}/approve"
    for text in ('{"notes":}', '{"notes": "x"', "{'notes': 1}", '{"a":1}{"b":2}', '{"notes":"x"} trailing', "nonsense",
                 '{"notes":"a","notes":"b"}', '{"notes":"\\u0000"}', '{"notes":"\\ud800"}', '{"n":01}',
                 '{"notes":"\t"}', '{"notes":NaN}'):
        answer = expect(400, acme.api.call("POST", path, raw=text.encode(),
                                           headers={"Content-Type": "application/json"}))
        assert "byte" in answer["detail"] or "twice" in answer["detail"], answer
    answer = acme.api.call("POST", path, raw=b'{"notes":"\xff"}', headers={"Content-Type": "application/json"})
    expect(400, answer)


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"5", b"null", b"true"])
def test_a_body_that_is_no_object_is_refused(acme, body):
    candidate = acme.new_candidate()
    answer = acme.api.call("POST", f"{LEARNING}/candidates/{candidate['id']}/approve", raw=body,
                           headers={"Content-Type": "application/json"})
    assert answer.status in (400, 422), answer


def test_a_body_without_members_takes_the_defaults(acme):
    candidate = acme.new_candidate()
    answer = acme.api.call("POST", f"{LEARNING}/candidates/{candidate['id']}/approve")
    assert expect(200, answer)["deployed_to"] == 2


@pytest.mark.parametrize("path", ["/api/nothing", "/api/partners/me/learning", "/api/partners/me/learning/", "/api",
                                  LEARNING + "/stats/", LEARNING + "/candidates//approve", "/api/agent", "/api/v2/x",
                                  LEARNING + "/candidates/x/y", "/api/agent/sync/unknown"])
def test_an_unknown_path_is_404(acme, path):
    answer = acme.api.call("GET", path, undocumented=True)
    assert answer.status in (400, 404) if "//" in path else answer.status == 404, answer


@pytest.mark.parametrize("method, path, allowed", [
    ("POST", LEARNING + "/stats", {"GET", "HEAD"}),
    ("DELETE", LEARNING + "/candidates", {"GET", "HEAD"}),
    ("PUT", LEARNING + "/promoted-rules", {"GET", "HEAD"}),
    ("GET", LEARNING + "/candidates/x/approve", {"POST"}),
    ("GET", LEARNING + "/candidates/x/reject", {"POST"}),
    ("POST", LEARNING + "/promoted-rules/x/status", {"PATCH"}),
    ("GET", "/api/partner-auth/login", {"POST"}),
    ("GET", "/api/agent/executions", {"POST"}),
    ("POST", "/livez", {"GET", "HEAD"}),
    ("OPTIONS", LEARNING + "/stats", {"GET", "HEAD"}),
    ("TRACE", LEARNING + "/stats", None),
])
def test_a_wrong_method_is_405_and_says_which_are_allowed(acme, method, path, allowed):
    answer = expect(405, acme.api.call(method, path, undocumented=True, unchecked=allowed is None))
    if allowed is not None:
        assert {name.strip() for name in answer.headers["Allow"].split(",")} == allowed


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml",
                                        "multipart/form-data; boundary=x", None])
def test_another_media_type_than_json_is_415(acme, media_type):
    candidate = acme.new_candidate()
    answer = acme.api.call("POST", f"{LEARNING}/candidates/{candidate['id']}/reject", raw=b'{"reason":"Just because"}',
                           headers={"Content-Type": media_type})
    expect(415, answer)
    assert acme.find(candidate["pattern_signature"])["approval_status"] == "not_submitted"


def test_json_with_a_charset_is_json(acme):
    candidate = acme.new_candidate()
    expect(200, acme.api.call("POST", f"{LEARNING}/candidates/{candidate['id']}/reject",
                              raw=b'{"reason":"Just because"}', headers={"Content-Type": "Application/JSON; charset=UTF-8"}))


def test_a_body_over_64_kib_is_413(acme):
    candidate = acme.new_candidate()
    path = f"{LEARNING}/candidates/{candidate['id']}/reject"
    expect(413, acme.api.post(path, {"reason": "x" * 70000}))
    expect(422, acme.api.post(path, {"reason": "x" * 60000}))


def test_every_wrong_member_is_named_at_once(acme):
    candidate = acme.new_candidate()
    answer = expect(422, acme.api.approve(candidate["id"], custom_name="", notes=5, rule_digest="x", what="y"))
    errors = answer.json()["errors"]
    assert {error["pointer"] for error in errors} == {"/custom_name", "/notes", "/rule_digest", "/what"}
    assert all(len(error["detail"]) > 5 for error in errors)


@pytest.mark.parametrize("request_id", ["abc", "A-b_c.9", "x" * 64])
def test_a_request_id_is_taken_and_returned(acme, request_id):
    answer = acme.api.call("GET", LEARNING + "/stats", headers={"X-Request-Id": request_id})
    assert answer.headers["X-Request-Id"] == request_id
    answer = expect(404, acme.api.call("GET", "/api/nothing", undocumented=True, headers={"X-Request-Id": request_id}))
    assert answer["request_id"] == request_id


@pytest.mark.parametrize("request_id", ["x" * 65, "a b", "a\"b", "é".encode(), "a,b", "<x>"])
def test_a_request_id_that_could_do_harm_is_replaced(acme, request_id):
    answer = acme.api.call("GET", LEARNING + "/stats", headers={"X-Request-Id": request_id})
    assert answer.headers["X-Request-Id"] != request_id and REQUEST_ID.match(answer.headers["X-Request-Id"])


def test_two_requests_have_different_ids(acme):
    assert (acme.api.get(LEARNING + "/stats").headers["X-Request-Id"]
            != acme.api.get(LEARNING + "/stats").headers["X-Request-Id"])


@pytest.mark.parametrize("request_line", [
    b"GET /api/%zz HTTP/1.1", b"GET /api/../../etc/passwd HTTP/1.1", b"GET /api/partners//me HTTP/1.1",
    b"GET /api/%00 HTTP/1.1", b"GET /api/" + b"x" * 20000 + b" HTTP/1.1",
])
def test_a_malformed_request_to_the_api_gets_a_problem_document_from_nginx(server, request_line):
    head, body = raw_request(server, request_line + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
    status = int(head.split()[1])
    assert status in (400, 404, 414), head
    assert "application/problem+json" in head, head
    assert f'"status":{status}' in body.replace(" ", ""), body


def test_an_oversized_header_gets_a_problem_document(server):
    head, body = raw_request(server, b"GET /api/version HTTP/1.1\r\nHost: x\r\nX-Y: " + b"y" * 40000 + b"\r\n\r\n")
    assert head.split()[1] in ("400", "431", "494"), head
    assert "application/problem+json" in head, head + body


def test_a_second_request_inside_a_body_is_not_executed(server, acme):
    """What is left unread of a body must never be parsed as a request, neither by nginx nor by libfcgi."""
    where = urlparse(server.url)
    hidden = b"GET /api/version HTTP/1.1\r\nHost: x\r\n\r\n"
    for path in ("/api/partners/me/learning/candidates/x/reject", "/api/partners/me/learning/stats", "/api/nothing"):
        with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
            connection.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                               f"Content-Length: {len(hidden)}\r\nConnection: close\r\n\r\n".encode() + hidden)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
        assert answer.count(b"HTTP/1.1 ") == 1, answer


def test_an_answer_is_not_for_shared_caches(acme):
    for path in ("/stats", "/candidates", "/promoted-rules", "/execution-history"):
        assert acme.api.get(LEARNING + path).headers["Cache-Control"] == "private, no-cache"
    refused = acme.api.get(LEARNING + "/candidates", limit="0")
    assert "no-store" in refused.headers.get("Cache-Control", "") or "private" in refused.headers.get("Cache-Control", "")


def test_an_error_repeats_no_secret(acme):
    candidate = acme.new_candidate()
    answer = expect(422, acme.api.approve(candidate["id"], notes="very private words " * 200))
    assert "very private words" not in answer.body.decode()
    assert acme.api.key not in answer.body.decode()
