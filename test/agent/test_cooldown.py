"""Cooldowns: claimed at the match, per rule and host, kept over restarts, shared by processes."""

import json

import pytest

from conftest import condition, json_lines, rule

FIREWALL = {"check_type": "firewall", "host_id": "h1"}


def test_a_rule_rests_for_the_host_and_the_next_one_is_tried(appliance):
    appliance.rules.add(rule("R-1"), rule("R-2", priority=60))
    assert appliance.rule_ids(FIREWALL, FIREWALL, FIREWALL, {**FIREWALL, "host_id": "h2"}) == ["R-1", "R-2", None, "R-1"]


@pytest.mark.parametrize(("one", "other", "same"), [
    ({"host_id": "a"}, {"host_id": "a", "hostname": "x"}, True), ({"host_id": "a"}, {"hostname": "a"}, True),
    ({}, {"hostname": "unknown"}, True), ({"host_id": ""}, {}, True), ({"host_id": 7}, {"hostname": "h"}, False),
    ({"host_id": "a"}, {"host_id": "A"}, False), ({"hostname": "a"}, {}, False), ({"host_id": None}, {}, True)])
def test_the_host_is_its_id_else_its_name_else_unknown(appliance, one, other, same):
    appliance.rules.add(rule("R-1"))
    assert appliance.rule_ids({"check_type": "firewall", **one}, {"check_type": "firewall", **other}) == ["R-1", None if same else "R-1"]


def test_a_cooldown_of_none_is_none(appliance):
    appliance.rules.add(rule("R-1", cooldown_seconds=0))
    assert appliance.rule_ids(*[FIREWALL] * 3, state=True) == ["R-1"] * 3


def test_no_cooldown_claims_nothing(appliance):
    appliance.rules.add(rule("R-1"))
    assert appliance.rule_ids(*[FIREWALL] * 3, state=True, cooldown=False) == ["R-1"] * 3
    assert appliance.query("SELECT * FROM cooldown") == []


def test_what_does_not_match_claims_nothing(appliance):
    appliance.rules.add(rule("R-1", condition("check_type", "eq", "firewall"), condition("x", "eq", 1)))
    assert appliance.rule_ids(FIREWALL, state=True) == [None]
    assert appliance.query("SELECT * FROM cooldown") == []


def test_p31_a_cooldown_survives_a_restart_and_ends_in_time(appliance):
    appliance.rules.add(rule("R-1", cooldown_seconds=600))
    assert appliance.rule_ids(FIREWALL, state=True) == ["R-1"]
    assert appliance.rule_ids(FIREWALL, state=True) == [None]
    appliance.query("UPDATE cooldown SET until_ms = until_ms - 599000")
    assert appliance.rule_ids(FIREWALL, state=True) == [None]
    appliance.query("UPDATE cooldown SET until_ms = until_ms - 600000")
    assert appliance.rule_ids(FIREWALL, state=True) == ["R-1"]


def test_without_a_state_file_nothing_is_kept(appliance):
    appliance.rules.add(rule("R-1"))
    assert appliance.rule_ids(FIREWALL) == ["R-1"] and appliance.rule_ids(FIREWALL) == ["R-1"]
    assert not appliance.state.exists()


def test_p31_a_cooldown_survives_being_killed(appliance, start):
    appliance.rules.add(rule("R-1"))
    match = start("match", "--rules", appliance.rules.path, "--state", appliance.state)
    assert match.ask(FIREWALL)["rule_id"] == "R-1"
    match.kill()
    assert appliance.rule_ids(FIREWALL, state=True) == [None]


def test_a_clock_that_was_set_back_does_not_rest_a_rule_for_years(appliance):
    appliance.rules.add(rule("R-1"))
    appliance.rule_ids(FIREWALL, state=True)
    appliance.query("UPDATE cooldown SET until_ms = until_ms + 365 * 86400 * 1000")
    assert appliance.rule_ids(FIREWALL, state=True) == ["R-1"]


def test_p31_of_two_processes_one_gets_each_claim(appliance, start):
    """Both are asked about the same hosts at the same time: each host is healed once."""
    appliance.rules.add(rule("R-1"))
    both = [start("match", "--rules", appliance.rules.path, "--state", appliance.state) for _ in range(2)]
    hosts = [f"host-{i}" for i in range(400)]
    for process in both:
        process.process.stdin.write(json_lines({"incident_id": host, "check_type": "firewall", "host_id": host} for host in hosts).encode())
    acted = []
    for process in both:
        process.process.stdin.close()
        acted.append([answer["incident_id"] for answer in map(json.loads, process.process.stdout.read().splitlines()) if answer["rule_id"]])
    assert sorted(acted[0] + acted[1]) == sorted(hosts)


def test_expired_claims_are_thrown_away(appliance):
    appliance.rules.add(rule("R-1", cooldown_seconds=600))
    appliance.rule_ids(FIREWALL, {**FIREWALL, "host_id": "h2"}, state=True)
    appliance.query("UPDATE cooldown SET until_ms = 1 WHERE key = 'R-1:h1'")
    assert appliance.rule_ids({"check_type": "x"}, state=True) == [None]
    assert [row["key"] for row in appliance.query("SELECT key FROM cooldown")] == ["R-1:h2"]


def test_a_host_of_any_length_rests(appliance):
    appliance.rules.add(rule("R-1"))
    long = {"check_type": "firewall", "host_id": "é" * 100000}
    assert appliance.rule_ids(long, long, state=True) == ["R-1", None]
    assert len(appliance.query("SELECT key FROM cooldown WHERE length(CAST(key AS BLOB)) < 400")) == 1


def test_what_cannot_be_put_to_rest_does_not_act_and_nothing_in_its_place(appliance):
    appliance.rules.add(rule("R-1"), rule("R-2", cooldown_seconds=0, priority=90))
    appliance.status()
    appliance.query("CREATE TRIGGER full BEFORE INSERT ON cooldown BEGIN SELECT raise(ABORT, 'database or disk is full'); END")
    answers, _ = appliance.match({**FIREWALL, "incident_id": "i"}, {"incident_id": "j"}, state=True)
    assert answers == [{"incident_id": "i", "rule_id": None, "action": None, "action_params": None,
                        "error": "the cooldown cannot be kept: database or disk is full"},
                       {"incident_id": "j", "rule_id": None, "action": None, "action_params": None}]
