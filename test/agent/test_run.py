"""run: cycles for ever, with back-off, until it is told to stop."""

import signal
import socket
import time

import pytest

from conftest import AGENT, WAIT, eventually
from fake_server import ACK, EXECUTIONS, RULES
from linked import Linked, box, server  # noqa: F401  (fixtures)


@pytest.fixture
def running(box):
    """running(): `run`, killed at the end."""
    started = []

    def start():
        started.append(box.start("run"))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


def pauses(server):
    moments = [request.at for request in server.asked(RULES)]
    return [later - earlier for earlier, later in zip(moments, moments[1:])]


def test_a_rule_is_matching_within_one_poll(box, server, running):
    box.configure(poll_seconds=2)
    running()
    eventually(lambda: server.acks)
    server.put("L1-PROMOTED-A")
    since = time.monotonic()
    eventually(lambda: box.rule_ids({"check_type": "firewall"}, state=True, cooldown=False) == ["L1-PROMOTED-A"])
    asked = next(request.at for request in server.asked(RULES) if request.at > since)
    assert asked - since <= 4, "the poll time, and as much again for a machine that is busy"
    server.withdraw("L1-PROMOTED-A")
    eventually(lambda: box.rule_ids({"check_type": "firewall"}, state=True, cooldown=False) == [None])
    eventually(lambda: server.acks[-1]["removed"] == ["L1-PROMOTED-A"] or server.acks[-1]["revision"] == 2)


def test_it_does_not_ask_more_often_than_it_should(box, server, running):
    running()
    eventually(lambda: len(server.asked(RULES)) >= 5)
    assert sum(pauses(server)[:4]) > 2.5, "four times about a second"


def test_it_backs_off_while_the_server_is_away_and_comes_back(box, server, running):
    server.instead[RULES] = lambda handler: handler.problem(503, "unavailable", "later")
    running()
    eventually(lambda: len(server.asked(RULES)) >= 2)
    server.instead.clear()
    server.put("L1-PROMOTED-A")
    eventually(lambda: len(server.asked(RULES)) >= 4)
    first, second, third = pauses(server)[:3]
    assert first + second > 4, "two seconds, then four"
    assert third < 7, "not eight: the pull worked"
    assert box.has("L1-PROMOTED-A")


def test_a_failing_step_keeps_the_normal_pace_when_the_pull_works(box, server, running):
    box.record({"execution_id": "e1", "pattern_signature": "p", "resolution_level": "L1"})
    server.instead[EXECUTIONS] = lambda handler: handler.problem(500, "broken", "no")
    running()
    eventually(lambda: len(server.asked(RULES)) >= 4)
    assert pauses(server)[2] < 7, "after three failures in a row it would be eight seconds"


def test_it_leaves_the_server_alone_as_long_as_that_wants(box, server, running):
    server.instead[ACK] = lambda handler: handler.problem(429, "too-many", "slowly", Retry_After="4")
    running()
    eventually(lambda: len(server.asked(RULES)) >= 2)
    assert pauses(server)[0] > 2.5, "four seconds instead of one"


def test_it_reads_token_and_key_anew_in_each_cycle(box, server, running):
    (box.folder / "token").write_text("fwa_old", encoding="ascii")
    running()
    eventually(lambda: "401" in box.told())
    server.put("L1-PROMOTED-A")
    (box.folder / "token").write_text(server.token, encoding="ascii")
    eventually(lambda: box.has("L1-PROMOTED-A"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_at_once_between_two_cycles(box, server, running, number):
    box.configure(poll_seconds=3600)
    process = running()
    eventually(lambda: server.acks and box.status()["last_success"])
    process.send_signal(number)
    assert process.wait(timeout=5) == 0
    assert box.told() == ""


def test_it_ends_in_the_middle_of_a_request(box, server, running):
    box.configure(timeout_seconds=60)
    server.instead[RULES] = lambda handler: time.sleep(20)
    process = running()
    eventually(lambda: server.asked(RULES))
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 0
    assert server.asked(ACK) == [], "no step begins after that"
    assert box.status()["last_error"] is None and box.told() == "", "being stopped is no error"


def test_it_tells_systemd_that_it_is_ready(box, tmp_path, monkeypatch, running):
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        listener.settimeout(WAIT)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        running()
        assert listener.recv(64) == b"READY=1"


@pytest.mark.skipif("asan" in AGENT, reason="the sanitizers need memory of their own")
def test_it_does_not_grow(box, server, running):
    for turn in range(50):
        server.put(f"L1-PROMOTED-{turn:03}")
    process = running()

    def anonymous():
        with open(f"/proc/{process.pid}/smaps_rollup", encoding="ascii") as rollup:
            return next(int(line.split()[1]) for line in rollup if line.startswith("Anonymous:"))

    eventually(lambda: len(server.asked(RULES)) >= 4)
    before = anonymous()
    server.put("L1-PROMOTED-000", description="x" * 4000)
    asked = len(server.asked(RULES))
    eventually(lambda: len(server.asked(RULES)) >= asked + 4)
    assert anonymous() <= before + 1024
