"""record: executions counted per pattern and queued, whatever is on the lines."""

import json
import math

import pytest

from conftest import eventually, json_lines, rule

FIREWALL = "6c4a6b5b711abb80"  # the signature of type firewall, check type firewall


def execution(execution_id, **members):
    made = {"execution_id": execution_id, "incident_type": "firewall", "resolution_level": "L2", "success": True,
            "runbook_id": "L2-restore_firewall_baseline", "duration_seconds": 1.5, "completed_at": "2026-11-22T12:00:00Z",
            "incident": {"incident_type": "firewall", "check_type": "firewall", "hostname": "WS01"}}
    made.update(members)
    return {name: value for name, value in made.items() if value is not ...}


def patterns(appliance):
    return {row.pop("signature"): row for row in appliance.query("SELECT * FROM pattern")}


def pattern(appliance, signature=FIREWALL):
    return patterns(appliance)[signature]


def queue(appliance):
    return [json.loads(row["body"]) for row in appliance.query("SELECT body FROM queue ORDER BY id")]


def test_an_execution_is_counted_and_queued_with_its_pattern_and_the_appliance(appliance):
    assert appliance.record(execution("e1")).returncode == 0
    found = pattern(appliance)
    assert found["last_seen"] == 1795348800000000
    assert {**found, "last_seen": 0} == {
        "total_occurrences": 1, "l1_resolutions": 0, "l2_resolutions": 1, "l3_resolutions": 0, "success_count": 1,
        "total_resolution_time_ms": 1500, "last_seen": 0, "recommended_action": "restore_firewall_baseline",
        "check_type": "firewall", "incident_type": "firewall", "dirty": 1}
    assert queue(appliance) == [{**execution("e1"), "appliance_id": "box-1", "pattern_signature": FIREWALL}]


def test_the_same_execution_counts_once_however_often_it_is_recorded(appliance):
    appliance.record(execution("e1"), execution("e1", success=False), execution("e2"))
    assert appliance.record(execution("e1"), execution("e2")).returncode == 0
    assert pattern(appliance)["total_occurrences"] == 2
    assert [body["execution_id"] for body in queue(appliance)] == ["e1", "e2"]


def test_one_that_was_sent_meanwhile_does_not_come_back(appliance):
    appliance.record(execution("e1"))
    appliance.query("DELETE FROM queue")
    assert appliance.record(execution("e1")).returncode == 0
    assert queue(appliance) == [] and pattern(appliance)["total_occurrences"] == 1


def test_levels_and_successes_add_up(appliance):
    appliance.record(execution("a", resolution_level="L1"), execution("b", resolution_level="l2"),
                     execution("c", resolution_level="L3"), execution("d", resolution_level="L9"),
                     execution("e", resolution_level=...), execution("f", success=False))
    found = pattern(appliance)
    assert (found["total_occurrences"], found["l1_resolutions"], found["l2_resolutions"], found["l3_resolutions"]) == (6, 1, 2, 1)
    assert found["success_count"] == 4 and found["dirty"] == 6


@pytest.mark.parametrize("members", [
    {"success": ...}, {"success": "true"}, {"success": 1}, {"success": None}, {"resolution_level": "L3"}, {"status": "escalated"},
    {"runbook_id": "escalate"}, {"runbook_id": "L2-escalate"}, {"recommended_action": "escalate"}])
def test_p20_what_is_not_said_to_have_succeeded_or_went_to_a_person_is_no_success(appliance, members):
    appliance.record(execution("e1", **members))
    assert pattern(appliance)["success_count"] == 0


@pytest.mark.parametrize(("duration", "milliseconds"), [
    (0, 0), (0.0004, 0), (32.7, 32700), (-1, 0), ("7", 0), (None, 0), (1e9, 10**12), (1e10, 0), (math.inf, 0), (math.nan, 0)])
def test_durations_are_milliseconds_and_nonsense_is_none(appliance, duration, milliseconds):
    assert appliance.record(execution("e1", duration_seconds=duration)).returncode == 0
    assert pattern(appliance)["total_resolution_time_ms"] == milliseconds


def test_a_named_signature_is_kept_and_a_bad_one_computed(appliance):
    appliance.record(execution("e1", pattern_signature="print-spooler-restart"), execution("e2", pattern_signature="no good"),
                     execution("e3", pattern_signature=7))
    assert {name: row["total_occurrences"] for name, row in patterns(appliance).items()} == {"print-spooler-restart": 1, FIREWALL: 2}


def test_p19_the_signature_is_that_of_the_contract_wherever_the_members_stand(appliance):
    appliance.record(
        execution("e1", incident={"type": "backup", "check_type": "backup", "details": {"service_name": "restic"}}, incident_type=...),
        execution("e2", incident={"details": {"check_type": "backup", "service_name": "restic"}}, incident_type="backup"),
        execution("e3", incident=..., incident_type="backup", check_type="backup", service_name="restic", hostname="other"),
        execution("e4", incident=..., incident_type=...),
        execution("e5", incident="text", incident_type=..., check_type="firewall", error_message="said by the attempt"))
    assert {name: row["total_occurrences"] for name, row in patterns(appliance).items()} == {
        "81d182c83a7a19f7": 3, "351f08c087c2dcac": 1, FIREWALL: 1}


def test_words_that_the_server_would_refuse_are_left_out_of_the_pattern(appliance):
    appliance.record(execution("e1", pattern_signature="p", incident={"check_type": "Fire Wall", "incident_type": "x" * 65}))
    assert (pattern(appliance, "p")["check_type"], pattern(appliance, "p")["incident_type"]) == (None, None)


def test_what_a_promoted_rule_did_belongs_to_its_pattern(appliance):
    appliance.install(rule("L1-PROMOTED-ABC"))
    appliance.record(execution("e1", resolution_level="L1", runbook_id="L1-PROMOTED-ABC"),
                     execution("e2", resolution_level="L1", rule_id="L1-PROMOTED-ABC", runbook_id="RB-WIN-FIREWALL-001"))
    assert pattern(appliance, "sig")["l1_resolutions"] == 2
    assert [body["rule_id"] for body in queue(appliance)] == ["L1-PROMOTED-ABC"] * 2


def test_the_action_to_recommend_is_that_of_the_last_healing_by_l2(appliance):
    def after(number, **members):
        appliance.record(execution(f"e{number}", **members))
        return pattern(appliance)["recommended_action"]

    assert after(0, recommended_action="escalate") is None
    assert after(1, runbook_id=...) is None
    assert after(2, runbook_id="RB-A", success=False) == "RB-A"
    assert after(3, runbook_id="L2-restart_av_service") == "restart_av_service"
    assert after(4, runbook_id="RB-B", success=False) == "restart_av_service"
    assert after(5, recommended_action="RB-C", runbook_id="RB-D") == "RB-C"
    assert after(6, recommended_action="escalate") == "RB-C"
    assert after(7, resolution_level="L1", recommended_action="RB-E") == "RB-C"
    assert after(8, recommended_action="x" * 201) == "RB-C"


def test_a_bad_line_costs_only_itself_and_the_exit_status_says_so(appliance):
    lines = [json.dumps(execution("e1")), "{not json", "[]", "7", "", json.dumps({"success": True}),
             json.dumps(execution("")), json.dumps(execution("x" * 256)), json.dumps(execution("a\nb")), json.dumps(execution(5)),
             json.dumps(execution("s", site_id="other")), json.dumps(execution("t", appliance_id="box-2")),
             json.dumps(execution("big", note="x" * 1024 * 1024)), json.dumps(execution("e2", site_id="site-1", appliance_id="box-1"))]
    done = appliance.run("record", stdin="\n".join(lines))  # and no line feed at the end
    assert done.returncode == 1
    assert [body["execution_id"] for body in queue(appliance)] == ["e1", "e2"]
    assert [f"line {number} " in done.stderr for number in range(1, 15)] == [False] + [True] * 12 + [False], done.stderr


def test_text_that_is_nearly_json_is_mended(appliance):
    line = json.dumps(execution("e1", error_message="MESSAGE", confidence="NUMBER")).encode()
    line = line.replace(b"MESSAGE", b"a\xff\\u0000\\ud800\tz").replace(b'"NUMBER"', b"NaN")
    assert appliance.run("record", stdin=line + b"\n").returncode == 0
    assert queue(appliance)[0]["error_message"] == "a\ufffd\ufffd\ufffd z"


def test_members_that_nobody_knows_are_sent_as_they_are(appliance):
    extra = {"deep": [{"a": [1, 2.50, None, True, "é"]}], "n": 12345678901234567890, "": "empty"}
    appliance.record(execution("e1", **extra))
    assert {name: queue(appliance)[0][name] for name in extra} == extra


def test_a_moment_in_the_future_counts_as_now(appliance):
    appliance.record(execution("e1", completed_at="2199-01-01T00:00:00Z"), execution("e2", completed_at="2001-01-01T00:00:00Z"))
    assert 1.6e15 < pattern(appliance)["last_seen"] < 7e15


def test_p18_counters_stop_at_the_highest_number_that_the_server_takes(appliance):
    appliance.record(execution("e1"))
    appliance.query("UPDATE pattern SET total_occurrences = 2147483646, total_resolution_time_ms = 9007199254740000")
    appliance.record(*(execution(f"x{i}", duration_seconds=1e6) for i in range(3)))
    found = pattern(appliance)
    assert (found["total_occurrences"], found["l2_resolutions"]) == (2147483647, 2)
    assert found["total_resolution_time_ms"] == 9007199254740991


def test_p28_the_queue_keeps_the_newest_and_says_what_it_dropped(appliance):
    appliance.configure(queue_limit=10)
    done = appliance.record(*(execution(f"e{i}") for i in range(25)))
    assert done.returncode == 0 and "15 executions will not be sent" in done.stderr
    assert [body["execution_id"] for body in queue(appliance)] == [f"e{i}" for i in range(15, 25)]
    assert appliance.record(execution("e25")).stderr.startswith("flywheel-agent: 1 executions will not be sent")
    status = appliance.status()
    assert (status["queue_length"], status["dropped_executions"]) == (10, 16)
    assert pattern(appliance)["total_occurrences"] == 26  # counted they are all the same


def test_p28_what_has_waited_too_long_is_dropped_and_counted(appliance):
    appliance.configure(queue_days=2)
    appliance.record(execution("old"), execution("young"))
    appliance.query("UPDATE queue SET queued_at = queued_at - 3 * 86400 * 1000000 WHERE execution_id = 'old'")
    assert "1 executions will not be sent" in appliance.record(execution("new")).stderr
    assert [body["execution_id"] for body in queue(appliance)] == ["young", "new"]
    assert appliance.status()["dropped_executions"] == 1


def test_ids_that_were_recorded_are_forgotten_after_months(appliance):
    appliance.record(execution("e1"))
    appliance.query("UPDATE recorded SET at = at - 91 * 86400 * 1000000")
    appliance.record(execution("e2"))
    assert [row["execution_id"] for row in appliance.query("SELECT execution_id FROM recorded")] == ["e2"]
    assert appliance.record(execution("e1")).returncode == 0  # counts again, but is not queued twice
    assert sorted(body["execution_id"] for body in queue(appliance)) == ["e1", "e2"]


def test_of_the_ids_that_were_recorded_the_newest_are_kept(appliance):
    appliance.record(execution("e1"))
    appliance.query("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100100) "
                    "INSERT INTO recorded SELECT 'x' || i, (SELECT at FROM recorded) + i FROM n")
    appliance.record()
    found = appliance.query("SELECT count(*) AS n, min(at) - (SELECT max(at) FROM recorded) AS span FROM recorded")[0]
    assert (found["n"], found["span"]) == (100000, -99999)


def test_lines_are_recorded_as_they_come(appliance, start):
    recorder = start("record", "--config", appliance.config)
    recorder.process.stdin.write(json_lines([execution("e1")]).encode())
    eventually(lambda: appliance.state.exists() and appliance.status()["queue_length"] == 1)
    assert recorder.end() == 0


def test_two_recorders_lose_nothing(appliance, start):
    both = [start("record", "--config", appliance.config) for _ in range(2)]
    for name, recorder in zip("ab", both):
        for i in range(200):
            recorder.process.stdin.write(json_lines([execution(f"{name}{i}")]).encode())
    assert [recorder.end() for recorder in both] == [0, 0]
    assert pattern(appliance)["total_occurrences"] == 400 and len(queue(appliance)) == 400


def test_a_state_file_that_cannot_be_written_is_told(appliance):
    appliance.configure(state_file=appliance.folder / "nowhere" / "state.db")
    done = appliance.record(execution("e1"))
    assert done.returncode == 1 and "cannot use the state file" in done.stderr


def test_a_full_disk_keeps_all_of_a_batch_or_nothing(appliance):
    appliance.record(execution("e1"))
    appliance.query("CREATE TRIGGER full BEFORE INSERT ON queue WHEN new.execution_id = 'e3' "
                    "BEGIN SELECT raise(ABORT, 'database or disk is full'); END")
    done = appliance.record(execution("e2"), execution("e3"), execution("e4"))
    assert done.returncode == 1 and "nothing is recorded from line 1 on: database or disk is full" in done.stderr
    appliance.query("DROP TRIGGER full")
    assert appliance.record(execution("e2"), execution("e3"), execution("e4")).returncode == 0
    assert pattern(appliance)["total_occurrences"] == 4 and len(queue(appliance)) == 4


def test_p41_the_state_file_is_its_owners_alone(appliance):
    appliance.record(execution("e1"))
    assert [path.stat().st_mode & 0o077 for path in appliance.folder.glob("state.db*")] == [0] * len(list(appliance.folder.glob("state.db*")))
