"""P37, P38: the database is away, frozen, or restarted under load. Answers are 503 and soon, nothing is written twice or
half, no handler is left with fewer workers or more descriptors, and serving goes on by itself."""

import signal
import threading
import time

import pytest
import requests

from crowd import Crowd, all_is_whole, new_candidates, nothing_is_half
from house.client import LEARNING, Caller, expect
from machine import send, soon, wait_until

READS = [LEARNING + path for path in ("/stats", "/candidates", "/promoted-rules", "/execution-history", "/audit")]


@pytest.fixture
def candidates(partner):
    return new_candidates(partner, 40)


class Load:
    """Clients that read and write without pause; what they were answered, and how long the longest took."""

    def __init__(self, server, key, candidates, clients=8):
        self.server, self.key, self.candidates = server, key, candidates
        self.stop, self.answers, self.errors = threading.Event(), [], []
        self.threads = [threading.Thread(target=self.work, args=(number,)) for number in range(clients)]

    def work(self, number):
        caller, turn = Caller(self.server, key=self.key), number
        while not self.stop.is_set() and not self.errors:
            turn += 1
            began = time.monotonic()
            try:
                if turn % 3 == 0:
                    answer = caller.approve(self.candidates[turn % len(self.candidates)])
                else:
                    answer = caller.get(READS[turn % len(READS)])
                self.answers.append((answer.status, began, time.monotonic() - began))
            except (AssertionError, requests.exceptions.ConnectionError) as error:
                self.errors.append(error)
            if answer.status == 503:
                time.sleep(0.02)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *ignored):
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def statuses(self):
        return {status for status, _, _ in self.answers}

    def longest(self):
        return max(seconds for _, _, seconds in self.answers)


def all_answer(server, partner, candidates):
    caller = Caller(server, key=partner.api.key)
    return (all(caller.get(path).status == 200 for path in READS)
            and caller.approve(candidates[0]).status in (200, 409))


def nothing_leaks(before, after):
    """Some more descriptors are connections to the database that were not needed before, and those that nginx keeps."""
    assert after.keys() == before.keys()
    for program, (descriptors, threads) in after.items():
        assert descriptors <= before[program][0] + 12 and threads == before[program][1], (program, before, after)


def answers_everywhere_again(server, partner, candidates, machine, before):
    wait_until(soon(), lambda: all_answer(server, partner, candidates), "serving goes on by itself")
    for _ in range(3):  # every worker has had its turn, and none is stuck
        with Load(server, partner.api.key, candidates, clients=12) as load:
            time.sleep(0.3)
        assert not load.errors, load.errors[0]
    assert load.statuses() <= {200, 409}
    nothing_leaks(before, machine.descriptors())


def test_p37_p38_a_database_that_is_away_is_503_at_once_and_approvals_get_through_afterwards(
        server, partner, database, machine, candidates):
    assert all_answer(server, partner, [candidates[0]])
    before = machine.descriptors()
    crowd = Crowd(server, partner.api.key, candidates[1:], lambda: machine.pause(0, 0.05))
    waiting = threading.Thread(target=crowd.run, args=(lambda: time.sleep(0.1),))
    with machine.postgres_is_away():
        waiting.start()
        with Load(server, partner.api.key, candidates) as load:
            time.sleep(4)
        victim = machine.handler("learning-approve")
        send(victim, signal.SIGKILL)  # one that has to start while there is no database serves as soon as there is one
        assert crowd.answered == {}
    assert not load.errors, load.errors[0]
    assert load.statuses() == {503} and len(load.answers) > 50
    assert load.longest() < 5
    wait_until(soon(), lambda: all_answer(server, partner, candidates), "serving goes on by itself")
    waiting.join()
    assert not crowd.errors, crowd.errors[0]
    assert set(crowd.answered) == set(candidates[1:])
    all_is_whole(database, crowd)
    nothing_is_half(database)
    after = machine.descriptors()
    del before["learning-approve"], after["learning-approve"]
    nothing_leaks(before, after)


def test_p37_a_database_that_has_stopped_answering_is_503_in_time(server, partner, database, machine, candidates):
    """Who was served when it stopped waits for the longest time-out (15 s and what a new connection takes), nobody after
    them does: they are told at once."""
    assert all_answer(server, partner, candidates)
    before = machine.descriptors()
    with machine.postgres_is_frozen():
        with Load(server, partner.api.key, candidates, clients=16) as load:
            time.sleep(21)
            late = time.monotonic()
            while time.monotonic() < late + 1:
                expect(503, partner.api.get(LEARNING + "/stats"))
    assert not load.errors, load.errors[0]
    assert load.statuses() == {503}
    assert load.longest() < 28, "nginx gives up after 30 s"
    assert any(seconds < 1 for _, began, seconds in load.answers)
    answers_everywhere_again(server, partner, candidates, machine, before)
    nothing_is_half(database)


def test_p37_a_database_that_is_restarted_under_load_costs_503_at_most(server, partner, database, machine, candidates):
    assert all_answer(server, partner, candidates)
    before = machine.descriptors()
    with Load(server, partner.api.key, candidates) as load:
        for _ in range(2):
            time.sleep(0.5)
            machine.restart_postgres()
        time.sleep(1)
    assert not load.errors, load.errors[0]
    assert load.statuses() <= {200, 409, 503} and 200 in load.statuses()
    assert load.longest() < 10
    answers_everywhere_again(server, partner, candidates, machine, before)
    nothing_is_half(database)
