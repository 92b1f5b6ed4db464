"""The instance under test, as quickstart.json describes it, and requests as they are written, not as a library tidies them."""
import http.client
import json
import os
import pathlib
import socket
import urllib.parse

SUMMARY = json.loads((pathlib.Path(os.environ["FLYWHEEL_DIR"]) / "quickstart.json").read_text())
HOST, PORT = urllib.parse.urlsplit(SUMMARY["url"]).hostname, urllib.parse.urlsplit(SUMMARY["url"]).port
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


def request(method, path, body=None, headers=None):
    """One request on a connection of its own; the path goes out as it is."""
    connection = http.client.HTTPConnection(HOST, PORT, timeout=20)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
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
    with socket.create_connection((HOST, PORT), timeout=10) as connection:
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
