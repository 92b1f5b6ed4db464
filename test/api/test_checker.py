"""The checker of answers itself: what it must not let pass."""

import json
from copy import copy

import pytest

from house.client import LEARNING


class Fake:
    """An answer that no server gave."""

    def __init__(self, good, **other):
        self.method, self.path, self.sent = good.method, good.path, None
        self.status, self.headers, self.body, self.media_type = good.status, dict(good.headers), good.body, good.media_type
        for name, value in other.items():
            setattr(self, name, value)

    def json(self):
        return json.loads(self.body)


@pytest.fixture
def good(acme):
    return acme.api.get(LEARNING + "/stats")


@pytest.fixture
def check(server):
    """The checker, without what it remembers of the run."""
    checker = copy(server.contract)
    checker.exercised = set()
    return checker.check


def body_with(answer, **members):
    return json.dumps({**answer.json(), **members}).encode()


def test_what_is_right_passes(good, check):
    check(Fake(good))


@pytest.mark.parametrize("wrong", [
    {"path": "/api/partners/me/learning/unknown"}, {"method": "DELETE"}, {"status": 201}, {"status": 418},
    {"media_type": "text/html"}, {"body": b"{}"}, {"headers": {}},
], ids=str)
def test_what_the_document_does_not_know_fails(good, check, wrong):
    with pytest.raises(AssertionError):
        check(Fake(good, **wrong))


@pytest.mark.parametrize("members", [
    {"pending_candidates": "5"}, {"pending_candidates": None}, {"l1_resolution_rate": 81.5}, {"total_executions_30d": -1},
], ids=str)
def test_a_member_of_another_type_or_out_of_bounds_fails(good, check, members):
    with pytest.raises(AssertionError):
        check(Fake(good, body=body_with(good, **members)))


def test_a_missing_member_fails(good, check):
    for member in ("pending_candidates", "active_promoted_rules", "avg_success_rate"):
        left = {name: value for name, value in good.json().items() if name != member}
        with pytest.raises(AssertionError):
            check(Fake(good, body=json.dumps(left).encode()))


def test_a_304_with_a_body_fails(good, check):
    with pytest.raises(AssertionError):
        check(Fake(good, status=304))


def test_a_request_that_was_accepted_against_the_document_fails(acme, check):
    candidate = acme.new_candidate()
    answer = acme.api.reject(candidate["id"])
    check(Fake(answer, sent={"reason": "The reason that was given"}))
    for sent in ({"reason": 5}, {"reason": "x" * 2001}, {"reason": "fine", "unknown": 1}, {}):
        with pytest.raises(AssertionError):
            check(Fake(answer, sent=sent))
