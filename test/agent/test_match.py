"""match: which rule acts on an incident, as the contract's "Matching" says it, through the program."""

import json

import pytest

from conftest import condition, json_lines, rule, run_agent

STRING, NUMBER, TRUE, LIST, OBJECT = "007", 7, True, ["a", 7, True], {"a": 1}


def holds(appliance, field, operator, value, incident):
    """Whether a rule with this one condition acts on the incident."""
    appliance.rules.add(rule("R-1", condition(field, operator, value)))
    return appliance.rule_ids(incident) == ["R-1"]


@pytest.mark.parametrize(("operator", "value", "field", "expected"), [
    # eq: same type and equal
    ("eq", "a", "a", True), ("eq", "a", "A", False), ("eq", "a", "a ", False), ("eq", 7, 7, True), ("eq", 7, 7.0, True),
    ("eq", 7, 7.5, False), ("eq", True, True, True), ("eq", True, False, False), ("eq", "", "", True),
    # ne: present and not equal
    ("ne", "a", "b", True), ("ne", "a", "a", False), ("ne", "a", 7, True), ("ne", 7, "7", True), ("ne", "a", None, False),
    ("ne", "a", ..., False), ("ne", "a", ["a"], True), ("ne", True, 1, True),
    # contains
    ("contains", "all", "firewall", True), ("contains", "ALL", "firewall", False), ("contains", "", "x", True),
    ("contains", "a", LIST, True), ("contains", 7, LIST, True), ("contains", "7", LIST, False), ("contains", True, LIST, True),
    ("contains", 1, LIST, False), ("contains", "1", 11, False), ("contains", "a", OBJECT, False), ("contains", "a", ..., False),
    # regex
    ("regex", "^fire", "firewall", True), ("regex", "wall$", "firewall", True), ("regex", "^wall", "firewall", False),
    ("regex", "ew", "firewall", True), ("regex", "(?i)WALL", "firewall", True), ("regex", "^7\\.5$", 7.5, True),
    ("regex", "^12$", 12, True), ("regex", "true", True, False), ("regex", ".", ..., False), ("regex", ".", None, False),
    ("regex", "^.$", "é", True), ("regex", "\\d{3}", "ab123", True),
    # gt, lt: numbers, or strings that are one in whole
    ("gt", 5, 6, True), ("gt", 5, 5, False), ("gt", 5, "6", True), ("gt", "5", 6, True), ("gt", "5.", ".6e1", True),
    ("gt", 5, "+6", True), ("gt", 5, " 6", False), ("gt", 5, "6 ", False), ("gt", 5, "6x", False), ("gt", 5, "", False),
    ("gt", 5, "0x10", False), ("gt", 5, "inf", False), ("gt", 5, "nan", False), ("gt", 5, "1_000", False), ("gt", 5, "e9", False),
    ("gt", 5, ".", False), ("gt", 0, True, False), ("gt", 5, [6], False), ("gt", 5, None, False), ("gt", 5, ..., False),
    ("lt", 5, 4, True), ("lt", 5, 5, False), ("lt", -1, "-1.5", True), ("lt", "1e3", 999, True), ("lt", 5, "4a", False),
    # in, not_in
    ("in", LIST, "a", True), ("in", LIST, 7, True), ("in", LIST, "7", False), ("in", LIST, True, True), ("in", LIST, 1, False),
    ("in", LIST, ..., False), ("in", LIST, None, False), ("in", [], "a", False),
    ("not_in", LIST, "b", True), ("not_in", LIST, "a", False), ("not_in", LIST, "7", True), ("not_in", LIST, ..., False),
    ("not_in", LIST, None, False), ("not_in", [], "a", True), ("not_in", LIST, ["a"], True),
    # exists
    ("exists", True, "a", True), ("exists", True, ..., False), ("exists", True, None, False), ("exists", False, ..., True),
    ("exists", False, None, True), ("exists", False, "a", False), ("exists", True, False, True), ("exists", True, [], True),
])
def test_operators(appliance, operator, value, field, expected):
    incident = {"incident_id": "i"} if field is ... else {"incident_id": "i", "f": field}
    assert holds(appliance, "f", operator, value, incident) is expected


@pytest.mark.parametrize(("value", "field"), [("007", "7"), ("7", 7), (7, "7"), (True, 1), (1, True), ("true", True), (True, "true"),
                                              (False, 0), (0, False), (False, ""), ("", 0), ("7.0", "7"), ("1e1", 10)])
@pytest.mark.parametrize("operator", ["eq", "in", "contains"])
def test_p30_types_are_never_mixed(appliance, operator, value, field):
    wanted, met = ([value], field) if operator == "in" else (value, [field] if operator == "contains" else field)
    assert holds(appliance, "f", operator, wanted, {"f": met}) is False


@pytest.mark.parametrize(("path", "incident", "expected"), [
    ("details.service", {"details": {"service": "x"}}, True), ("details.service", {"details.service": "x"}, False),
    ("details.service", {"details": [{"service": "x"}]}, False), ("details.service", {"details": "x"}, False),
    ("a.b.c.d", {"a": {"b": {"c": {"d": "x"}}}}, True), ("a.b", {"a": {"b": None}}, False), ("a", {"A": "x"}, False)])
def test_a_field_is_a_path_through_objects(appliance, path, incident, expected):
    assert holds(appliance, path, "eq", "x", incident) is expected


def test_all_conditions_must_hold(appliance):
    appliance.rules.add(rule("R-1", condition("a", "eq", 1), condition("b", "gt", 2), condition("c", "exists", False)))
    assert appliance.rule_ids({"a": 1, "b": 3}, {"a": 1, "b": 2}, {"a": 2, "b": 3}, {"a": 1, "b": 3, "c": 0}) == ["R-1", None, None, None]


def test_the_answer_names_the_rule_its_action_and_parameters(appliance):
    appliance.rules.add(rule("R-1", action="run_windows_runbook", action_params={"runbook_id": "RB-WIN-FIREWALL-001", "phases": ["remediate"]}))
    answers, told = appliance.match({"incident_id": "i-1", "check_type": "firewall"}, {"incident_id": "i-2", "check_type": "x"})
    assert answers == [
        {"incident_id": "i-1", "rule_id": "R-1", "action": "run_windows_runbook",
         "action_params": {"runbook_id": "RB-WIN-FIREWALL-001", "phases": ["remediate"]}},
        {"incident_id": "i-2", "rule_id": None, "action": None, "action_params": None}]
    assert told == ""


@pytest.mark.parametrize(("sent", "shown"), [("i-1", "i-1"), ("", ""), ("é\n\"", "é\n\""), (17, "17"), (12345678901234567890, "12345678901234567890"),
                                             (1.50, "1.5"), (None, None), (True, None), (["i"], None), ({"i": 1}, None)])
def test_the_incidents_id_comes_back_as_a_text(appliance, sent, shown):
    assert appliance.match({"incident_id": sent})[0][0]["incident_id"] == shown


# ---- which rule wins ----


def test_p31_priority_then_id_decides_however_the_files_are_named(appliance):
    for name, made in {"z": rule("R-B", priority=10), "a": rule("R-C", priority=20), "m": rule("R-A", priority=20),
                       "b": rule("R-a", priority=20), "y": rule("R-0", priority=-1, enabled=False)}.items():
        appliance.rules.put(name + ".yaml", made)
    hosts = [{"check_type": "firewall", "host_id": "one"}] * 5
    assert appliance.rule_ids(*hosts) == ["R-B", "R-A", "R-C", "R-a", None]  # each rests after it has acted


def test_promoted_rules_and_the_operators_stand_in_one_order(appliance):
    appliance.rules.put("own.yaml", rule("OWN-1", priority=60))
    appliance.rules.put("L1-PROMOTED-A.yaml", rule("L1-PROMOTED-A", priority=50), promoted=True)
    assert appliance.rule_ids(*[{"check_type": "firewall"}] * 3) == ["L1-PROMOTED-A", "OWN-1", None]


def test_an_operators_rule_wins_over_a_promoted_one_with_its_id(appliance):
    appliance.rules.put("z.yaml", rule("R-1", action="escalate"))
    appliance.rules.put("a.yaml", rule("R-1"), promoted=True)
    answers, told = appliance.match({"check_type": "firewall"})
    assert answers[0]["action"] == "escalate" and "promoted/a.yaml" in told and "R-1" in told


@pytest.mark.parametrize(("severity", "expected"), [("high", "R-1"), ("critical", "R-1"), ("low", None), ("HIGH", None), (..., None),
                                                    (None, None), (3, None)])
def test_a_severity_filter_holds_the_incidents_severity(appliance, severity, expected):
    appliance.rules.add(rule("R-1", severity_filter=["high", "critical"]))
    incident = {"check_type": "firewall"} if severity is ... else {"check_type": "firewall", "severity": severity}
    assert appliance.rule_ids(incident) == [expected]


def test_a_disabled_rule_is_not_tried(appliance):
    appliance.rules.add(rule("R-1", enabled=False), rule("R-2", priority=90))
    assert appliance.rule_ids({"check_type": "firewall"}) == ["R-2"]


def test_a_list_of_rules_is_several(appliance):
    appliance.rules.put("all.yml", {"rules": [rule("R-1"), rule("R-2", condition("check_type", "eq", "backup"))]})
    assert appliance.rule_ids({"check_type": "backup"}, {"check_type": "firewall"}) == ["R-2", "R-1"]


# ---- what is refused at load ----

BAD_FILES = {
    "no-conditions": {**rule("X-1"), "conditions": []},
    "without-conditions": {name: value for name, value in rule("X-1").items() if name != "conditions"},
    "operator": rule("X-1", condition("a", "equals", 1)),
    "in-without-list": rule("X-1", condition("a", "in", "b")),
    "not-in-without-list": rule("X-1", condition("a", "not_in", 7)),
    "exists-with-text": rule("X-1", condition("a", "exists", "yes")),
    "regex": rule("X-1", condition("a", "regex", "(")),
    "action": rule("X-1", action="format_disk"),
    "id": rule("no good"),
    "short-id": rule("X"),
    "type": rule("X-1", priority="high"),
    "large": rule("X-1", description="x" * 8192),
    "twice": {"rules": [rule("X-1"), rule("X-1")]},
    "one-bad-of-two": {"rules": [rule("X-1"), rule("X-2", condition("a", "equals", 1))]},
    "smuggled": {**rule("X-1"), "rules": [rule("X-2", action="format_disk")]},
    "empty-list": {"rules": []},
    "empty": "",
    "no-yaml": "{{{{",
    "binary": b"\x00\xff\xfe",
    "alias": "a: &a [1]\nb: *a\n",
}


@pytest.mark.parametrize("name", BAD_FILES)
@pytest.mark.parametrize("promoted", [False, True], ids=["own", "promoted"])
def test_p25_p29_p32_one_bad_file_is_told_and_costs_only_itself(appliance, name, promoted):
    appliance.rules.put("a.yaml", rule("R-1"))
    appliance.rules.put(f"{name}.yaml", BAD_FILES[name], promoted)
    appliance.rules.put("z.yaml", rule("R-2", priority=60), promoted)
    answers, told = appliance.match(*[{"check_type": "firewall"}] * 3)
    assert [answer["rule_id"] for answer in answers] == ["R-1", "R-2", None]
    lines = told.splitlines()
    assert len(lines) == 1 and f"/{name}.yaml: " in lines[0], told


def test_p32_one_bad_file_among_a_thousand(appliance):
    appliance.rules.add(*(rule(f"R-{i}", condition("check_type", "eq", f"check-{i}")) for i in range(1000)))
    appliance.rules.put("R-500.yaml", "id: R-500")
    answers, told = appliance.match(*({"check_type": f"check-{i}"} for i in range(1000)))
    assert [answer["rule_id"] for answer in answers] == [None if i == 500 else f"R-{i}" for i in range(1000)]
    assert len(told.splitlines()) == 1 and "R-500.yaml" in told


def test_a_file_over_one_mebibyte_and_what_is_no_file_are_passed_over(appliance):
    appliance.rules.put("large.yaml", "#" * (1024 * 1024 + 1))
    (appliance.rules.path / "folder.yaml").mkdir()
    for name in (".hidden.yaml", "rule.yaml.bak", "rule.json", "README"):
        (appliance.rules.path / name).write_text(json.dumps(rule("X-" + name.strip(".")[:3])), encoding="utf-8")
    appliance.rules.add(rule("R-1"))
    answers, told = appliance.match(*[{"check_type": "firewall"}] * 2)
    assert [answer["rule_id"] for answer in answers] == ["R-1", None]
    assert "large.yaml" in told and ".hidden" not in told


def test_p29_a_regular_expression_that_explodes_ends_and_does_not_match(appliance):
    appliance.rules.add(rule("R-1", condition("f", "regex", "^(a+)+$")), rule("R-2", condition("f", "exists", True), priority=90))
    assert appliance.rule_ids({"f": "a" * 5000 + "b"}) == ["R-2"]


def test_a_folder_that_is_not_there_is_told(appliance):
    done = run_agent("match", "--rules", appliance.folder / "nowhere", stdin="{}\n")
    assert (done.returncode, done.stdout) == (1, "") and "nowhere" in done.stderr


def test_a_folder_without_rules_matches_nothing(appliance):
    appliance.rules.promoted.rmdir()
    assert appliance.match({"incident_id": "i"}) == ([{"incident_id": "i", "rule_id": None, "action": None, "action_params": None}], "")


# ---- hostile lines ----

HOSTILE = {
    "no JSON": b"nonsense", "empty": b"", "an array": b"[]", "a text": b'"x"', "a number": b"7", "null": b"null",
    "cut off": b'{"check_type":"fire', "two values": b'{} {}', "trailing comma": b'{"a":1,}', "a comment": b'{} // x',
    "NaN": b'{"check_type":"firewall","x":NaN}', "Infinity": b'{"check_type":"firewall","x":-Infinity}',
    "a large exponent": b'{"check_type":"firewall","x":1e999}', "twice": b'{"check_type":"backup","check_type":"firewall"}',
    "a NUL": b'{"check_type":"fire\x00wall"}', "an escaped NUL": b'{"check_type":"firewall","x":"\\u0000"}',
    "no UTF-8": b'{"check_type":"firewall","x":"\xff\xfe"}', "half a pair": b'{"check_type":"firewall","x":"\\ud800"}',
    "deep": b'{"check_type":"firewall","x":' + b"[" * 100000 + b"]" * 100000 + b"}", "a byte order mark": b'\xef\xbb\xbf{"check_type":"firewall"}',
    "single quotes": b"{'check_type':'firewall'}", "a control character": b'{"check_type":"firewall","x":"\x01"}',
    "10 MB": b'{"check_type":"firewall","x":"' + b"x" * 10_000_000 + b'"}', "10 MB without an end": b"[" * 10_000_000,
    "just over 1 MiB": b'{"x":"' + b"x" * (1024 * 1024 - 7) + b'"}',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_line_is_answered_with_an_error_and_the_next_one_as_ever(appliance, name):
    appliance.rules.add(rule("R-1", cooldown_seconds=0))
    good = b'{"incident_id":"good","check_type":"firewall"}'
    done = run_agent("match", "--rules", appliance.rules.path, stdin=good + b"\n" + HOSTILE[name] + b"\n" + good)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0 and done.stderr == "" and len(answers) == 3
    assert [answers[0]["rule_id"], answers[2]["rule_id"]] == ["R-1", "R-1"]
    error = answers[1].pop("error")
    assert answers[1] == {"incident_id": None, "rule_id": None, "action": None, "action_params": None} and error


def test_a_line_of_just_one_mebibyte_is_an_incident(appliance):
    appliance.rules.add(rule("R-1"))
    start = b'{"check_type":"firewall","x":"'
    line = start + b"x" * (1024 * 1024 - len(start) - 2) + b'"}'
    done = run_agent("match", "--rules", appliance.rules.path, stdin=line + b"\n")
    assert json.loads(done.stdout)["rule_id"] == "R-1"


def test_no_input_gives_no_output(appliance):
    done = run_agent("match", "--rules", appliance.rules.path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_lines_may_end_as_on_windows(appliance):
    appliance.rules.add(rule("R-1"))
    done = run_agent("match", "--rules", appliance.rules.path, stdin=b'{"check_type":"firewall"}\r\n')
    assert json.loads(done.stdout)["rule_id"] == "R-1"


def test_an_answer_comes_as_soon_as_nothing_more_waits(appliance, start):
    appliance.rules.add(rule("R-1", cooldown_seconds=0))
    running = start("match", "--rules", appliance.rules.path)
    for number in range(3):
        assert running.ask({"incident_id": number, "check_type": "firewall"})["incident_id"] == str(number)
    assert running.end() == 0


def test_many_lines_at_once_are_answered_in_their_order(appliance):
    appliance.rules.add(rule("R-1", cooldown_seconds=0))
    answers, _ = appliance.match(*({"incident_id": i, "check_type": "firewall" if i % 2 else "x"} for i in range(20000)))
    assert [(a["incident_id"], a["rule_id"]) for a in answers] == [(str(i), "R-1" if i % 2 else None) for i in range(20000)]


def test_a_reader_that_goes_away_ends_it(appliance, start):
    appliance.rules.add(rule("R-1"))
    running = start("match", "--rules", appliance.rules.path)
    running.process.stdout.close()
    running.process.stdin.write(json_lines([{}]).encode())
    assert running.process.wait(timeout=60) != 0
    running.process.stdout = open("/dev/null", "rb")  # what kill() closes


# ---- the command line ----


@pytest.mark.parametrize("words", [[], ["matches"], ["match"], ["match", "--rules"], ["match", "--config", "x"], ["match", "x"],
                                   ["match", "--rules", "a", "--rules", "b"], ["record"], ["record", "--rules", "x"], ["status", "x"],
                                   ["status", "--config"], ["--version", "x"]])
def test_wrong_words_are_told_with_the_usage(words):
    done = run_agent(*words)
    assert done.returncode == 2 and "usage: flywheel-agent" in done.stderr and done.stdout == ""


def test_help_and_version_are_answers():
    assert run_agent("--help").stdout.startswith("usage: flywheel-agent match --rules DIR")
    version = run_agent("--version")
    assert version.returncode == 0 and version.stdout.startswith("flywheel-agent/")
