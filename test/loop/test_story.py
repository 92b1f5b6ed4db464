"""The loop as a story, with real agents: five healings by the planner, a decision, and the sixth is healed by the rule."""

import pytest

from box import Clinic, healed, incident_of


@pytest.fixture
def clinic(server, partner, quickstart, tmp_path):
    """Of a partner of its own: this story counts."""
    return Clinic(server, partner, quickstart, tmp_path, boxes=2)


def test_five_healings_by_two_appliances_become_a_rule_and_the_sixth_incident_is_healed_by_it(clinic, partner, deliveries):
    one, two = clinic.boxes
    seen = [incident_of("windows_service", host=f"ws-{number}") for number in range(5)]
    assert one.heals(seen[0]) is None, "nobody knows a rule yet"

    one.record(*map(healed, seen[:3]))
    two.record(*map(healed, seen[3:]))
    one.sync()
    assert partner.api.candidates()["candidates"] == [], "three are too few"
    two.sync()
    candidates = partner.api.candidates()["candidates"]
    assert [(found["total_occurrences"], found["l2_resolutions"], found["success_rate"]) for found in candidates] == [(5, 5, 1)]
    candidate = candidates[0]
    assert candidate["recommended_action"] == "RB-WIN-SERVICES-001"
    before = partner.api.stats()
    assert (before["pending_candidates"], before["total_executions_30d"], before["l1_resolution_rate"]) == (1, 5, 0)

    approved = partner.api.approve(candidate["id"], notes="Seen at every restart of the server.").json()
    rule_id = approved["rule_id"]
    assert approved["deployed_to"] == 2
    assert partner.api.rule(rule_id)["acknowledged_count"] == 0
    one.sync()
    assert partner.api.rule(rule_id)["acknowledged_count"] == 1
    two.sync()
    assert partner.api.rule(rule_id)["acknowledged_count"] == 2
    assert set(deliveries.of(clinic.site_id, rule_id).values()) == {"applied"}
    assert one.files() == two.files() == {rule_id: approved["rule_yaml"]}

    sixth = incident_of("windows_service", host="ws-6")
    answer = one.match(sixth)[0]
    assert answer["incident_id"] == sixth["incident_id"] and answer["rule_id"] == rule_id
    assert answer["action"] == "run_windows_runbook" and answer["action_params"]["runbook_id"] == "RB-WIN-SERVICES-001"
    assert one.heals(incident_of("firewall")) is None, "the rule is for what it was made of only"

    one.record(healed(sixth, level="L1", rule_id=rule_id))
    one.sync()
    after = partner.api.stats()
    assert (after["pending_candidates"], after["active_promoted_rules"], after["total_executions_30d"]) == (0, 1, 6)
    assert after["l1_resolution_rate"] == pytest.approx(1 / 6) and after["l2_resolution_rate"] == pytest.approx(5 / 6)
    shown = partner.api.candidate(candidate["id"])
    assert shown["candidate"]["l1_resolutions"] == 1 and shown["candidate"]["total_occurrences"] == 6
    assert shown["execution_history"][0]["resolution_level"] == "L1" and len(shown["execution_history"]) == 6


def test_p26_syncing_again_and_again_counts_and_acknowledges_nothing_twice(clinic, partner, deliveries):
    one = clinic.boxes[0]
    one.record(*[healed(incident_of("windows_service")) for _ in range(5)])
    one.sync()
    rule_id = partner.api.approve(partner.api.candidates()["candidates"][0]["id"]).json()["rule_id"]
    one.sync()
    figures, row, told = partner.api.stats(), deliveries.row(one.appliance_id, rule_id), deliveries.at(one.appliance_id)
    for _ in range(3):
        one.sync()
    assert partner.api.stats() == figures and partner.api.rule(rule_id)["acknowledged_count"] == 1
    assert deliveries.row(one.appliance_id, rule_id) == row
    assert deliveries.at(one.appliance_id)["acknowledged_revision"] == told["acknowledged_revision"]


def test_p20_what_failed_or_went_to_a_person_is_no_success_on_the_way_either(clinic, partner):
    one = clinic.boxes[0]
    one.record(*[healed(incident_of("windows_service")) for _ in range(4)],
               healed(incident_of("windows_service"), success=False),
               healed(incident_of("windows_service"), level="L3"),
               healed(incident_of("windows_service"), success=None))
    one.sync()
    counted = clinic.partner.api.stats()
    assert counted["total_executions_30d"] == 7 and partner.api.candidates()["candidates"] == []
    levels = (counted["l1_resolution_rate"], counted["l2_resolution_rate"], counted["l3_escalation_rate"])
    assert levels == (0, pytest.approx(6 / 7), pytest.approx(1 / 7))
