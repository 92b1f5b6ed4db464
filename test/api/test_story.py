"""The story of the issue, by HTTP: reported, shown, approved, listed, counted, queued, audited."""

import yaml

from house.client import expect
from house.world import expect_accepted, pattern

SPOOLER = "print-spooler-restart"


def test_an_approved_pattern_becomes_a_rule_that_is_listed_counted_queued_and_audited(partner, database):
    one, two = partner.main.appliances
    expect_accepted(one.push(pattern(SPOOLER, total_occurrences=9, l2_resolutions=7, success_count=9,
                                     l3_resolutions=0)))
    expect_accepted(two.push(pattern(SPOOLER, total_occurrences=6, l2_resolutions=5, success_count=5)))
    browser = partner.sign_in("approver")

    before = browser.stats()
    assert before["pending_candidates"] == 1
    candidate = partner.find(SPOOLER)
    assert (candidate["total_occurrences"], candidate["l2_resolutions"]) == (15, 12)
    assert round(candidate["success_rate"], 4) == round(14 / 15, 4)
    assert candidate["approval_status"] == "not_submitted"

    detail = browser.candidate(candidate["id"], custom_name="Print Spooler Auto-Restart")
    approval = expect(200, browser.approve(candidate["id"], custom_name="Print Spooler Auto-Restart",
                                           notes="Seen every Monday.\nAgreed with the clinic.",
                                           rule_digest=detail["rule_digest"])).json()
    assert approval["status"] == "approved"
    assert approval["rule_id"] == "L1-PROMOTED-PRINT-SP"
    assert approval["pattern_signature"] == SPOOLER
    assert approval["site_id"] == partner.main.site_id
    assert approval["deployed_to"] == 2
    assert "2" in approval["message"]
    rule = yaml.safe_load(approval["rule_yaml"])
    assert rule == detail["proposed_rule"]
    assert rule["name"] == "Print Spooler Auto-Restart"
    assert rule["description"] == "Promoted from L2 with 93% success rate over 15 occurrences"
    assert rule["conditions"] == [{"field": "check_type", "operator": "eq", "value": "windows_service"}]

    after = browser.stats()
    assert after["pending_candidates"] == before["pending_candidates"] - 1
    assert after["active_promoted_rules"] == before["active_promoted_rules"] + 1
    assert partner.find(SPOOLER)["approval_status"] == "approved"
    listed = browser.rule("L1-PROMOTED-PRINT-SP")
    assert listed["status"] == "active"
    assert listed["site_name"] == partner.main.name
    assert (listed["deployment_count"], listed["acknowledged_count"]) == (2, 0)
    assert listed["notes"] == "Seen every Monday.\nAgreed with the clinic."

    expect(200, browser.set_status(listed["id"], "disabled"))
    assert browser.stats()["active_promoted_rules"] == before["active_promoted_rules"]
    expect(200, browser.set_status("L1-PROMOTED-PRINT-SP", "active"))
    assert browser.stats()["active_promoted_rules"] == before["active_promoted_rules"] + 1

    log = [row for row in database.audit(SPOOLER) if str(row["partner_id"]) == partner_id(partner)]
    actions = [row["action"] for row in log]
    for action in ("candidate.approved", "rule.created", "rule.disabled", "rule.enabled"):
        assert actions.count(action) == 1, actions
    assert actions.index("rule.disabled") < actions.index("rule.enabled")
    for row in log:
        assert row["actor_kind"] == "user" and "@example.com" in row["actor"]
        assert row["request_id"] and row["site_id"] == partner.main.site_id
        assert row["after"] is not None


def partner_id(partner):
    return partner.api.get("/api/partners/me")["id"]


def test_the_demonstration_has_something_to_show_in_every_view(demo):
    stats = demo.stats()
    assert stats["pending_candidates"] > 5
    assert stats["total_executions_30d"] > 100
    assert stats["l1_resolution_rate"] > stats["l2_resolution_rate"] > stats["l3_escalation_rate"]
    assert demo.candidates()["total"] > 5
    assert demo.history()["total"] > 100
    assert len(demo.get("/api/partners/me/sites").json()["sites"]) >= 4


def test_the_demonstration_has_the_print_spooler_pattern(demo):
    found = demo.candidates(site_id="north-valley-dental", q=SPOOLER)["candidates"]
    assert len(found) == 1
    candidate = found[0]
    assert (candidate["total_occurrences"], candidate["l2_resolutions"]) == (15, 12)
    assert candidate["recommended_action"] == "RB-WIN-SERVICES-001"
    assert round(candidate["success_rate"], 4) == round(14 / 15, 4)
