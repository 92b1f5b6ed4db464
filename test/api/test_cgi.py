"""A handler started with a CGI environment (RFC 3875) and no socket answers that one request on standard output."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from house.client import LEARNING


class Gateway:
    """Starts handlers as a CGI gateway would."""

    def __init__(self, quickstart):
        self.folder = Path(quickstart["handlers_dir"])

    def run(self, program, method, path, key=None, body=b"", **variables):
        environment = {"PATH": os.environ["PATH"], "GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": method,
                       "DOCUMENT_URI": path, "SERVER_PROTOCOL": "HTTP/1.1"}
        if key is not None:
            environment["HTTP_X_API_KEY"] = key
        if body:
            environment.update(CONTENT_TYPE="application/json", CONTENT_LENGTH=str(len(body)))
        environment.update(variables)
        done = subprocess.run([str(self.folder / program)], input=body, env=environment, capture_output=True, timeout=30,
                              check=False)
        assert done.returncode == 0, done
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        return int(headers["Status"].split()[0]), headers, content


@pytest.fixture(scope="module")
def gateway(quickstart):
    return Gateway(quickstart)


def test_a_reading_handler_is_a_cgi_program(gateway, acme):
    status, headers, content = gateway.run("learning-stats", "GET", LEARNING + "/stats", acme.api.key)
    assert status == 200 and headers["Content-Type"].startswith("application/json")
    assert json.loads(content) == acme.api.stats()
    assert int(headers["Content-Length"]) == len(content)


def test_a_deciding_handler_is_one_too(gateway, acme):
    candidate = acme.new_candidate()
    status, _, content = gateway.run("learning-reject", "POST", f"{LEARNING}/candidates/{candidate['id']}/reject",
                                     acme.api.key, json.dumps({"reason": "From a shell, as CGI"}).encode())
    assert status == 200, content
    assert json.loads(content)["status"] == "rejected"
    assert acme.find(candidate["pattern_signature"])["approval_status"] == "rejected"


def test_head_sends_no_body(gateway, acme):
    status, _, content = gateway.run("learning-stats", "HEAD", LEARNING + "/stats", acme.api.key)
    assert (status, content) == (200, b"")


@pytest.mark.parametrize("method, path, key, expected", [
    ("GET", LEARNING + "/stats", None, 401), ("GET", LEARNING + "/stats", "wrong", 401),
    ("POST", LEARNING + "/stats", "right", 405), ("GET", "/api/other", "right", 404),
])
def test_errors_are_problem_documents_here_as_well(gateway, acme, method, path, key, expected):
    status, headers, content = gateway.run("learning-stats", method, path, acme.api.key if key == "right" else key)
    assert status == expected
    assert headers["Content-Type"].startswith("application/problem+json")
    assert json.loads(content)["status"] == expected


def test_a_query_is_read(gateway, acme):
    acme.new_candidate()
    status, _, content = gateway.run("learning-candidates", "GET", LEARNING + "/candidates", acme.api.key,
                                     QUERY_STRING="limit=1")
    assert status == 200 and len(json.loads(content)["candidates"]) == 1


def test_a_body_shorter_than_announced_is_no_request(gateway, acme):
    candidate = acme.new_candidate()
    body = b'{"reason":"Cut off in the middle'
    status, _, _ = gateway.run("learning-reject", "POST", f"{LEARNING}/candidates/{candidate['id']}/reject",
                               acme.api.key, body, CONTENT_LENGTH="500")
    assert status == 400
    assert acme.find(candidate["pattern_signature"])["approval_status"] == "not_submitted"


def test_a_handler_names_its_build_and_checks_itself(gateway):
    for program in ("learning-stats", "learning-approve", "account", "agent-reports", "agent-rules", "service"):
        done = subprocess.run([str(gateway.folder / program), "--build-id"], capture_output=True, text=True, check=True,
                              timeout=30)
        assert len(done.stdout.strip()) >= 8
        assert subprocess.run([str(gateway.folder / program), "--check"], capture_output=True, check=False,
                              timeout=30).returncode == 0
