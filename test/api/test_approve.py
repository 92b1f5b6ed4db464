"""Approving: what it makes, what it refuses, and that it happens once and whole."""

import threading

import pytest
import yaml

from house.client import LEARNING, Caller, expect, pointers
from house.control import control
from house.world import expect_accepted, pattern, signature, unique

HOSTILE_NAMES = [
    'a: b # "c" - d', "no", "1e3", "Größe – 修复 😀", "'", '"', "\\", "- x", "{a: b}", "&a *a", "!tag", "%YAML 1.1",
    "---", "null", "2026-01-02", "</script>", "'; DROP TABLE promoted_rules; --", "x" * 200, "😀" * 200,
]


def approve(partner, candidate, **body):
    return expect(200, partner.api.approve(candidate["id"], **body)).json()


# ---- the rule that is made ----


def test_p1_the_rule_gets_the_runbook_that_the_pattern_recommends(acme):
    candidate = acme.new_candidate(recommended_action="RB-WIN-SERVICES-001", check_type="antivirus")
    rule = yaml.safe_load(approve(acme, candidate)["rule_yaml"])
    assert rule["action_params"]["runbook_id"] == "RB-WIN-SERVICES-001"
    assert rule["action"] == "run_windows_runbook"
    assert rule["conditions"][0]["value"] == "antivirus"


def test_p1_a_linux_runbook_runs_as_one(acme):
    candidate = acme.new_candidate(recommended_action="LIN-DISK-001", check_type="linux_disk_space")
    rule = yaml.safe_load(approve(acme, candidate)["rule_yaml"])
    assert rule["action"] == "run_linux_runbook"
    assert rule["action_params"] == {"runbook_id": "LIN-DISK-001", "phases": ["remediate", "verify"]}


def test_p1_an_actions_name_is_the_action(acme):
    candidate = acme.new_candidate(recommended_action="restart_av_service", check_type="antivirus")
    rule = yaml.safe_load(approve(acme, candidate)["rule_yaml"])
    assert rule["action"] == "restart_av_service"


def test_p1_any_other_recommendation_means_the_check_types_runbook(acme):
    candidate = acme.new_candidate(recommended_action="please_restart_it", check_type="print_spooler")
    rule = yaml.safe_load(approve(acme, candidate)["rule_yaml"])
    assert rule["action_params"]["runbook_id"] == "RB-WIN-SERVICES-001"


def test_without_a_name_the_rule_is_called_after_its_action(acme):
    candidate = acme.new_candidate()
    assert yaml.safe_load(approve(acme, candidate)["rule_yaml"])["name"] == "Auto-promoted: RB-WIN-SERVICES-001"


def test_p10_the_rule_shown_is_the_rule_made_and_the_rule_kept(acme, database):
    candidate = acme.new_candidate()
    detail = acme.api.candidate(candidate["id"], custom_name="Shown under this name")
    answer = approve(acme, candidate, custom_name="Shown under this name", rule_digest=detail["rule_digest"])
    made = yaml.safe_load(answer["rule_yaml"])
    assert made == detail["proposed_rule"]
    assert list(made) == list(detail["proposed_rule"])
    row = database.row("SELECT * FROM promoted_rules WHERE rule_id = %s AND site_id = %s", answer["rule_id"],
                       acme.main.site_id)
    assert row["rule_yaml"] == answer["rule_yaml"]
    assert row["rule_json"] == made
    assert row["rule_id"] == made["id"] == answer["rule_id"]
    assert row["name"] == made["name"]
    assert row["rule_digest"] == detail["rule_digest"]


def test_p10_a_proposal_that_has_changed_since_is_refused(acme):
    candidate = acme.new_candidate(check_type=None, incident_type="service_stopped")
    seen = acme.api.candidate(candidate["id"])["rule_digest"]
    acme.main.appliances[0].push(pattern(candidate["pattern_signature"], total_occurrences=16,
                                         success_count=15, check_type="windows_service"))
    expect(409, acme.api.approve(candidate["id"], rule_digest=seen))
    assert acme.find(candidate["pattern_signature"])["approval_status"] == "not_submitted"
    now = acme.api.candidate(candidate["id"])["rule_digest"]
    assert now != seen
    approve(acme, candidate, rule_digest=now)


def test_p10_the_digest_does_not_depend_on_the_name(acme):
    candidate = acme.new_candidate()
    assert (acme.api.candidate(candidate["id"])["rule_digest"]
            == acme.api.candidate(candidate["id"], custom_name="Other")["rule_digest"])


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=lambda name: ascii(name[:12]))
def test_p11_a_hostile_name_stays_a_name(acme, database, name):
    candidate = acme.new_candidate()
    answer = approve(acme, candidate, custom_name=name)
    rule = yaml.safe_load(answer["rule_yaml"])
    assert rule["name"] == name
    assert rule["action"] == "run_windows_runbook" and rule["enabled"] is True
    assert acme.api.rule(answer["rule_id"])["name"] == name
    row = database.row("SELECT rule_json->>'name' AS name FROM promoted_rules WHERE rule_id = %s AND site_id = %s",
                       answer["rule_id"], acme.main.site_id)
    assert row["name"] == name


def test_a_name_is_trimmed(acme):
    candidate = acme.new_candidate()
    answer = approve(acme, candidate, custom_name="\u00a0  Monday fix\u3000 ")
    assert yaml.safe_load(answer["rule_yaml"])["name"] == "Monday fix"


# ---- rule ids ----


def test_p7_patterns_with_the_same_first_characters_get_rules_of_their_own(acme):
    stem = unique("col").replace("-", "")[:8].ljust(8, "x")
    ids = []
    for tail in ("-one", "-two", "-three"):
        answer, candidate = acme.new_rule(pattern_signature=stem + tail)
        ids.append(answer["rule_id"])
        assert acme.api.rule(answer["rule_id"])["pattern_signature"] == candidate["pattern_signature"]
    assert ids[0] == "L1-PROMOTED-" + stem.upper()
    assert len(set(ids)) == 3
    assert all(rule_id.startswith("L1-PROMOTED-" + stem.upper()) for rule_id in ids)


def test_p7_the_same_signature_at_two_sites_makes_two_rules(acme):
    shared = signature()
    first, _ = acme.new_rule(acme.main, pattern_signature=shared)
    second, _ = acme.new_rule(acme.annex, pattern_signature=shared)
    assert first["rule_id"] == "L1-PROMOTED-" + shared[:8].upper()
    assert second["rule_id"] == first["rule_id"] + "-2"
    assert (first["site_id"], second["site_id"]) == (acme.main.site_id, acme.annex.site_id)


def test_p7_two_partners_may_have_the_same_rule_id(acme, rival):
    shared = signature()
    ours, _ = acme.new_rule(pattern_signature=shared)
    theirs, _ = rival.new_rule(pattern_signature=shared)
    assert ours["rule_id"] == theirs["rule_id"]
    assert acme.api.rule(ours["rule_id"])["site_id"] == acme.main.site_id
    assert rival.api.rule(ours["rule_id"])["site_id"] == rival.main.site_id


# ---- what is refused ----


def test_p9_a_pattern_that_nothing_tells_from_others_is_refused(acme):
    candidate = acme.new_candidate(check_type=None, recommended_action="run_backup_job")
    expect(422, acme.api.approve(candidate["id"]))
    assert acme.find(candidate["pattern_signature"])["approval_status"] == "not_submitted"


def test_p9_of_several_check_types_the_approver_names_one(acme):
    candidate = acme.new_candidate(check_type=None, recommended_action="RB-WIN-SERVICES-001")
    detail = acme.api.candidate(candidate["id"])
    assert set(detail["check_type_choices"]) >= {"windows_service", "print_spooler"}
    expect(422, acme.api.approve(candidate["id"]))
    assert "/check_type" in pointers(expect(422, acme.api.approve(candidate["id"], check_type="firewall")))
    rule = yaml.safe_load(approve(acme, candidate, check_type="print_spooler")["rule_yaml"])
    assert rule["conditions"] == [{"field": "check_type", "operator": "eq", "value": "print_spooler"}]


def test_p9_without_a_check_type_the_incident_type_is_the_condition(acme):
    candidate = acme.new_candidate(check_type=None, incident_type="service_stopped")
    rule = yaml.safe_load(approve(acme, candidate)["rule_yaml"])
    assert rule["conditions"] == [{"field": "incident_type", "operator": "eq", "value": "service_stopped"}]


def test_p9_a_runbook_of_a_single_check_type_gives_the_condition(acme):
    candidate = acme.new_candidate(check_type=None, recommended_action="LIN-DISK-001")
    rule = yaml.safe_load(approve(acme, candidate)["rule_yaml"])
    assert rule["conditions"] == [{"field": "check_type", "operator": "eq", "value": "linux_disk_space"}]


def test_p9_a_runbook_that_is_not_in_the_catalogue_is_refused_by_name(acme):
    candidate = acme.new_candidate(recommended_action="RB-WIN-NOPE-999")
    answer = expect(422, acme.api.approve(candidate["id"]))
    assert "RB-WIN-NOPE-999" in answer["detail"]
    assert acme.api.rule("L1-PROMOTED-" + candidate["pattern_signature"][:8].upper()) is None


def test_a_runbook_added_by_an_operator_can_be_promoted(acme):
    runbook = "RB-WIN-" + unique("T").upper()
    candidate = acme.new_candidate(recommended_action=runbook)
    expect(422, acme.api.approve(candidate["id"]))
    control("runbook", "add", "--runbook-id", runbook, "--title", "Added by a test", "--platform", "windows",
            "--action", "run_windows_runbook", "--risk", "R1")
    rule = yaml.safe_load(approve(acme, candidate)["rule_yaml"])
    assert rule["action_params"]["runbook_id"] == runbook


def test_a_value_that_reads_as_a_boolean_is_refused(acme):
    candidate = acme.new_candidate(check_type="no")
    expect(422, acme.api.approve(candidate["id"]))


def test_an_r3_runbook_is_refused_and_its_tier_is_shown(acme):
    candidate = acme.new_candidate(recommended_action="RB-WIN-SEC-022", check_type="password_policy")
    assert candidate["risk_tier"] == "R3"
    answer = expect(422, acme.api.approve(candidate["id"]))
    assert "R3" in answer["detail"]
    expect(200, acme.api.reject(candidate["id"]))


def test_p18_what_is_no_longer_eligible_cannot_be_approved(acme):
    candidate = acme.new_candidate()
    expect_accepted(acme.main.appliances[0].push(pattern(candidate["pattern_signature"], total_occurrences=30)))
    assert acme.find(candidate["pattern_signature"]) is None
    expect(409, acme.api.approve(candidate["id"]))


@pytest.mark.parametrize("body, pointer", [
    ({"custom_name": ""}, "/custom_name"),
    ({"custom_name": " \u3000"}, "/custom_name"),
    ({"custom_name": "x" * 201}, "/custom_name"),
    ({"custom_name": "a\nb"}, "/custom_name"),
    ({"custom_name": "a\u0085b"}, "/custom_name"),
    ({"custom_name": 5}, "/custom_name"),
    ({"notes": "x" * 2001}, "/notes"),
    ({"notes": "a\u0001b"}, "/notes"),
    ({"notes": ["x"]}, "/notes"),
    ({"deploy_immediately": "yes"}, "/deploy_immediately"),
    ({"deploy_immediately": 1}, "/deploy_immediately"),
    ({"rule_digest": "abc"}, "/rule_digest"),
    ({"check_type": {}}, "/check_type"),
    ({"custom_nam": "x"}, "/custom_nam"),
    ({"Notes": "x"}, "/Notes"),
])
def test_a_wrong_body_is_refused_with_a_pointer(acme, body, pointer):
    candidate = acme.new_candidate()
    assert pointer in pointers(expect(422, acme.api.approve(candidate["id"], **body)))
    assert acme.find(candidate["pattern_signature"])["approval_status"] == "not_submitted"


def test_notes_may_have_2000_characters_and_line_breaks(acme):
    candidate = acme.new_candidate()
    notes = "ä\n" * 1000
    answer = approve(acme, candidate, notes=notes)
    assert acme.api.rule(answer["rule_id"])["notes"].strip() == notes.strip()


def test_an_unknown_candidate_is_404(acme):
    expect(404, acme.api.approve("00000000-0000-4000-8000-000000000000"))
    expect(404, acme.api.approve("not-an-id"))


# ---- once, and whole ----


def test_p2_a_dashboard_approval_has_no_agents_report_and_still_works(acme, database):
    answer, candidate = acme.new_rule()
    row = database.row("SELECT * FROM learning_promotion_candidates WHERE site_id = %s AND pattern_signature = %s",
                       acme.main.site_id, candidate["pattern_signature"])
    assert row["approval_status"] == "approved" and row["approved_by"] and row["approved_at"]
    assert answer["status"] == "approved"


def test_p3_an_approval_leaves_everything_or_nothing(acme, database):
    refused = acme.new_candidate(recommended_action="RB-WIN-NOPE-999")
    expect(422, acme.api.approve(refused["id"]))
    assert database.audit(refused["pattern_signature"]) == []
    assert database.rows("SELECT 1 FROM learning_promotion_candidates WHERE pattern_signature = %s "
                         "AND approval_status = 'approved'", refused["pattern_signature"]) == []
    answer, candidate = acme.new_rule()
    facts = database.row("""
        SELECT (SELECT count(*) FROM learning_promotion_candidates c WHERE c.site_id = r.site_id
                   AND c.pattern_signature = r.pattern_signature AND c.approval_status = 'approved') AS approved,
               (SELECT count(*) FROM promoted_rule_deployments d WHERE d.site_id = r.site_id
                   AND d.rule_id = r.rule_id) AS deployments,
               (SELECT count(*) FROM promotion_audit_log l WHERE l.pattern_signature = r.pattern_signature
                   AND l.action IN ('candidate.approved', 'rule.created')) AS audited,
               (SELECT count(*) FROM promoted_rule_versions v WHERE v.promoted_rule_id = r.id) AS versions
          FROM promoted_rules r WHERE r.site_id = %s AND r.pattern_signature = %s""",
                         acme.main.site_id, candidate["pattern_signature"])
    assert facts == {"approved": 1, "deployments": 2, "audited": 2, "versions": 1}
    assert answer["deployed_to"] == 2


def test_p8_approving_again_is_409_naming_the_rule_and_leaves_it_disabled(acme):
    answer, candidate = acme.new_rule()
    again = expect(409, acme.api.approve(candidate["id"]))
    assert answer["rule_id"] in again["detail"] and "active" in again["detail"]
    expect(200, acme.api.set_status(answer["rule_id"], "disabled"))
    again = expect(409, acme.api.approve(candidate["id"]))
    assert answer["rule_id"] in again["detail"] and "disabled" in again["detail"]
    assert acme.api.rule(answer["rule_id"])["status"] == "disabled"


def test_approving_after_the_rule_was_archived_makes_its_next_version(acme, database):
    answer, candidate = acme.new_rule()
    expect(200, acme.api.set_status(answer["rule_id"], "archived"))
    again = approve(acme, candidate, custom_name="Second thoughts")
    assert again["rule_id"] == answer["rule_id"]
    row = database.row("SELECT version, status, name FROM promoted_rules WHERE site_id = %s AND rule_id = %s",
                       acme.main.site_id, answer["rule_id"])
    assert row == {"version": 2, "status": "active", "name": "Second thoughts"}
    versions = database.rows("""SELECT v.version FROM promoted_rule_versions v JOIN promoted_rules r
        ON r.id = v.promoted_rule_id WHERE r.site_id = %s AND r.rule_id = %s ORDER BY 1""",
                             acme.main.site_id, answer["rule_id"])
    assert [version["version"] for version in versions] == [1, 2]


def in_parallel(count, work):
    """Runs work(0) … work(count-1) at the same moment; their results."""
    results = [None] * count
    barrier = threading.Barrier(count)

    def run(index):
        barrier.wait()
        results[index] = work(index)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_p4_a_hundred_pairs_of_simultaneous_approvals_make_a_hundred_rules(partner, server, database):
    patterns = [pattern() for _ in range(100)]
    expect_accepted(partner.main.appliances[0].push(*patterns))
    candidates = partner.api.candidates(limit=200)["candidates"]
    assert len(candidates) == 100
    callers = [Caller(server, key=partner.api.key), partner.sign_in("approver")]
    winners = losers = 0
    for candidate in candidates:
        answers = in_parallel(2, lambda who, chosen=candidate: callers[who].approve(chosen["id"]))
        assert sorted(answer.status for answer in answers) == [200, 409], answers
        won, lost = sorted(answers, key=lambda answer: answer.status)
        assert won["rule_id"] in lost["detail"], lost
        winners += 1
        losers += 1
    assert (winners, losers) == (100, 100)
    assert partner.api.stats()["active_promoted_rules"] == 100
    assert partner.api.stats()["pending_candidates"] == 0
    count = database.row("SELECT count(*) AS rules, count(DISTINCT rule_id) AS ids FROM promoted_rules WHERE site_id = %s",
                         partner.main.site_id)
    assert count == {"rules": 100, "ids": 100}


def test_p4_colliding_ids_approved_at_once_stay_apart(partner, server):
    stem = unique("race").replace("-", "")[:8].ljust(8, "y")
    patterns = [pattern(f"{stem}.{number}") for number in range(8)]
    expect_accepted(partner.main.appliances[0].push(*patterns))
    ids = [partner.find(stats["pattern_signature"])["id"] for stats in patterns]
    callers = [Caller(server, key=partner.api.key) for _ in ids]
    answers = in_parallel(len(ids), lambda who: callers[who].approve(ids[who]))
    rule_ids = [expect(200, answer)["rule_id"] for answer in answers]
    assert len(set(rule_ids)) == len(ids)


def test_p4_approving_and_rejecting_at_once_leaves_one_decision(partner, server, database):
    callers = [Caller(server, key=partner.api.key), Caller(server, key=partner.api.key)]
    for _ in range(20):
        candidate = partner.new_candidate()
        approved, rejected = in_parallel(
            2, lambda who, chosen=candidate: callers[0].approve(chosen["id"]) if who == 0
            else callers[1].reject(chosen["id"]))
        assert approved.status == 200, approved  # approving a rejected one is allowed
        assert rejected.status in (200, 409), rejected
        assert partner.find(candidate["pattern_signature"])["approval_status"] == "approved"


# ---- delivery ----


def test_p6_deployed_to_counts_the_appliances_that_were_told(acme, database):
    answer, _ = acme.new_rule(acme.annex)
    assert answer["deployed_to"] == 1
    rows = database.rows("SELECT appliance_id, deployment_status FROM promoted_rule_deployments WHERE site_id = %s "
                         "AND rule_id = %s", acme.annex.site_id, answer["rule_id"])
    assert [row["appliance_id"] for row in rows] == [acme.annex.appliances[0].appliance_id]
    assert rows[0]["deployment_status"] == "pending"


def test_p6_a_revoked_appliance_is_not_counted(partner):
    site = partner.new_site(3)
    candidate = partner.new_candidate(site)
    control("appliance", "revoke", "--appliance-id", site.appliances[2].appliance_id)
    assert expect(200, partner.api.approve(candidate["id"]))["deployed_to"] == 2


def test_p6_a_site_whose_appliances_are_gone_says_so(partner):
    site = partner.new_site(1)
    candidate = partner.new_candidate(site)
    control("appliance", "revoke", "--appliance-id", site.appliances[0].appliance_id)
    answer = expect(200, partner.api.approve(candidate["id"]))
    assert answer["deployed_to"] == 0
    assert "no appliance" in answer["message"].lower()


def test_a_rule_can_be_held_back_and_sent_later(acme, database):
    candidate = acme.new_candidate()
    answer = approve(acme, candidate, deploy_immediately=False)
    assert answer["deployed_to"] == 0
    listed = acme.api.rule(answer["rule_id"])
    assert (listed["status"], listed["deployment_count"], listed["last_deployed_at"]) == ("active", 0, None)
    sent = expect(200, acme.api.deploy(listed["id"]))
    assert sent["deployed_to"] == 2
    listed = acme.api.rule(answer["rule_id"])
    assert listed["deployment_count"] == 2 and listed["last_deployed_at"] is not None
    assert [row["action"] for row in database.audit(candidate["pattern_signature"])].count("rule.deployed") == 1


def test_only_an_active_rule_can_be_sent(acme):
    answer, _ = acme.new_rule()
    expect(200, acme.api.set_status(answer["rule_id"], "disabled"))
    expect(409, acme.api.deploy(answer["rule_id"]))
    expect(404, acme.api.deploy("L1-PROMOTED-NOBODYS"))


# ---- idempotency ----


def test_p38_the_same_request_again_is_answered_the_same_and_changes_nothing(acme, database):
    candidate = acme.new_candidate()
    path = f"{LEARNING}/candidates/{candidate['id']}/approve"
    headers = {"Idempotency-Key": unique("idem")}
    first = expect(200, acme.api.post(path, {"custom_name": "Once"}, headers=headers))
    again = expect(200, acme.api.post(path, {"custom_name": "Once"}, headers=headers))
    assert again.body == first.body
    audited = [row["action"] for row in database.audit(candidate["pattern_signature"])]
    assert audited.count("candidate.approved") == 1
    assert acme.api.rule(first["rule_id"])["deployment_count"] == 2


def test_p38_the_same_key_with_another_body_is_422(acme):
    candidate = acme.new_candidate()
    path = f"{LEARNING}/candidates/{candidate['id']}/approve"
    headers = {"Idempotency-Key": unique("idem")}
    expect(200, acme.api.post(path, {"custom_name": "One"}, headers=headers))
    expect(422, acme.api.post(path, {"custom_name": "Two"}, headers=headers))


def test_p38_the_same_key_on_another_path_is_422(acme):
    one, two = acme.new_candidate(), acme.new_candidate()
    headers = {"Idempotency-Key": unique("idem")}
    expect(200, acme.api.post(f"{LEARNING}/candidates/{one['id']}/approve", {}, headers=headers))
    expect(422, acme.api.post(f"{LEARNING}/candidates/{two['id']}/approve", {}, headers=headers))
    assert acme.find(two["pattern_signature"])["approval_status"] == "not_submitted"


def test_p38_a_refusal_is_replayed_too(acme):
    candidate = acme.new_candidate()
    expect(200, acme.api.approve(candidate["id"]))
    headers = {"Idempotency-Key": unique("idem")}
    path = f"{LEARNING}/candidates/{candidate['id']}/reject"
    first = expect(409, acme.api.post(path, {"reason": "Too late for this one"}, headers=headers))
    again = expect(409, acme.api.post(path, {"reason": "Too late for this one"}, headers=headers))
    assert again["detail"] == first["detail"]


def test_p38_keys_of_different_callers_do_not_meet(acme, server):
    one, two = acme.new_candidate(), acme.new_candidate()
    other = acme.new_key("read,decide")
    headers = {"Idempotency-Key": unique("idem")}
    expect(200, acme.api.post(f"{LEARNING}/candidates/{one['id']}/approve", {}, headers=headers))
    expect(200, other.post(f"{LEARNING}/candidates/{two['id']}/approve", {}, headers=headers))


def test_p38_two_identical_requests_at_once_make_one_change(acme, server, database):
    callers = [Caller(server, key=acme.api.key) for _ in range(4)]
    for _ in range(10):
        candidate = acme.new_candidate()
        headers = {"Idempotency-Key": unique("idem")}
        path = f"{LEARNING}/candidates/{candidate['id']}/approve"
        answers = in_parallel(4, lambda who, where=path, extra=headers: callers[who].post(where, {}, headers=extra))
        assert all(answer.status == 200 for answer in answers), answers
        assert len({answer.body for answer in answers}) == 1
        audited = [row["action"] for row in database.audit(candidate["pattern_signature"])]
        assert audited.count("candidate.approved") == 1


@pytest.mark.parametrize("key", ["x" * 256, "a\u007fb"])
def test_p38_an_unusable_idempotency_key_is_refused(acme, key):
    candidate = acme.new_candidate()
    answer = acme.api.post(f"{LEARNING}/candidates/{candidate['id']}/approve", {}, headers={"Idempotency-Key": key})
    assert answer.status in (400, 422), answer
    assert acme.find(candidate["pattern_signature"])["approval_status"] == "not_submitted"
