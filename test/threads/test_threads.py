"""Handlers with the thread sanitizer: many callers at once, and peers that leave, lie or stop in the middle.

FLYWHEEL_TSAN_BUILD names the build. A report of the sanitizer spoils the exit status and stands in the log.
"""
import json
import os
import pathlib
import random
import sys
import threading
import time

import pytest

sys.path[:0] = [str(pathlib.Path(__file__).parents[1] / folder) for folder in ("lib", "api")]

from handlers import Handler, Instance  # noqa: E402
from house.owner import Owner  # noqa: E402
from fastcgi import BEGIN, PARAMS, record, request  # noqa: E402

PROGRAMS = pathlib.Path(os.environ["FLYWHEEL_TSAN_BUILD"]) / "handlers"
CALLERS, PEERS, SECONDS = 12, 4, 3
LEARNING = "/api/partners/me/learning"


@pytest.fixture(scope="module")
def instance():
    return Instance()


def get(instance, path):
    """Makes requests of that kind, and says which statuses are right."""
    path, _, query = path.partition("?")
    return lambda keep: request("GET", path, keep=keep, QUERY_STRING=query, HTTP_X_API_KEY=instance.key), {200}


def post_executions(instance):
    site, _, token = instance.new_appliance()

    def make(keep):
        report = {"site_id": site, "executions": [
            {"execution_id": f"e-{random.randrange(10**6)}", "success": True, "incident_type": "disk", "incident": {"n": n}}
            for n in range(5)]}
        return request("POST", "/api/agent/executions", json.dumps(report).encode(), keep=keep,
                       CONTENT_TYPE="application/json", HTTP_AUTHORIZATION="Bearer " + token)
    return make, {200}


def pull_rules(instance):
    site, _, token = instance.new_appliance()
    return lambda keep: request("GET", "/api/agent/sync/promoted-rules", keep=keep, QUERY_STRING="site_id=" + site,
                                HTTP_AUTHORIZATION="Bearer " + token), {200}


PROGRAMS_AND_REQUESTS = {
    "learning-stats": lambda instance: get(instance, LEARNING + "/stats"),
    "learning-candidates": lambda instance: get(instance, LEARNING + "/candidates?limit=5"),
    "agent-reports": post_executions,
    "agent-rules": pull_rules,
}


class Load:
    """Threads that call until told to stop, and what went wrong with them."""

    def __init__(self, handler, make, right):
        self.handler, self.make, self.right = handler, make, right
        self.ending, self.wrong, self.served, self.bothered = False, [], 0, 0
        self.threads = [threading.Thread(target=self.call) for _ in range(CALLERS)]
        self.threads += [threading.Thread(target=self.bother) for _ in range(PEERS)]
        for thread in self.threads:
            thread.start()

    def call(self):
        """Kept connections of a few requests, the last of which asks for a close: both ends of a slot's life."""
        while not self.ending:
            try:
                connection = self.handler.connect()
                for left in range(random.randrange(4), -1, -1):
                    connection.send(self.make(left > 0))
                    status = connection.answer()[0]
                    self.served += 1
                    if status not in self.right:
                        self.wrong.append(status)
                connection.close()
            except (OSError, EOFError) as error:
                if not self.ending:
                    self.wrong.append(error)

    def bother(self):
        while not self.ending:
            try:
                connection = self.handler.connect()
                random.choice([self.half, self.leave, self.lie, self.halves, self.silence])(connection)
                connection.close()
            except OSError:
                pass  # hung up on, rightly
            self.bothered += 1
            time.sleep(random.random() * 0.01)

    def half(self, connection):
        whole = self.make(True)
        connection.send(whole[:random.randrange(1, len(whole))])

    def leave(self, connection):
        connection.send(self.make(random.random() < 0.5))

    def lie(self, connection):
        connection.send(random.choice([b"GET / HTTP/1.1\r\n\r\n", bytes(40), record(PARAMS, b"x"), record(BEGIN, b"?") * 2]))

    def halves(self, connection):
        """In two pieces, the second just when the first is looked at."""
        whole = self.make(True)
        at = random.randrange(1, len(whole))
        connection.send(whole[:at])
        time.sleep(random.random() * 0.002)
        connection.send(whole[at:])
        connection.send(self.make(False))

    def silence(self, _):
        time.sleep(0.01)

    def end(self):
        self.ending = True
        for thread in self.threads:
            thread.join(timeout=60)


@pytest.mark.parametrize("program", PROGRAMS_AND_REQUESTS)
def test_P36_no_two_threads_of_a_handler_get_in_each_others_way(program, instance, tmp_path):
    make, right = PROGRAMS_AND_REQUESTS[program](instance)
    handler = Handler(PROGRAMS / program, tmp_path, instance.config)
    load = Load(handler, make, right)
    time.sleep(SECONDS)
    load.ending = True  # what SIGTERM cuts off from here on is nobody's fault
    status = handler.stop()
    load.end()
    assert not load.wrong and load.served > 20 and load.bothered > 100, (load.wrong[:5], load.served, load.bothered)
    assert "ThreadSanitizer" not in handler.log(), handler.log()[handler.log().index("WARNING: ThreadSanitizer"):][:6000]
    assert status == 0, handler.log()[-3000:]
    print(f"{program}: {load.served} requests served beside {load.bothered} hostile peers")


def test_P36_what_nobody_waits_for_any_more_is_not_done(instance, tmp_path):
    """Every worker waits for the database while callers ask and give up; those who ask later do not wait for their answers."""
    make, _ = get(instance, LEARNING + "/stats")
    handler = Handler(PROGRAMS / "learning-stats", tmp_path, instance.config)
    owner = Owner(instance.summary)
    owner.connection.autocommit = False
    owner.run("LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE")
    patient = [handler.connect() for _ in range(4)]  # as many as there are workers
    for connection in patient:
        connection.send(make(True))
    time.sleep(0.5)
    for _ in range(40):
        connection = handler.connect()
        connection.send(make(True))
        connection.close()
    time.sleep(2.5)
    owner.connection.rollback()
    assert [connection.answer()[0] for connection in patient] == [200] * 4
    late = handler.connect()
    late.send(make(False))
    assert late.answer()[0] == 200
    assert handler.stop() == 0, handler.log()[-3000:]
    assert handler.log().count('"event":"request"') == 5
