"""Every handler under valgrind's memcheck, asked for each of its operations in several ways; it finds no error and no leak.

FLYWHEEL_BUILD names the build, FLYWHEEL_DIR an instance: its configuration and database are used.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import urllib.request
import uuid

import pytest
import yaml

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "lib"))

from handlers import TOP, Handler, Instance  # noqa: E402
from fastcgi import request  # noqa: E402

PROGRAMS = pathlib.Path(os.environ["FLYWHEEL_BUILD"]) / "handlers"
MEMCHECK = ["valgrind", "--quiet", "--error-exitcode=99", "--leak-check=full", "--errors-for-leak-kinds=definite,indirect,possible",
            "--num-callers=20", "--child-silent-after-fork=yes"]
OPERATIONS = yaml.safe_load((TOP / "docs" / "openapi.yaml").read_text(encoding="utf-8"))["paths"]


def routes():
    """{program: [(method, path)]}, from nginx's table."""
    found = {}
    for line in (TOP / "deploy" / "nginx" / "routes").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            method, path, program, _ = line.split()
            found.setdefault(program, []).append((method, path))
    return found


class World:
    """An instance, and of each kind of thing one that can be named in a path or a body."""

    def __init__(self):
        self.instance = Instance()
        summary = self.instance.summary
        made = self.instance.control("key", "add", "--partner", summary["partner_slug"], "--scopes", "read,decide,admin",
                                     "--expires", "1d")
        self.key = made["api_key"]
        self.site, self.box, self.token = self.instance.new_appliance()

    def ids(self, path):
        """Ids for the path's {id}: the first of the list it belongs to, and one that does not exist."""
        listed = urllib.request.Request(self.instance.summary["url"] + path.partition("/{id}")[0], headers={"X-API-Key": self.key})
        with urllib.request.urlopen(listed, timeout=30) as answer:
            rows = next(value for value in json.load(answer).values() if isinstance(value, list))
        return [rows[0]["id"], str(uuid.uuid4())]

    def body(self, method, path):
        """What the document shows as an example, with names that exist here."""
        content = OPERATIONS[path][method.lower()]["requestBody"]["content"]["application/json"]
        example = content["example"] if "example" in content else next(iter(content["examples"].values()))["value"]
        known = {"site_id": self.site, "appliance_id": self.box, "email": self.instance.summary["email"],
                 "password": self.instance.summary["password"]}
        return {name: known.get(name, value) for name, value in example.items() if name != "rule_digest"}

    def credentials(self, path):
        if path.startswith("/api/agent/"):
            return {"HTTP_AUTHORIZATION": "Bearer " + self.token}
        return {"HTTP_X_API_KEY": self.key}

    def requests(self, method, path):
        """(what, bytes) of everything that is tried with an operation."""
        who = self.credentials(path)
        bodies = {"": b""}
        if "requestBody" in OPERATIONS[path][method.lower()]:
            good = self.body(method, path)
            bodies = {"example": json.dumps(good).encode(), "unknown member": json.dumps({**good, "nope": 1}).encode(),
                      "broken": b'{"a": [1, "\xff', "too large": b'{"a": "' + b"x" * 70_000 + b'"}'}
        for address in [path.replace("{id}", one) for one in self.ids(path)] if "{id}" in path else [path]:
            for what, body in bodies.items():
                yield what, request(method, address, body, CONTENT_TYPE="application/json", **who)
        yield "nobody", request(method, address, next(iter(bodies.values())), CONTENT_TYPE="application/json")
        yield "bad query", request(method, address, QUERY_STRING="nope=1", **who)


@pytest.fixture(scope="module")
def world():
    return World()


def answered(connection, sent):
    """The status. Watched so closely, a handler may take longer for its first connection than it allows itself: it says 503
    then, and is asked again as Retry-After tells callers to."""
    for attempt in range(10):
        connection.send(sent)
        status = connection.answer()[0]
        if status != 503:
            break
        time.sleep(1 + attempt)
    return status


@pytest.mark.parametrize("program", sorted(routes()))
def test_a_handler_loses_no_memory_and_reads_none_that_it_must_not(program, world, tmp_path):
    handler = Handler(PROGRAMS / program, tmp_path, world.instance.config, before=MEMCHECK)
    connection = handler.connect(timeout=60)
    seen = {}
    for method, path in routes()[program]:
        for what, sent in world.requests(method, path):
            seen.setdefault((method, path, what), []).append(answered(connection, sent))
    connection.close()
    status = handler.stop()
    assert status == 0, handler.log()[-8000:]
    assert not re.search(r"^==\d+==", handler.log(), re.M), handler.log()[-8000:]
    statuses = {status for answers in seen.values() for status in answers}
    assert max(statuses) < 500 and statuses & {200, 201}, seen


def test_a_handler_that_serves_one_request_by_cgi_loses_no_memory_either(world):
    environment = {"PATH": os.environ["PATH"], "REQUEST_METHOD": "GET", "HTTP_X_API_KEY": world.key, "QUERY_STRING": "limit=3",
                   "DOCUMENT_URI": "/api/partners/me/learning/candidates"}
    run = subprocess.run([*MEMCHECK, PROGRAMS / "learning-candidates", "--config", world.instance.config], env=environment,
                         stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr.decode()[-8000:]
    assert run.stdout.startswith(b"Status: 200"), run.stdout[:500]
