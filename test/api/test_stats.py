"""Figures: sums, rates, windows."""

from house.client import LEARNING, ago, expect
from house.world import execution, expect_accepted, pattern, signature

MEMBERS = ("pending_candidates", "active_promoted_rules", "total_executions_30d", "l1_resolution_rate",
           "l2_resolution_rate", "l3_escalation_rate", "avg_success_rate")


def stored(database, site, stats):
    return database.row("SELECT * FROM aggregated_pattern_stats WHERE site_id = %s AND pattern_signature = %s",
                        site.site_id, stats["pattern_signature"])


def test_p15_a_partner_without_incidents_has_no_rates_rather_than_zero(partner):
    stats = partner.api.stats()
    assert {member: stats[member] for member in MEMBERS} == {
        "pending_candidates": 0, "active_promoted_rules": 0, "total_executions_30d": 0, "l1_resolution_rate": None,
        "l2_resolution_rate": None, "l3_escalation_rate": None, "avg_success_rate": None}


def test_p15_rates_are_fractions(partner):
    expect_accepted(partner.main.appliances[0].push(
        pattern(total_occurrences=10, l1_resolutions=4, l2_resolutions=5, l3_resolutions=1, success_count=9)))
    stats = partner.api.stats()
    assert (stats["l1_resolution_rate"], stats["l2_resolution_rate"], stats["l3_escalation_rate"]) == (0.4, 0.5, 0.1)
    assert stats["avg_success_rate"] == 0.9


def test_p14_sums_are_not_multiplied_by_rules_sites_or_appliances(partner):
    """100 occurrences in 5 patterns, of which 3 become rules with 2 appliances each, and 4 executions each."""
    patterns = [pattern(total_occurrences=20, l1_resolutions=2, l2_resolutions=15, l3_resolutions=3, success_count=19)
                for _ in range(5)]
    expect_accepted(partner.main.appliances[0].push(*patterns))
    before = partner.api.stats()
    for stats in patterns[:3]:
        expect(200, partner.api.approve(partner.find(stats["pattern_signature"])["id"]))
    expect_accepted(partner.main.appliances[1].report(
        *[execution(pattern_signature=stats["pattern_signature"]) for stats in patterns for _ in range(4)]))
    after = partner.api.stats()
    for member in ("l1_resolution_rate", "l2_resolution_rate", "l3_escalation_rate", "avg_success_rate"):
        assert after[member] == before[member]
    assert (after["l1_resolution_rate"], after["l2_resolution_rate"], after["l3_escalation_rate"]) == (0.1, 0.75, 0.15)
    assert after["active_promoted_rules"] == 3
    assert after["pending_candidates"] == 2
    assert after["total_executions_30d"] == 20


def test_p14_the_view_agrees_with_the_api(partner, database):
    patterns = [pattern(total_occurrences=20, l1_resolutions=3, success_count=19) for _ in range(4)]
    expect_accepted(partner.main.appliances[0].push(*patterns))
    for stats in patterns[:2]:
        expect(200, partner.api.approve(partner.find(stats["pattern_signature"])["id"]))
    row = database.row("""SELECT v.* FROM v_partner_learning_stats v JOIN partners p ON p.id = v.partner_id
                           WHERE p.slug = %s""", partner.slug)
    assert (row["total_incidents"], row["total_l1_resolutions"], row["active_promoted_rules"]) == (80, 12, 2)


def test_the_average_success_rate_is_the_mean_over_eligible_patterns(partner):
    expect_accepted(partner.main.appliances[0].push(
        pattern(total_occurrences=10, l2_resolutions=8, success_count=10),
        pattern(total_occurrences=100, l2_resolutions=8, success_count=90),
        pattern(total_occurrences=100, l2_resolutions=8, success_count=10)))
    assert round(partner.api.stats()["avg_success_rate"], 6) == 0.95


def test_p16_executions_of_30_days_leave_out_older_ones(partner):
    expect_accepted(partner.main.appliances[0].report(
        execution(started_at=ago(minutes=2), completed_at=ago(minutes=1)),
        execution(started_at=ago(days=28, hours=1), completed_at=ago(days=28)),
        execution(started_at=ago(days=32, hours=1), completed_at=ago(days=32)),
        execution(started_at=ago(days=80, hours=1), completed_at=ago(days=80))))
    assert partner.api.stats()["total_executions_30d"] == 2
    assert partner.api.history()["total"] == 4


def test_p17_a_sites_totals_are_the_sum_over_its_appliances(partner, database):
    one, two = partner.main.appliances
    shared = signature()
    for appliance, total in ((one, 4), (two, 4), (one, 4)):
        expect_accepted(appliance.push(pattern(shared, total_occurrences=total, l2_resolutions=3, l3_resolutions=0,
                                               success_count=4, total_resolution_time_ms=4000)))
    row = stored(database, partner.main, {"pattern_signature": shared})
    assert (row["total_occurrences"], row["l2_resolutions"], row["success_count"]) == (8, 6, 8)
    assert partner.find(shared)["avg_resolution_time_ms"] == 1000
    expect_accepted(two.push(pattern(shared, total_occurrences=6, l2_resolutions=5, l3_resolutions=0,
                                     success_count=6, total_resolution_time_ms=6000)))
    assert partner.find(shared)["total_occurrences"] == 10


def test_p17_an_older_push_changes_nothing(partner):
    appliance = partner.main.appliances[0]
    candidate = partner.new_candidate(total_occurrences=20, success_count=19)
    expect_accepted(appliance.push(pattern(candidate["pattern_signature"], total_occurrences=10, l2_resolutions=5,
                                           success_count=9)))
    assert partner.find(candidate["pattern_signature"])["total_occurrences"] == 20


def test_p18_the_agents_own_claim_is_ignored(partner, database):
    claims = pattern(total_occurrences=4, l2_resolutions=3, success_count=4, l3_resolutions=0, promotion_eligible=True)
    modest = pattern(promotion_eligible=False)
    expect_accepted(partner.main.appliances[0].push(claims, modest))
    assert partner.find(claims["pattern_signature"]) is None
    assert partner.find(modest["pattern_signature"]) is not None


def test_p18_eligibility_needs_5_occurrences_3_by_l2_90_percent_and_an_action(partner):
    border = dict(total_occurrences=10, l2_resolutions=3, l3_resolutions=0, success_count=9)
    good = pattern(**border)
    bad = [pattern(**{**border, "total_occurrences": 4, "success_count": 4}),
           pattern(**{**border, "l2_resolutions": 2}), pattern(**{**border, "success_count": 8}),
           pattern(**border, recommended_action=None), pattern(**border, recommended_action="escalate")]
    answer = expect_accepted(partner.main.appliances[0].push(good, *bad))
    assert answer["rejected"] == []
    assert [c["pattern_signature"] for c in partner.api.candidates()["candidates"]] == [good["pattern_signature"]]


def test_p18_eligibility_is_revoked_when_success_falls_and_comes_back(partner):
    appliance = partner.main.appliances[0]
    candidate = partner.new_candidate()
    assert partner.api.stats()["pending_candidates"] == 1
    expect_accepted(appliance.push(pattern(candidate["pattern_signature"], total_occurrences=30, success_count=15)))
    assert partner.find(candidate["pattern_signature"]) is None
    assert partner.api.stats()["pending_candidates"] == 0
    assert partner.api.stats()["avg_success_rate"] is None
    expect_accepted(appliance.push(pattern(candidate["pattern_signature"], total_occurrences=300, success_count=285,
                                           l2_resolutions=200)))
    assert partner.find(candidate["pattern_signature"])["id"] == candidate["id"]


def test_p20_a_missing_success_and_an_escalation_are_no_success(partner, database):
    reports = {
        "silent": execution(success=None, status=None, verification_passed=None),
        "escalated": execution(success=True, resolution_level="L3", runbook_id="L2-escalate", status="escalated"),
        "good": execution(),
        "bad": execution(success=False, status="failed"),
    }
    expect_accepted(partner.main.appliances[0].report(*reports.values()))
    shown = {entry["execution_id"]: entry["success"] for entry in partner.api.history()["executions"]}
    assert shown[reports["silent"]["execution_id"]] is not True
    assert shown[reports["escalated"]["execution_id"]] is not True
    assert shown[reports["good"]["execution_id"]] is True
    assert shown[reports["bad"]["execution_id"]] is False
    row = database.row("""SELECT sum(executions)::int AS executions, sum(successes)::int AS successes
                            FROM site_daily_executions WHERE site_id = %s""", partner.main.site_id)
    assert row == {"executions": 4, "successes": 1}


def test_stats_that_have_not_changed_are_304(partner):
    first = expect(200, partner.api.get(LEARNING + "/stats"))
    expect(304, partner.api.call("GET", LEARNING + "/stats", headers={"If-None-Match": first.headers["ETag"]}))
    partner.new_candidate()
    expect(200, partner.api.call("GET", LEARNING + "/stats", headers={"If-None-Match": first.headers["ETag"]}))


def test_stats_take_no_parameters(acme):
    expect(400, acme.api.get(LEARNING + "/stats", days="30"))
