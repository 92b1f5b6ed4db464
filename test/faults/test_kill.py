"""P3, P37, P38: processes end in the middle of approvals. What was answered is whole, nothing is half, and serving goes on."""

import signal
import time

from crowd import Crowd, all_is_whole, new_candidates, nothing_is_half
from house.client import LEARNING, Caller, expect
from machine import send, soon, wait_until


def recovers(server, partner, candidates):
    """Reads and a decision are answered by themselves, soon."""
    caller, deadline = Caller(server, key=partner.api.key), time.monotonic() + soon()
    for path in ("/readyz", LEARNING + "/stats", LEARNING + "/candidates", LEARNING + "/promoted-rules",
                 LEARNING + "/execution-history", "/api/partners/me", "/api/partners/me/sites"):
        wait_until(deadline - time.monotonic(), lambda path=path: caller.get(path).status == 200, f"{path} is answered")
    wait_until(deadline - time.monotonic(), lambda: caller.approve(candidates[0]).status == 409, "decisions are answered")


def check(server, partner, database, crowd, candidates):
    recovers(server, partner, candidates)
    assert set(crowd.answered) == set(candidates)
    all_is_whole(database, crowd)
    nothing_is_half(database)
    stats = partner.api.stats()
    assert (stats["pending_candidates"], stats["active_promoted_rules"]) == (0, len(candidates))
    assert crowd.statuses <= {200, 409, 503}


def test_p3_p38_all_handlers_killed_at_once_are_back_by_themselves(server, partner, machine):
    candidates = new_candidates(partner, 1)
    expect(200, partner.api.approve(candidates[0]))
    for pid in machine.handlers():
        send(pid, signal.SIGKILL)
    recovers(server, partner, candidates)


def test_p3_p38_handlers_killed_during_200_approvals(server, partner, database, machine):
    candidates, killed = new_candidates(partner, 200), []
    crowd = Crowd(server, partner.api.key, candidates, lambda: machine.pause(0, 0.2))

    def kill_one():
        machine.pause(0.02, 0.3)
        if len(crowd.answered) < 40 * killed.count("learning-approve"):
            return  # the supervisor waits longer and longer before it starts again what ends; this is about approvals
        handlers = machine.handlers()
        others = [pid for pid, program in handlers.items() if program != "learning-approve"]
        deciding = [pid for pid, program in handlers.items() if program == "learning-approve"]
        for victim in deciding + machine.random.sample(others, min(1, len(others))):
            killed.append(handlers[victim])
            send(victim, signal.SIGKILL)

    crowd.run(kill_one)
    assert killed.count("learning-approve") >= 3, killed
    check(server, partner, database, crowd, candidates)


def test_p3_p37_p38_postgresql_backends_killed_during_200_approvals(server, partner, database, machine):
    """The postmaster ends all others when one is killed, recovers from its log, and takes connections again."""
    candidates, killed = new_candidates(partner, 200), []
    postmaster = machine.postmaster()
    crowd = Crowd(server, partner.api.key, candidates, lambda: machine.pause(0, 0.2))

    def kill_one():
        machine.pause(0.1, 0.6)
        backends = machine.backends()
        if backends and len(crowd.answered) >= 40 * len(killed):
            killed.append(machine.random.choice(backends))
            send(killed[-1], signal.SIGKILL)

    crowd.run(kill_one)
    assert len(killed) >= 3
    assert machine.postmaster() == postmaster, "it recovered by itself"
    check(server, partner, database, crowd, candidates)


def test_p3_p37_p38_the_postmaster_killed_during_60_approvals(server, partner, database, machine):
    """It is started again beside its dead children, as systemd or the restart policy does elsewhere. Handlers need nothing
    done to them."""
    candidates, killed = new_candidates(partner, 60), []
    before = machine.handlers()
    crowd = Crowd(server, partner.api.key, candidates, lambda: machine.pause(0, 0.25))

    def kill_it():
        machine.pause(0.3, 0.8)
        postmaster = machine.postmaster_that_answers()
        if postmaster is not None and len(killed) < 2 and postmaster not in killed:
            killed.append(postmaster)
            send(postmaster, signal.SIGKILL)

    crowd.run(kill_it)
    assert len(killed) == 2
    check(server, partner, database, crowd, candidates)
    assert machine.postmaster() not in killed
    assert machine.handlers() == before
