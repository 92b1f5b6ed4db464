"""The instance under test, as quickstart.json and the layout describe it, and requests as they are written, not as a
library tidies them.

FLYWHEEL_LAYOUT names another layout than the instance's (a second nginx over the same handlers); FLYWHEEL_CA is then the
certificate that its own must come from."""
import http.client
import json
import os
import pathlib
import socket
import ssl
import urllib.parse

SUMMARY = json.loads((pathlib.Path(os.environ["FLYWHEEL_DIR"]) / "quickstart.json").read_text())
LAYOUT_FILE = pathlib.Path(os.environ.get("FLYWHEEL_LAYOUT") or f"{SUMMARY['instance_dir']}/etc/layout")
LAYOUT = dict(line.split(" = ") for line in LAYOUT_FILE.read_text().splitlines() if not line.startswith("#"))
LOGS, SOCKETS = LAYOUT["log_dir"], LAYOUT["sockets_dir"]
HOST, PORT = LAYOUT["connect_to"].rsplit(":", 1)[0], int(LAYOUT["connect_to"].rsplit(":", 1)[1])
NAME = urllib.parse.urlsplit(LAYOUT["url"]).hostname
TLS = ssl.create_default_context(cafile=os.environ["FLYWHEEL_CA"]) if LAYOUT["url"].startswith("https:") else None
KEY = {"X-API-Key": SUMMARY["api_key"]}


def routes():
    """(method, path, program, class) of every operation of deploy/nginx/routes."""
    table = pathlib.Path(__file__).parents[2] / "deploy" / "nginx" / "routes"
    lines = table.read_text(encoding="utf-8").splitlines()
    return [tuple(line.split()) for line in lines if line and not line.startswith("#")]


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)


def connect(timeout=20):
    """A connection to nginx, with TLS where the layout says so."""
    plain = socket.create_connection((HOST, PORT), timeout=timeout)
    return TLS.wrap_socket(plain, server_hostname=NAME) if TLS else plain


def request(method, path, body=None, headers=None):
    """One request on a connection of its own; the path goes out as it is."""
    connection = http.client.HTTPConnection(HOST, PORT, timeout=20)
    connection.sock = connect()
    try:
        connection.putrequest(method, path, skip_accept_encoding=True, skip_host=True)
        connection.putheader("Host", NAME)
        headers = dict(headers or {})
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
            headers.setdefault("Content-Length", str(len(body)))
        for name, value in headers.items():
            if value is not None:
                connection.putheader(name, value)
        connection.endheaders()
        if body is not None:
            try:
                connection.send(body)
            except (BrokenPipeError, ConnectionResetError):
                pass  # answered before the body was read
        return Answer(connection.getresponse())
    finally:
        connection.close()


def raw(data):
    """Bytes as they are on a connection; all that comes back."""
    with connect(10) as connection:
        connection.sendall(data)
        response = http.client.HTTPResponse(connection)
        response.begin()
        return Answer(response)


def assert_problem(answer, status, slug=None):
    """A problem document of RFC 9457 with all members that the contract asks for."""
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == status
    assert document["type"].startswith("urn:flywheel:problem:")
    assert document["title"] and document["detail"].endswith(".")
    assert document["request_id"] == answer.headers["X-Request-Id"]
    if slug:
        assert document["type"] == f"urn:flywheel:problem:{slug}"
    return document
