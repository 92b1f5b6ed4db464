"""What production adds: TLS, one name, the way from plain HTTP. Run against an nginx with a certificate (see the suite)."""
import json
import os
import pathlib
import socket
import ssl
import subprocess
import time

import pytest
from live import HOST, LAYOUT, NAME, PORT, SUMMARY, TLS, assert_problem, connect, raw, request

PLAIN_PORT = int(os.environ["FLYWHEEL_PLAIN_PORT"])
ACME = pathlib.Path(os.environ["FLYWHEEL_ACME"])


def plain(path, method="GET"):
    """Status and headers of an answer on the port of plain HTTP."""
    with socket.create_connection((HOST, PLAIN_PORT), timeout=10) as connection:
        connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".encode())
        text = connection.makefile("rb").read().decode()
    head, _, body = text.partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    return int(status.split()[1]), dict(line.split(": ", 1) for line in lines), body


def handshake(name=NAME, **settings):
    """A connection with other settings; the caller expects it to fail, or looks at it."""
    context = ssl.create_default_context(cafile=os.environ["FLYWHEEL_CA"])
    for key, value in settings.items():
        if callable(getattr(context, key)):
            getattr(context, key)(value)
        else:
            setattr(context, key, value)
    return context.wrap_socket(socket.create_connection((HOST, PORT), timeout=10), server_hostname=name)


@pytest.mark.parametrize("path", ["/", "/assets/none.js", "/api/version", "/api/nothing", "/api/partners/me"])
def test_every_answer_asks_for_https_from_now_on(path):
    assert request("GET", path).headers.get_all("Strict-Transport-Security") == ["max-age=31536000"]


def test_plain_http_is_sent_on_to_our_name_whatever_name_was_asked_for():
    for method, path in (("GET", "/learning?status=x"), ("POST", "/api/partner-auth/login"), ("GET", "//evil.example")):
        status, headers, _ = plain(path, method)
        assert (status, headers["Location"]) == (308, f"{LAYOUT['url']}{path}")


def test_answers_to_a_certificate_authority_are_sent_in_plain_http_and_nothing_beside_them():
    (ACME / "token-1").write_text("token-1.thumbprint")
    assert plain("/.well-known/acme-challenge/token-1")[::2] == (200, "token-1.thumbprint")
    assert plain("/.well-known/acme-challenge/token-2")[0] == 404
    assert plain("/.well-known/acme-challenge/../../../layout")[0] != 200


def test_plain_http_on_the_port_of_tls_is_a_problem_document():
    with socket.create_connection((HOST, PORT), timeout=10) as connection:
        connection.sendall(b"GET /api/version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        text = connection.makefile("rb").read().decode()
    assert text.startswith("HTTP/1.1 400 ")
    assert "https only" in json.loads(text.partition("\r\n\r\n")[2])["detail"]


def test_old_protocols_and_ciphers_without_forward_secrecy_are_refused():
    with handshake(maximum_version=ssl.TLSVersion.TLSv1_2) as connection:
        assert connection.version() == "TLSv1.2" and "ECDHE" in connection.cipher()[0] and "CBC" not in connection.cipher()[0]
    for settings in (
        {"maximum_version": ssl.TLSVersion.TLSv1_1, "minimum_version": ssl.TLSVersion.TLSv1, "set_ciphers": "ALL:@SECLEVEL=0"},
        {"maximum_version": ssl.TLSVersion.TLSv1_2, "set_ciphers": "AES128-SHA:AES256-SHA:AES128-GCM-SHA256"},
        {"maximum_version": ssl.TLSVersion.TLSv1_2, "set_ciphers": "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA256"},
    ):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            handshake(**settings)
    with connect() as connection:
        assert connection.version() == "TLSv1.3"


def test_another_name_gets_no_handshake_and_another_host_no_answer():
    with pytest.raises((ssl.SSLError, ConnectionError)):
        handshake(name="other.example", check_hostname=False)
    with connect() as connection:
        connection.sendall(b"GET /api/version HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\n\r\n")
        assert connection.makefile("rb").read().startswith(b"HTTP/1.1 421 ")


def test_http_2_is_spoken_and_answers_the_same():
    found = subprocess.run(
        ["curl", "-sS", "--http2", "--cacert", os.environ["FLYWHEEL_CA"], "--connect-to", f"::{HOST}:{PORT}", "-o", "-"]
        + ["-w", "\n%{http_version} %{http_code}", "-H", f"X-API-Key: {SUMMARY['api_key']}", f"{LAYOUT['url']}/api/partners/me"],
        check=True, capture_output=True, text=True,
    ).stdout.rsplit("\n", 1)
    assert found[1] == "2 200"
    assert json.loads(found[0]) == request("GET", "/api/partners/me", headers={"X-API-Key": SUMMARY["api_key"]}).json()


def test_a_sign_in_over_tls_gets_cookies_that_never_go_out_in_plain_http():
    body = json.dumps({"email": SUMMARY["email"], "password": SUMMARY["password"]}).encode()
    cookies = request("POST", "/api/partner-auth/login", body).headers.get_all("Set-Cookie")
    assert cookies
    for cookie in cookies:
        flags = [part.strip().lower() for part in cookie.split(";")]
        assert "secure" in flags and "httponly" in flags and any(flag.startswith("samesite=") for flag in flags), cookie


def test_a_client_that_stops_in_the_middle_is_let_go_and_others_are_answered_meanwhile():
    halves = [
        b"GET /api/version HTTP/1.1\r\nHost: ",
        b"POST /api/partner-auth/login HTTP/1.1\r\nHost: " + NAME.encode() + b"\r\nContent-Length: 100\r\n\r\n{",
    ]
    waiting = [connect(30) for _ in range(20) for _ in halves]
    for number, connection in enumerate(waiting):
        connection.sendall(halves[number % 2])
    begin = time.monotonic()
    assert request("GET", "/readyz").status == 200
    for connection in waiting:
        try:
            assert connection.recv(100) == b""
        except (ConnectionError, ssl.SSLError):
            pass  # reset, which is what nginx does to those who kept it waiting
        connection.close()
    assert time.monotonic() - begin < 28
    assert_problem(raw(b"NONSENSE\r\n\r\n"), 400)
    assert TLS is not None
