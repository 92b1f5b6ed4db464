"""P37: somebody holds a row that a decision needs, for longer than anybody waits. Who needs it is told in time, others
notice nothing."""

import threading
import time

import pytest

from crowd import nothing_is_half
from house.client import LEARNING, Caller, expect
from house.owner import Owner


@pytest.fixture
def owner(quickstart):
    return Owner(quickstart)


def at_once(calls):
    """(answer, seconds) of each, all begun together."""
    results = [None] * len(calls)

    def run(number):
        began = time.monotonic()
        results[number] = (calls[number](), time.monotonic() - began)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    return threads, results


@pytest.mark.parametrize("waiting", [3, 6])
def test_p37_who_needs_a_locked_row_is_told_in_time_and_others_go_on(server, acme, rival, owner, database, waiting):
    """With 3 waiting, one worker of the program that decides is free; with 6, others wait for them, and get through."""
    locked, free = acme.new_candidate(), [rival.new_candidate() for _ in range(4)]
    callers = [Caller(server, key=acme.api.key) for _ in range(waiting)]
    with owner.pattern_is_locked(locked["pattern_signature"]):
        threads, results = at_once([lambda caller=caller: caller.approve(locked["id"]) for caller in callers])
        time.sleep(0.3)
        for candidate in free:
            began = time.monotonic()
            expect(200, rival.api.approve(candidate["id"]))
            assert waiting > 3 or time.monotonic() - began < 3, "it waited for somebody else's lock"
        for path in ("/stats", "/candidates", "/promoted-rules", "/execution-history"):
            expect(200, acme.api.get(LEARNING + path))
        for thread in threads:
            thread.join()
    for answer, seconds in results:
        expect(503, answer)
        assert seconds < 20, "nginx gives up after 30 s"
    expect(200, acme.api.approve(locked["id"]))
    nothing_is_half(database)
