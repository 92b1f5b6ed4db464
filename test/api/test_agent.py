"""What appliances report: pattern counters and executions."""

import json

import pytest

from house.client import Caller, ago, expect
from house.control import control
from house.world import execution, expect_accepted, pattern, signature, unique

PUSH = "/api/agent/sync/pattern-stats"
REPORT = "/api/agent/executions"


# ---- pattern counters ----


def test_a_push_is_counted_as_new_then_as_known(acme):
    appliance = acme.main.appliances[0]
    one, two = pattern(), pattern()
    answer = expect_accepted(appliance.push(one, two)).json()
    assert (answer["accepted"], answer["merged"], answer["rejected"]) == (2, 0, [])
    assert answer["server_time"].endswith("Z")
    answer = expect_accepted(appliance.push(one, two, pattern())).json()
    assert (answer["accepted"], answer["merged"]) == (1, 2)
    answer = expect_accepted(acme.main.appliances[1].push(one)).json()
    assert (answer["accepted"], answer["merged"]) == (1, 0)


def test_p17_repeating_a_push_changes_nothing(acme):
    last_seen = ago(hours=1)
    candidate = acme.new_candidate(last_seen=last_seen)
    before = acme.find(candidate["pattern_signature"])
    for _ in range(3):
        expect_accepted(acme.main.appliances[0].push(pattern(candidate["pattern_signature"], last_seen=last_seen)))
    assert acme.find(candidate["pattern_signature"]) == before


def test_an_empty_push_is_fine(acme):
    answer = expect_accepted(acme.main.appliances[0].push())
    assert (answer["accepted"], answer["merged"], answer["rejected"]) == (0, 0, [])


BAD_PATTERNS = [
    {"total_occurrences": -1}, {"l2_resolutions": -5}, {"success_count": 16}, {"l2_resolutions": 20},
    {"total_occurrences": 2**31}, {"total_occurrences": 2**63}, {"total_occurrences": 1e300},
    {"total_occurrences": 1.5}, {"total_occurrences": "15"}, {"total_occurrences": None}, {"total_resolution_time_ms": -1},
    {"success_count": True}, {"success_count": [1]}, {"pattern_signature": ""}, {"pattern_signature": "x" * 65},
    {"pattern_signature": "a b"}, {"pattern_signature": "a'; DROP TABLE sites"}, {"pattern_signature": None},
    {"pattern_signature": 5}, {"check_type": "Firewall"}, {"check_type": "x" * 65}, {"check_type": "a b"},
    {"incident_type": "é"}, {"last_seen": "yesterday"}, {"last_seen": "2026-02-30T00:00:00Z"}, {"last_seen": 5},
    {"recommended_action": "x" * 2000}, {"recommended_action": {}},
]


@pytest.mark.parametrize("wrong", BAD_PATTERNS, ids=lambda wrong: ascii(wrong)[:40])
def test_p5_p18_one_bad_element_is_reported_and_does_not_lose_the_others(acme, wrong):
    before, after = pattern(), pattern()
    bad = pattern()
    bad.update(wrong)
    answer = expect_accepted(acme.main.appliances[0].push(before, bad, after)).json()
    assert answer["accepted"] == 2
    assert [entry["index"] for entry in answer["rejected"]] == [1]
    assert len(answer["rejected"][0]["detail"]) > 10
    assert acme.find(before["pattern_signature"]) and acme.find(after["pattern_signature"])


def test_p5_an_element_that_is_no_object_is_reported(acme):
    good = pattern()
    answer = expect_accepted(acme.main.appliances[0].push(5, None, "x", [], good)).json()
    assert [entry["index"] for entry in answer["rejected"]] == [0, 1, 2, 3]
    assert answer["accepted"] == 1


def test_p5_the_same_pattern_twice_in_a_push_is_not_counted_twice(acme):
    stats = pattern()
    expect_accepted(acme.main.appliances[0].push(stats, dict(stats)))
    assert acme.find(stats["pattern_signature"])["total_occurrences"] == 15


def test_p18_the_largest_counters_are_stored_and_summed(partner, database):
    largest = 2**31 - 1
    shared = signature()
    for appliance in partner.main.appliances:
        answer = expect_accepted(appliance.push(pattern(
            shared, total_occurrences=largest, l2_resolutions=largest, l3_resolutions=0, success_count=largest)))
        assert answer["rejected"] == []
    assert partner.find(shared)["total_occurrences"] == 2 * largest
    assert partner.api.stats()["l2_resolution_rate"] == 1


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_p18_nan_is_no_counter_and_harms_no_other_element(acme, word):
    """Python's writer prints NaN, which is no JSON; sent back it would come again for ever."""
    appliance, good, bad = acme.main.appliances[0], pattern(), pattern(total_occurrences=0)
    body = json.dumps({"site_id": acme.main.site_id, "appliance_id": appliance.appliance_id, "pattern_stats": [bad, good]})
    body = body.replace('"total_occurrences": 0', f'"total_occurrences": {word}')
    answer = expect_accepted(appliance.caller.call("POST", PUSH, raw=body, headers={"Content-Type": "application/json"}))
    assert [entry["index"] for entry in answer["rejected"]] == [0] and answer["accepted"] == 1
    assert acme.find(bad["pattern_signature"]) is None and acme.find(good["pattern_signature"])


def raw_report(acme, report, old, new):
    body = json.dumps({"site_id": acme.main.site_id, "execution": report}).encode()
    assert old in body
    return acme.main.appliances[0].caller.call("POST", REPORT, raw=body.replace(old, new),
                                               headers={"Content-Type": "application/json"})


@pytest.mark.parametrize("old, new", [
    (b'"confidence": 0.9', b'"confidence": NaN'), (b'"hostname": "front', b'"hostname": "\xff\xfe front'),
    (b'"hostname": "front', b'"hostname": "a\x00b front'), (b'"hostname": "front', b'"hostname": "\\u0000 front'),
    (b'"hostname": "front', b'"hostname": "\\ud800 front'), (b'"hostname": "front', b'"hostname": "tab\tand\nline front'),
], ids=ascii)
def test_an_execution_whose_text_is_slightly_broken_is_stored(acme, old, new):
    report = execution()
    assert expect_accepted(raw_report(acme, report, old, new))["status"] == "recorded"
    assert report["execution_id"] in {entry["execution_id"] for entry in acme.api.history(limit=200)["executions"]}


def test_megabytes_of_broken_bytes_are_stored_or_refused_and_the_handler_lives(acme):
    for junk in (b"\xff" * 8000000, b"\\ud800" * 1300000, b"\x01" * 8000000):
        answer = raw_report(acme, execution(error_message="JUNK"), b"JUNK", junk)
        assert answer.status in (200, 400, 413), answer
    expect_accepted(acme.main.appliances[0].report(execution()))


def test_a_batch_of_thousands_of_executions_is_taken(partner):
    reports = [execution() for _ in range(5000)]
    answer = expect_accepted(partner.main.appliances[0].report(*reports))
    assert [result["status"] for result in answer["results"]] == ["recorded"] * 5000
    assert partner.api.stats()["total_executions_30d"] == 5000


def test_p19_a_signature_of_64_characters_is_kept_whole(acme, database):
    long = ("a1b2:c3.d4_e5-" * 5)[:63] + "Z"
    assert len(long) == 64
    candidate = acme.new_candidate(pattern_signature=long)
    assert candidate["pattern_signature"] == long
    answer = expect(200, acme.api.approve(candidate["id"]))
    assert answer["pattern_signature"] == long
    for table in ("aggregated_pattern_stats", "appliance_pattern_stats", "learning_promotion_candidates",
                  "promoted_rules", "promotion_audit_log"):
        assert database.rows(f"SELECT 1 FROM {table} WHERE pattern_signature = %s", long), table


def test_p18_figures_of_different_appliances_may_differ_in_what_they_say(acme):
    """One appliance knows the check type, another does not: what is known is not forgotten."""
    one, two = acme.main.appliances
    shared = signature()
    expect_accepted(one.push(pattern(shared, check_type="antivirus")))
    expect_accepted(two.push(pattern(shared, check_type=None)))
    rule = acme.api.candidate(acme.find(shared)["id"])["proposed_rule"]
    assert rule["conditions"][0]["value"] == "antivirus"


def test_unknown_members_are_ignored(acme):
    stats = pattern()
    stats["confidence_trend"] = {"deep": [1, 2, {"x": None}]}
    answer = expect_accepted(acme.main.appliances[0].push(stats, agent_version="9.9"))
    assert answer["rejected"] == []


@pytest.mark.parametrize("body", [
    {}, {"site_id": "@site"}, {"site_id": "@site", "appliance_id": "@box"},
    {"site_id": "@site", "appliance_id": "@box", "pattern_stats": {}},
    {"site_id": "@site", "appliance_id": "@box", "pattern_stats": "x"},
    {"site_id": 5, "appliance_id": "@box", "pattern_stats": []},
])
def test_a_push_without_its_members_is_422(acme, body):
    appliance = acme.main.appliances[0]
    real = {"@site": acme.main.site_id, "@box": appliance.appliance_id}
    filled = {name: real.get(value, value) if isinstance(value, str) else value for name, value in body.items()}
    answer = appliance.caller.post(PUSH, filled)
    assert answer.status in (403, 422) if not isinstance(filled.get("site_id"), str) else answer.status == 422, answer


def test_without_a_token_it_is_401(nobody, acme, server):
    expect(401, nobody.post(PUSH, {}))
    expect(401, nobody.post(REPORT, {}))
    expect(401, Caller(server, token="wrong").post(PUSH, {}))
    expect(401, nobody.call("POST", PUSH, body={}, headers={"Authorization": "Basic eDp5"}))


def test_a_revoked_appliance_is_401(partner):
    site = partner.new_site(1)
    appliance = site.appliances[0]
    expect_accepted(appliance.push(pattern()))
    control("appliance", "revoke", "--appliance-id", appliance.appliance_id)
    expect(401, appliance.push(pattern()))
    expect(401, appliance.report(execution()))


def test_a_push_of_thousands_of_patterns_is_taken_at_once(partner):
    answer = expect_accepted(partner.annex.appliances[0].push(*[pattern() for _ in range(3000)]))
    assert answer["accepted"] == 3000 and answer["rejected"] == []
    assert partner.api.candidates()["total"] == 3000


def test_two_appliances_pushing_at_once_do_not_block_each_other(partner):
    from test_approve import in_parallel
    shared = [signature() for _ in range(60)]
    one, two = partner.main.appliances

    def push(who):
        order = shared if who == 0 else shared[::-1]
        return [(one, two)[who].push(*[pattern(name) for name in order]).status for _ in range(5)]

    for statuses in in_parallel(2, push):
        assert set(statuses) <= {200, 201}
    assert all(candidate["total_occurrences"] == 30
               for candidate in partner.api.candidates(limit=200)["candidates"])


# ---- agents in the field ----


def test_an_old_agents_pattern_without_a_check_type_gets_the_one_its_signature_says(acme):
    """`6c4a6b5b711abb80` is the signature of {type: firewall, check_type: firewall}."""
    site = acme.new_site(1)
    candidate = acme.new_candidate(site, pattern_signature="6c4a6b5b711abb80", check_type=None,
                                   recommended_action="RB-WIN-FIREWALL-001")
    rule = acme.api.candidate(candidate["id"])["proposed_rule"]
    assert rule["conditions"] == [{"field": "check_type", "operator": "eq", "value": "firewall"}]
    assert rule["id"].startswith("L1-PROMOTED-6C4A6B5B")


def test_an_old_agents_push_is_accepted_as_it_is(acme):
    appliance = acme.main.appliances[0]
    stats = {"pattern_signature": signature(), "total_occurrences": 6, "l1_resolutions": 0, "l2_resolutions": 6,
             "l3_resolutions": 0, "success_count": 6, "total_resolution_time_ms": 6000.0,
             "last_seen": ago(hours=1)[:-1] + ".123456+00:00", "recommended_action": "restart_av_service",
             "promotion_eligible": True}
    answer = expect_accepted(appliance.caller.post(
        PUSH, {"site_id": acme.main.site_id, "appliance_id": appliance.appliance_id,
               "synced_at": ago(hours=1)[:-1] + ".123456+00:00", "pattern_stats": [stats]},
        headers={"X-Site-ID": acme.main.site_id}))
    assert answer["rejected"] == []
    assert acme.find(stats["pattern_signature"])


def test_an_old_agents_execution_is_accepted_as_it_is(acme):
    old = {"execution_id": unique("old"), "incident_id": unique("incident"), "runbook_id": "L2-restart_av_service",
           "hostname": "ws01", "platform": "windows", "incident_type": "antivirus",
           "started_at": ago(hours=2)[:-1] + ".000001", "completed_at": ago(hours=1)[:-1] + ".999999+00:00",
           "duration_seconds": 9.99, "success": True, "status": "success", "verification_passed": None,
           "confidence": 0.0, "resolution_level": "L2", "state_before": {}, "state_after": {}, "state_diff": {},
           "executed_steps": [], "error_message": None, "error_step": None, "failure_type": None, "retry_count": 0,
           "evidence_bundle_id": None}
    answer = expect_accepted(acme.main.appliances[0].report(old))
    assert answer["status"] == "recorded" and answer["execution_id"] == old["execution_id"]


@pytest.mark.parametrize("odd", [
    {"resolution_level": "L9"}, {"resolution_level": "l2"}, {"confidence": 7}, {"duration_seconds": -1},
    {"retry_count": -3}, {"retry_count": 1.5}, {"started_at": "soon"}, {"completed_at": ""}, {"success": "yes"},
    {"check_type": "Firewall Status"}, {"incident_type": "Größe"}, {"pattern_signature": "not a signature!"},
    {"state_before": "text"}, {"executed_steps": {"a": 1}}, {"hostname": "x" * 5000}, {"error_message": "x" * 100000},
    {"runbook_id": ""}, {"runbook_id": None}, {"platform": 5}, {"hostname": "a\u0001b"}, {"completed_at": "1969-01-01T00:00:00Z"},
    {"completed_at": "9999-01-01T00:00:00Z"},
], ids=lambda odd: ascii(odd)[:40])
def test_an_odd_execution_is_stored_because_a_refused_one_comes_back_for_ever(acme, odd):
    report = execution()
    report.update(odd)
    answer = expect_accepted(acme.main.appliances[0].report(report))
    assert answer["status"] == "recorded"
    expect(200, acme.api.get("/api/partners/me/learning/execution-history"))


def test_an_execution_of_an_old_agent_belongs_to_the_pattern_of_its_rule(acme):
    rule, candidate = acme.new_rule()
    report = execution(runbook_id=rule["rule_id"], resolution_level="L1", incident_type=None)
    expect_accepted(acme.main.appliances[0].report(report))
    shown = acme.api.candidate(candidate["id"])["execution_history"]
    assert [entry["execution_id"] for entry in shown] == [report["execution_id"]]


def test_an_execution_of_an_old_agent_belongs_to_the_one_pattern_of_its_incident_type(partner):
    only = partner.new_candidate(check_type=None, incident_type="printer_jam")
    several = [partner.new_candidate(check_type=None, incident_type="disk_full") for _ in range(2)]
    jam, full = execution(incident_type="printer_jam"), execution(incident_type="disk_full")
    expect_accepted(partner.main.appliances[0].report(jam, full))
    assert [entry["execution_id"] for entry in partner.api.candidate(only["id"])["execution_history"]] == [
        jam["execution_id"]]
    for candidate in several:
        assert partner.api.candidate(candidate["id"])["execution_history"] == []


# ---- executions ----


def test_an_execution_reported_again_is_recorded_once(acme):
    report = execution()
    for _ in range(3):
        answer = expect_accepted(acme.main.appliances[0].report(report))
        assert (answer["status"], answer["execution_id"]) == ("recorded", report["execution_id"])
    ids = [entry["execution_id"] for entry in acme.api.history(limit=200)["executions"]]
    assert ids.count(report["execution_id"]) == 1


def test_p17_a_repeated_execution_is_counted_once(partner):
    report = execution()
    for _ in range(3):
        expect_accepted(partner.main.appliances[0].report(report))
    assert partner.api.stats()["total_executions_30d"] == 1


def test_p5_a_batch_is_answered_item_by_item_and_one_bad_item_loses_no_other(partner):
    good = [execution() for _ in range(4)]
    answer = expect_accepted(partner.main.appliances[0].report(good[0], {"incident_id": "without an id"}, good[1], 7,
                                                               good[2], good[0], good[3]))
    results = answer["results"]
    assert len(results) == 7
    statuses = [result["status"] for result in results]
    assert [statuses[index] for index in (0, 2, 4, 6)] == ["recorded"] * 4
    assert statuses[5] in ("recorded", "duplicate")
    assert statuses[1] == statuses[3] and statuses[1] not in ("recorded", "duplicate")
    assert partner.api.history()["total"] == 4


def test_p5_what_is_reported_as_recorded_is_there(partner):
    reports = [execution() for _ in range(300)]
    answer = expect_accepted(partner.main.appliances[0].report(*reports))
    assert all(result["status"] == "recorded" for result in answer["results"])
    assert partner.api.history()["total"] == 300


def test_a_bundle_of_incident_and_states_comes_through_unharmed(acme, database):
    report = execution(incident={"check_type": "firewall", "details": {"free_percent": 1.10, "count": 9007199254740993,
                                                                       "items": [1, None]}},
                       state_before={"message": "\u00e9"}, executed_steps=[{"step": "restart", "ok": True}])
    expect_accepted(acme.main.appliances[0].report(report))
    row = database.row("SELECT incident, incident::text AS text, state_before, executed_steps FROM execution_telemetry "
                       "WHERE execution_id = %s", report["execution_id"])
    assert row["incident"] == report["incident"] and "9007199254740993" in row["text"]
    assert row["state_before"] == report["state_before"] and row["executed_steps"] == report["executed_steps"]


def test_what_tells_who_somebody_is_is_not_stored(acme, database):
    report = execution(incident={"check_type": "ehr_sync", "patient_name": "John Smith", "details": {"mrn": 4711, "state": "delayed"}},
                       state_after={"message": "C:\\Users\\jsmith\\out.log is locked by jane.doe@clinic.example"},
                       executed_steps=["restart", "called 555-010-0199"], error_step="mail to jane.doe@clinic.example",
                       error_message="patient John Smith, record 123456789: password=hunter2, HRESULT -2147024891")
    expect_accepted(acme.main.appliances[0].report(report))
    row = database.row("SELECT * FROM execution_telemetry WHERE execution_id = %s", report["execution_id"])
    assert row["incident"] == {"check_type": "ehr_sync", "details": {"state": "delayed"}}
    assert row["state_after"] == {"message": "C:\\Users\\<USER>\\out.log is locked by <EMAIL>"}
    assert row["executed_steps"] == ["restart", "called <NUMBER>"] and row["error_step"] == "mail to <EMAIL>"
    assert row["error_message"] == "patient <PERSONAL>, record <NUMBER>: password=<SECRET>, HRESULT -2147024891"


@pytest.mark.parametrize("body", [{}, {"site_id": "@site"}, {"site_id": "@site", "execution": 5},
                                  {"site_id": "@site", "executions": {}}, {"site_id": "@site", "execution": {}}])
def test_a_report_without_an_execution_is_422(acme, body):
    filled = {name: acme.main.site_id if value == "@site" else value for name, value in body.items()}
    answer = acme.main.appliances[0].caller.post(REPORT, filled)
    assert answer.status == 422 or ("site_id" not in body and answer.status in (403, 422)), answer


def test_a_body_of_megabytes_is_taken_and_one_beyond_8_mib_is_413(acme):
    appliance = acme.main.appliances[0]
    report = execution(error_message="x" * (6 * 1024 * 1024))
    expect_accepted(appliance.report(report))
    expect(413, appliance.report(execution(error_message="x" * (9 * 1024 * 1024))))


def test_a_body_of_a_million_brackets_is_refused_quickly(acme):
    for text in ("[" * 1000000, '{"a":' * 200000, "[" + "1," * 3000000 + "1]"):
        answer = acme.main.appliances[0].caller.call("POST", REPORT, raw=text,
                                                     headers={"Content-Type": "application/json"})
        expect(400, answer)
