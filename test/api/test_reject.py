"""Rejecting, and changing one's mind."""

import pytest

from house.client import LEARNING, expect, pointers
from house.world import pattern, unique


def reject(partner, candidate, body):
    return partner.api.post(f"{LEARNING}/candidates/{candidate['id']}/reject", body)


def test_a_rejected_candidate_stays_in_the_list_as_rejected(acme, database):
    candidate = acme.new_candidate()
    before = acme.api.stats()["pending_candidates"]
    answer = expect(200, reject(acme, candidate, {"reason": "It hides a failing disk.\nSee the ticket."}))
    assert answer["status"] == "rejected"
    assert answer["pattern_id"]
    assert acme.find(candidate["pattern_signature"])["approval_status"] == "rejected"
    assert acme.api.stats()["pending_candidates"] == before - 1
    log = database.audit(candidate["pattern_signature"])
    assert [row["action"] for row in log] == ["candidate.rejected"]
    assert log[0]["reason"] == "It hides a failing disk.\nSee the ticket."
    assert log[0]["actor_kind"] == "key" and log[0]["request_id"]


@pytest.mark.parametrize("body, pointer", [
    ({}, "/reason"),
    ({"reason": ""}, "/reason"),
    ({"reason": " \t\n"}, "/reason"),
    ({"reason": "\u00a0\u2003\u3000\u200b\ufeff\u2028"}, "/reason"),
    ({"reason": None}, "/reason"),
    ({"reason": 5}, "/reason"),
    ({"reason": "x" * 2001}, "/reason"),
    ({"reason": "a\u0000b"}, None),
    ({"reason": "a\u0007b"}, "/reason"),
    ({"reason": "fine", "code": "risky", "extra": 1}, "/extra"),
])
def test_p12_a_blank_or_wrong_reason_is_refused(acme, body, pointer):
    candidate = acme.new_candidate()
    answer = reject(acme, candidate, body)
    if pointer is None:
        assert answer.status in (400, 422), answer
    else:
        assert pointer in pointers(expect(422, answer))
    assert acme.find(candidate["pattern_signature"])["approval_status"] == "not_submitted"


def test_p12_rejecting_what_is_approved_is_409_and_leaves_the_rule(acme):
    answer, candidate = acme.new_rule()
    refused = expect(409, reject(acme, candidate, {"reason": "Changed my mind about it"}))
    assert answer["rule_id"] in refused["detail"]
    assert acme.api.rule(answer["rule_id"])["status"] == "active"
    assert acme.find(candidate["pattern_signature"])["approval_status"] == "approved"


def test_rejecting_again_changes_and_logs_nothing(acme, database):
    candidate = acme.new_candidate()
    expect(200, reject(acme, candidate, {"reason": "The first reason counts"}))
    expect(200, reject(acme, candidate, {"reason": "A second reason comes late"}))
    log = database.audit(candidate["pattern_signature"])
    assert [row["reason"] for row in log] == ["The first reason counts"]


def test_a_no_can_be_reconsidered(acme):
    candidate = acme.new_candidate()
    expect(200, reject(acme, candidate, {"reason": "Not enough evidence yet"}))
    answer = expect(200, acme.api.approve(candidate["id"]))
    assert acme.api.rule(answer["rule_id"])["status"] == "active"
    assert acme.find(candidate["pattern_signature"])["approval_status"] == "approved"


def test_a_rejected_candidate_that_is_no_longer_eligible_is_still_shown(acme):
    candidate = acme.new_candidate()
    expect(200, reject(acme, candidate, {"reason": "Watching this one first"}))
    acme.main.appliances[0].push(pattern(candidate["pattern_signature"], total_occurrences=40))
    assert acme.find(candidate["pattern_signature"])["approval_status"] == "rejected"
    expect(409, acme.api.approve(candidate["id"]))


def test_p38_a_repeated_rejection_is_answered_the_same(acme, database):
    candidate = acme.new_candidate()
    headers = {"Idempotency-Key": unique("idem")}
    path = f"{LEARNING}/candidates/{candidate['id']}/reject"
    first = expect(200, acme.api.post(path, {"reason": "Once is enough here"}, headers=headers))
    again = expect(200, acme.api.post(path, {"reason": "Once is enough here"}, headers=headers))
    assert again.body == first.body
    assert len(database.audit(candidate["pattern_signature"])) == 1


def test_an_unknown_candidate_is_404(acme):
    expect(404, acme.api.reject("00000000-0000-4000-8000-000000000000"))
