"""What happens when the database refuses in the middle of something: all or nothing, and nobody is let in."""

import pytest

from house.client import KEYS, LEARNING, expect
from house.owner import Owner
from house.world import execution, expect_accepted, pattern


@pytest.fixture(scope="module")
def owner(quickstart):
    return Owner(quickstart)


def facts(database, candidate):
    """Everything an approval leaves behind, counted."""
    return database.row("""
        SELECT (SELECT count(*) FROM learning_promotion_candidates WHERE pattern_signature = %(s)s
                   AND approval_status = 'approved') AS approved,
               (SELECT count(*) FROM promoted_rules WHERE pattern_signature = %(s)s) AS rules,
               (SELECT count(*) FROM promoted_rule_deployments d JOIN promoted_rules r USING (site_id, rule_id)
                 WHERE r.pattern_signature = %(s)s) AS deployments,
               (SELECT count(*) FROM promotion_audit_log WHERE pattern_signature = %(s)s) AS audited
        """.replace("%(s)s", "'" + candidate["pattern_signature"] + "'"))


NOTHING = {"approved": 0, "rules": 0, "deployments": 0, "audited": 0}


@pytest.mark.parametrize("table, column", [
    ("promoted_rules", "pattern_signature"), ("promoted_rule_versions", "name"),
    ("promoted_rule_deployments", "appliance_id"), ("promotion_audit_log", "pattern_signature"),
    ("learning_promotion_candidates", "pattern_signature"),
])
def test_p3_p13_an_approval_of_which_one_part_fails_leaves_nothing(partner, owner, database, table, column):
    candidate = partner.new_candidate()
    value = {"pattern_signature": candidate["pattern_signature"], "name": "This name fails",
             "appliance_id": partner.main.appliances[1].appliance_id}[column]
    path = f"{LEARNING}/candidates/{candidate['id']}/approve"
    with owner.rows_fail(table, column, value):
        answer = partner.api.call("POST", path, body={"custom_name": "This name fails"}, unchecked=True)
    assert answer.status >= 500, answer
    assert facts(database, candidate) == NOTHING
    assert partner.find(candidate["pattern_signature"])["approval_status"] == "not_submitted"
    stats = partner.api.stats()
    assert (stats["pending_candidates"], stats["active_promoted_rules"]) == (1, 0)
    expect(200, partner.api.approve(candidate["id"], custom_name="This name fails"))
    assert facts(database, candidate)["rules"] == 1


def test_p13_a_rejection_that_cannot_be_logged_does_not_happen(partner, owner, database):
    candidate = partner.new_candidate()
    path = f"{LEARNING}/candidates/{candidate['id']}/reject"
    with owner.rows_fail("promotion_audit_log", "pattern_signature", candidate["pattern_signature"]):
        answer = partner.api.call("POST", path, body={"reason": "It will not be logged"}, unchecked=True)
    assert answer.status >= 500, answer
    assert partner.find(candidate["pattern_signature"])["approval_status"] == "not_submitted"


def test_p13_a_change_of_status_that_cannot_be_logged_does_not_happen(partner, owner):
    rule, candidate = partner.new_rule()
    path = f"{LEARNING}/promoted-rules/{rule['rule_id']}/status"
    with owner.rows_fail("promotion_audit_log", "pattern_signature", candidate["pattern_signature"]):
        answer = partner.api.call("PATCH", path, body={"status": "disabled"}, unchecked=True)
    assert answer.status >= 500, answer
    assert partner.api.rule(rule["rule_id"])["status"] == "active"


def test_p38_a_write_that_failed_is_not_replayed_as_done(partner, owner):
    """The idempotency key of a request that failed on our side is free for the retry."""
    candidate = partner.new_candidate()
    path = f"{LEARNING}/candidates/{candidate['id']}/approve"
    headers = {"Idempotency-Key": "retry-" + candidate["id"]}
    with owner.rows_fail("promoted_rules", "pattern_signature", candidate["pattern_signature"]):
        assert partner.api.call("POST", path, body={}, headers=headers, unchecked=True).status >= 500
    answer = expect(200, partner.api.post(path, {}, headers=headers))
    assert partner.api.rule(answer["rule_id"])["status"] == "active"


def test_p5_patterns_reported_as_stored_are_stored_when_one_of_them_breaks(partner, owner, database):
    good, poison, late = pattern(), pattern(), pattern()
    body = {"site_id": partner.main.site_id, "appliance_id": partner.main.appliances[0].appliance_id,
            "pattern_stats": [good, poison, late]}
    with owner.rows_fail("appliance_pattern_stats", "pattern_signature", poison["pattern_signature"]):
        answer = partner.main.appliances[0].caller.call("POST", "/api/agent/sync/pattern-stats", body=body, unchecked=True)
    stored = {row["pattern_signature"] for row in database.rows(
        "SELECT pattern_signature FROM appliance_pattern_stats WHERE site_id = %s", partner.main.site_id)}
    if answer.status >= 500:
        assert stored == set()
    else:
        assert stored == {good["pattern_signature"], late["pattern_signature"]}
        assert [entry["index"] for entry in answer["rejected"]] == [1]
        assert answer["accepted"] + answer["merged"] == 2
    expect_accepted(partner.main.appliances[0].push(good, poison, late))
    assert partner.api.candidates()["total"] == 3


def test_p5_executions_reported_as_recorded_are_there_when_one_of_them_breaks(partner, owner):
    good, poison, late = execution(), execution(), execution()
    body = {"site_id": partner.main.site_id, "executions": [good, poison, late]}
    with owner.rows_fail("execution_telemetry", "execution_id", poison["execution_id"]):
        answer = partner.main.appliances[0].caller.call("POST", "/api/agent/executions", body=body, unchecked=True)
    there = {entry["execution_id"] for entry in partner.api.history()["executions"]}
    if answer.status >= 500:
        assert there == set()
    else:
        recorded = {report["execution_id"] for report, result in zip((good, poison, late), answer["results"])
                    if result["status"] == "recorded"}
        assert recorded == there and poison["execution_id"] not in there
    expect_accepted(partner.main.appliances[0].report(good, poison, late))
    assert partner.api.history()["total"] == 3


def test_p40_when_credentials_cannot_be_looked_up_nobody_gets_in(acme, approver, owner):
    candidate = acme.new_candidate()
    with owner.nobody_authenticates():
        answers = [acme.api.call("GET", LEARNING + "/stats", unchecked=True),
                   approver.call("GET", LEARNING + "/candidates", unchecked=True),
                   approver.call("GET", "/api/partner-auth/me", unchecked=True),
                   acme.new_key("admin").call("GET", KEYS, unchecked=True),
                   acme.api.call("POST", f"{LEARNING}/candidates/{candidate['id']}/approve", body={}, unchecked=True),
                   acme.main.appliances[0].caller.call("POST", "/api/agent/executions", unchecked=True, body={
                       "site_id": acme.main.site_id, "execution": execution()})]
    for answer in answers:
        assert answer.status in (500, 503), answer
        assert answer.media_type == "application/problem+json"
    assert acme.find(candidate["pattern_signature"])["approval_status"] == "not_submitted"
    expect(200, acme.api.get(LEARNING + "/stats"))


def test_p37_a_database_that_keeps_one_waiting_is_503_and_later_is_soon(acme, owner):
    """The client's check asks for Retry-After; reading goes on meanwhile, and nothing is left half done."""
    candidate = acme.new_candidate()
    with owner.pattern_is_locked(candidate["pattern_signature"]):
        refused = expect(503, acme.api.approve(candidate["id"]))
        assert "try again" in refused["detail"]
        assert acme.find(candidate["pattern_signature"])["approval_status"] == "not_submitted"
    expect(200, acme.api.approve(candidate["id"]))


def test_p37_a_connection_that_turned_read_only_is_given_up_for_one_that_writes(acme, owner):
    rule_id = acme.new_rule()[0]["rule_id"]
    with owner.connections_are_read_only("flywheel_decide"):
        for _ in range(3):
            expect(503, acme.api.set_status(rule_id, "disabled"))
    expect(200, acme.api.set_status(rule_id, "disabled"))
