"""What nginx answers by itself, and what it lets through to which program."""
import json
import os
import pathlib
import re
import socket
import time

import pytest
from live import KEY, LOGS, NAME, SOCKETS, SUMMARY, assert_problem, raw, request, routes

STATS = "/api/partners/me/learning/stats"
ID = "00000000-0000-4000-8000-000000000000"
PATHS = sorted({path for _, path, _, _ in routes()})


def methods(path):
    found = [method for method, other, _, _ in routes() if other == path]
    return found + ["HEAD"] if "GET" in found else found


@pytest.mark.parametrize("path", PATHS)
def test_a_method_that_an_address_does_not_take_is_405_and_names_those_it_takes(path):
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"):
        if method in methods(path):
            continue
        answer = request(method, path.replace("{id}", ID), headers=KEY)
        assert_problem(answer, 405, "method-not-allowed")
        assert sorted(answer.headers["Allow"].split(", ")) == sorted(methods(path)), method


@pytest.mark.parametrize("path", [path for path in PATHS if "GET" in methods(path)])
def test_head_is_answered_as_get_is_but_without_a_body(path):
    address = path.replace("{id}", ID)
    head, get = request("HEAD", address, headers=KEY), request("GET", address, headers=KEY)
    assert head.status == get.status
    assert head.body == b""


@pytest.mark.parametrize(
    "path",
    ["/api", "/api/", "/api/x", "/api/x.json", "/api/partners/me/", "/api/partners/me/learning", STATS + "/", STATS + "x"]
    + ["/api/partners/me/learning/candidates/", "/api/partners/me/learning/candidates/a/b"]
    + ["/api/partners/me/learning/candidates/a/approve/", "/api/agent", "/missing.js", "/assets/missing.js"],
)
def test_what_is_not_there_is_a_problem_document(path):
    assert_problem(request("GET", path), 404, "not-found")


@pytest.mark.parametrize(
    "path",
    ["//api/version", "/api//version", "/api/./version", "/api/../api/version", "/api/x/../version", "/api/%2e%2e/api/version"]
    + ["/api/.%2E/api/version", "/api/partners%2Fme", "/api/version%00", "/api/%0d%0aX-Y:1", "/api/a%5cb", "/api/version/.."]
    + ["/../etc/passwd", "/assets/../../etc/pgpass", "/assets/%2e%2e/index.html", "/api/%zz", "/api/%", "/api/%7f"],
)
def test_a_crooked_address_is_refused_not_tidied(path):
    assert_problem(request("GET", path), 400, "malformed")


@pytest.mark.parametrize(
    "data",
    [b"get /api/version HTTP/1.1\r\nHost: " + NAME.encode() + b"\r\n\r\n", b"GET /api/version HTTP/1.1\r\n\r\n", b"NONSENSE\r\n\r\n"]
    + [b"GET /api/version HTTP/1.1\r\nHost: " + NAME.encode() + b"\r\nContent-Length: x\r\n\r\n"]
    + [b"GET /api/version HTTP/1.1\r\nHost: " + NAME.encode() + b"\r\nbad header\x00: x\r\n\r\n"]
    + [b"POST /api/version HTTP/1.1\r\nHost: " + NAME.encode() + b"\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
)
def test_what_is_no_http_is_answered_by_a_problem_document(data):
    assert_problem(raw(data), 400, "malformed")


def test_too_long_an_address_and_too_large_headers_are_problem_documents():
    assert_problem(request("GET", "/api/" + "a" * 9000), 414)
    assert_problem(request("GET", "/api/version", headers={"X-Large": "a" * 9000}), 431)
    assert_problem(request("GET", "/api/version", headers={f"X-{i}": "a" * 4000 for i in range(20)}), 431)


@pytest.mark.parametrize(
    "path,limit",
    [("/api/partner-auth/login", 65536), (f"/api/partners/me/learning/candidates/{ID}/approve", 65536)]
    + [("/api/agent/sync/pattern-stats", 8 << 20), ("/api/agent/executions", 8 << 20)],
)
def test_a_body_over_the_limit_is_413_with_and_without_a_length(path, limit):
    assert_problem(request("POST", path, b"x" * (limit + 1)), 413, "too-large")
    chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (limit + 1, b"x" * (limit + 1))
    answer = request("POST", path, chunk, {"Transfer-Encoding": "chunked", "Content-Length": None})
    assert_problem(answer, 413, "too-large")
    under = request("POST", path, b" " * limit)
    assert under.status != 413


def test_a_request_id_is_taken_when_it_is_harmless_and_replaced_when_not():
    assert request("GET", "/api/x", headers={"X-Request-Id": "Abc-1.2_3"}).headers["X-Request-Id"] == "Abc-1.2_3"
    for bad in ("a b", 'a"b', "a" * 65, "é", "", "../x", "a\tb"):
        answer = request("GET", "/api/x", headers={"X-Request-Id": bad.encode()})
        assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-Id"]), bad
        assert_problem(answer, 404)


def test_a_handler_answers_with_the_same_request_id_once():
    answer = request("GET", STATS, headers={**KEY, "X-Request-Id": "story-1"})
    assert answer.status == 200
    assert answer.headers.get_all("X-Request-Id") == ["story-1"]


@pytest.mark.parametrize("path", ["/", "/api/x", STATS, "/api/version", "/missing.js"])
def test_every_answer_carries_the_security_headers(path):
    headers = request("GET", path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert len(headers.get_all("X-Content-Type-Options")) == 1
    assert headers["Server"] == "nginx"


def test_views_of_the_dashboard_are_the_page_and_the_page_is_asked_for_again():
    page = request("GET", "/index.html")
    assert page.status == 200 and page.headers["Content-Type"].startswith("text/html")
    for path in ("/", "/learning", "/sites/north-valley-dental", "/index.html?x=1"):
        answer = request("GET", path)
        assert answer.status == 200
        assert answer.body == page.body
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.headers["Last-Modified"] is None
        assert request("GET", path, headers={"If-None-Match": answer.headers["ETag"]}).status == 304
    assert_problem(request("POST", "/learning", b""), 405)


def test_assets_are_immutable_and_sent_compressed():
    folder = pathlib.Path(SUMMARY["frontend_dir"])
    assets = [path for path in folder.glob("assets/*") if path.suffix in (".js", ".css")]
    assert assets
    for asset in assets:
        answer = request("GET", f"/assets/{asset.name}", headers={"Accept-Encoding": "gzip"})
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_page_holds_no_inline_code_or_style():
    page = request("GET", "/").body.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", page)


def test_parameters_cannot_be_forged_by_headers():
    forged = {"FLYWHEEL-REQUEST-ID": "forged", "Document-Uri": "/api/version", "Proxy": "http://example.invalid"}
    answer = request("GET", STATS, headers={**KEY, **forged})
    assert answer.status == 200
    assert "pending_candidates" in answer.json()
    assert answer.headers["X-Request-Id"] != "forged"


def test_p41_the_access_log_holds_no_key_and_no_query():
    for _ in range(200):
        request("GET", STATS + "?note=secret-words-of-a-person", headers={**KEY, "Cookie": "flywheel=secret-cookie"})
    text = "".join((pathlib.Path(LOGS) / name).read_text() for name in ("nginx-access.log", "nginx-error.log"))
    assert STATS in text
    for secret in ("secret-words", "secret-cookie", SUMMARY["api_key"], SUMMARY["password"]):
        assert secret not in text


def test_p41_no_line_about_a_handler_that_does_not_answer_holds_what_people_look_for():
    """Neither when its socket is gone nor when nobody listens on it; the access log tells which one it was."""
    logs = pathlib.Path(LOGS)
    socket_file = pathlib.Path(SOCKETS) / "learning-history.sock"
    hidden = socket_file.with_suffix(".hidden")
    path = "/api/partners/me/learning/execution-history?q=words-of-a-person-"
    time.sleep(6)  # nginx keeps idle connections for five seconds
    socket_file.rename(hidden)
    try:
        assert_problem(request("GET", path + "gone", headers=KEY), 503, "unavailable")
        with socket.socket(socket.AF_UNIX) as silent:  # bound, but not listening
            silent.bind(str(socket_file))
            os.chmod(socket_file, 0o666)
            assert_problem(request("GET", path + "refused", headers=KEY), 503, "unavailable")
    finally:
        hidden.rename(socket_file)
    time.sleep(3)  # nginx writes every two seconds
    for log in logs.iterdir():
        assert "words-of-a-person" not in log.read_text(errors="replace"), log.name
    lines = [json.loads(line) for line in (logs / "nginx-access.log").read_text().splitlines()]
    failed = [line for line in lines if line["path"].endswith("/execution-history") and line["status"] == 503]
    assert failed and all("learning-history.sock" in line["upstream"] and line["upstream_status"] == "502" for line in failed)


def test_each_line_of_the_access_log_is_json_whatever_was_asked_for():
    raw(b"GET /api/odd-\xff\xfe-path HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert_problem(raw(b"GET /api/version HTTP/3.0\r\nHost: x\r\n\r\n"), 505)
    time.sleep(3)  # nginx writes every two seconds
    lines = (pathlib.Path(LOGS) / "nginx-access.log").read_bytes().splitlines()
    assert any(json.loads(line)["path"] == "/api/odd-" for line in lines)
