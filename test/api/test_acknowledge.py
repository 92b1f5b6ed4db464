"""What appliances say became of the rules they were given: that, and nothing else, is what "deployed" means."""

import json

import pytest

from house.client import Caller, ago, expect, pointers
from house.control import control
from house.delivery import ACK, gone, installed, state, states
from house.world import execution, expect_accepted, unique
from test_approve import in_parallel


@pytest.fixture(name="site")
def fixture_site(acme):
    return acme.new_site(2)


@pytest.fixture(name="box")
def fixture_box(site):
    return site.appliances[0]


@pytest.fixture(name="rule")
def fixture_rule(acme, site, box):
    """The id of a rule that was given to both appliances."""
    made = acme.new_rule(site)[0]["rule_id"]
    for appliance in site.appliances:
        expect(200, appliance.pull())
    return made


def told(database, box):
    """What the appliance said last."""
    return database.row("SELECT * FROM appliance_rule_sync WHERE appliance_id = %s", box.appliance_id)


def deployment(database, rule, box):
    return states(database, rule, box.site)[box.appliance_id]


# ---- what becomes of a deployment ----


def test_p6_applied_is_what_the_appliance_says(acme, site, box, rule, database):
    answer = expect(200, box.acknowledge(1, [rule])).json()
    assert (answer["status"], answer["acknowledged"], answer["rejected"], answer["revision"]) == ("recorded", 1, [], 1)
    row = deployment(database, rule, box)
    assert row["deployment_status"] == "applied" and row["acknowledged_at"] and row["error"] is None
    assert state(database, rule, site.appliances[1]) == "delivered"
    shown = acme.api.rule(rule)
    assert (shown["deployment_count"], shown["acknowledged_count"]) == (2, 1)


def test_p26_a_repeated_acknowledgement_changes_nothing(acme, box, rule, database):
    first = expect(200, box.acknowledge(1, [rule])).json()
    before = deployment(database, rule, box), told(database, box)
    for _ in range(3):
        again = expect(200, box.acknowledge(1, [rule, rule])).json()
        assert again["acknowledged"] == first["acknowledged"] == 1 and again["rejected"] == []
    assert (deployment(database, rule, box), told(database, box)) == before
    assert acme.api.rule(rule)["acknowledged_count"] == 1


def test_what_failed_is_told_with_its_reason_and_forgotten_when_it_is_mended(box, rule, database):
    answer = expect(200, box.acknowledge(1, failed=[{"rule_id": rule, "error": "rules/own.yaml has this id"}])).json()
    assert answer["acknowledged"] == 1
    row = deployment(database, rule, box)
    assert (row["deployment_status"], row["error"]) == ("failed", "rules/own.yaml has this id")
    expect(200, box.acknowledge(1, [rule]))
    row = deployment(database, rule, box)
    assert (row["deployment_status"], row["error"]) == ("applied", None)


def test_a_failure_without_a_reason_is_one(box, rule, database):
    for failed in ({"rule_id": rule}, {"rule_id": rule, "error": None}, {"rule_id": rule, "error": 5}):
        expect(200, box.acknowledge(1, failed=[failed]))
        row = deployment(database, rule, box)
        assert (row["deployment_status"], row["error"]) == ("failed", None)


def test_p21_who_has_reached_a_revision_has_removed_what_was_to_go(acme, box, rule, database):
    expect(200, box.acknowledge(1, [rule]))
    expect(200, acme.api.set_status(rule, "disabled"))
    assert state(database, rule, box) == "applied", "until the appliance says otherwise it is installed"
    assert acme.api.rule(rule)["acknowledged_count"] == 1
    expect(200, box.acknowledge(1, [rule]))
    assert state(database, rule, box) == "applied", "of the new revision this says nothing"
    expect(200, box.acknowledge(2))
    assert state(database, rule, box) == "removed"
    assert acme.api.rule(rule)["acknowledged_count"] == 0


def test_p21_removed_in_so_many_words_and_as_an_applied_change_is_the_same(acme, site, rule, database):
    one, two = site.appliances
    expect(200, acme.api.set_status(rule, "archived"))
    assert expect(200, one.acknowledge(2, removed=[rule]))["acknowledged"] == 1
    assert expect(200, two.acknowledge(2, [rule]))["acknowledged"] == 1
    assert {row["deployment_status"] for row in states(database, rule, site).values()} == {"removed"}


def test_p21_what_could_not_be_removed_is_told_again(acme, box, rule, database):
    box.acknowledge(1, [rule])
    expect(200, acme.api.set_status(rule, "disabled"))
    expect(200, box.acknowledge(2, failed=[{"rule_id": rule, "error": "read-only file system"}]))
    assert state(database, rule, box) == "failed"
    assert gone(box.pull(revision=2).json()) == [rule]
    expect(200, box.acknowledge(2))
    assert state(database, rule, box) == "removed" and gone(box.pull(revision=2).json()) == []


def test_p27_what_is_gone_but_should_be_there_is_given_again(box, rule, database):
    expect(200, box.acknowledge(1, [rule]))
    expect(200, box.acknowledge(1, removed=[rule]))
    row = deployment(database, rule, box)
    assert (row["deployment_status"], row["acknowledged_at"], row["delivered_at"]) == ("pending", None, None)
    for _ in range(2):
        assert installed(box.pull(revision=1).json()) == [rule], "also when the first answer was lost on the way"
        assert state(database, rule, box) == "pending"
    expect(200, box.acknowledge(1, [rule]))
    assert state(database, rule, box) == "applied" and installed(box.pull(revision=1).json()) == []


def test_p21_an_old_version_acknowledged_says_nothing_of_the_new_one(acme, box, site, database):
    answer, candidate = acme.new_rule(site)
    rule = answer["rule_id"]
    expect(200, box.pull())
    expect(200, acme.api.set_status(rule, "archived"))
    expect(200, acme.api.approve(candidate["id"]))
    answer = expect(200, box.acknowledge(1, [rule])).json()
    assert (answer["acknowledged"], answer["rejected"]) == (0, [])
    row = deployment(database, rule, box)
    assert (row["deployment_status"], row["rule_version"]) == ("pending", 2)
    assert box.sync(1)["rules"][0]["version"] == 2
    row = deployment(database, rule, box)
    assert (row["deployment_status"], row["rule_version"]) == ("applied", 2)


def test_p26_a_late_acknowledgement_changes_nothing(acme, box, rule, database):
    expect(200, acme.api.set_status(rule, "disabled"))
    expect(200, acme.api.set_status(rule, "active"))
    expect(200, box.acknowledge(3, [rule], agent="flywheel-agent/2"))
    before = deployment(database, rule, box), told(database, box)
    late = expect(200, box.acknowledge(2, removed=[rule], agent="flywheel-agent/1", error="old", applied=["L1-NOPE"])).json()
    assert (late["status"], late["acknowledged"], late["rejected"], late["revision"]) == ("outdated", 0, [], 3)
    assert (deployment(database, rule, box), told(database, box)) == before


# ---- what does not count ----


def test_p24_only_what_was_sent_to_this_appliance_counts(acme, rival, box, rule, database):
    foreign = rival.new_rule()[0]["rule_id"]
    held = expect(200, acme.api.approve(acme.new_candidate(box.site)["id"], deploy_immediately=False))["rule_id"]
    wrong = ["L1-PROMOTED-NOPE", foreign, held, 7, None, "../etc/passwd", "x", {"rule_id": rule}, [rule], ""]
    answer = expect(200, box.acknowledge(2, [*wrong, rule], failed=[5, {}, {"rule_id": "L1-NEVER"}, {"error": "x"}])).json()
    assert answer["acknowledged"] == 1
    assert [(entry["list"], entry["index"]) for entry in answer["rejected"]] == [
        ("applied", index) for index in range(len(wrong))] + [("failed", index) for index in range(4)]
    assert [entry["rule_id"] for entry in answer["rejected"][:4]] == ["L1-PROMOTED-NOPE", foreign, held, None]
    assert state(database, rule, box) == "applied"
    assert {row["deployment_status"] for row in states(database, foreign, rival.main).values()} == {"pending"}


def test_a_rule_that_is_said_to_be_two_things_has_failed_and_counts_once(box, rule, database):
    answer = expect(200, box.acknowledge(1, [rule], removed=[rule], failed=[{"rule_id": rule, "error": "no room"}])).json()
    assert (answer["acknowledged"], answer["rejected"]) == (1, [])
    assert state(database, rule, box) == "failed"
    expect(200, box.acknowledge(1, [rule], removed=[rule]))
    assert state(database, rule, box) == "pending"


@pytest.mark.parametrize("body, expected", [
    ({}, {"/revision"}), ({"revision": None}, {"/revision"}), ({"revision": -1}, {"/revision"}), ({"revision": "1"}, {"/revision"}),
    ({"revision": 1.5}, {"/revision"}), ({"revision": 2**53 + 1}, {"/revision"}), ({"revision": True}, {"/revision"}),
    ({"revision": 2}, {"/revision"}), ({"revision": 1, "applied": {}}, {"/applied"}), ({"revision": 1, "applied": "x"}, {"/applied"}),
    ({"revision": 1, "failed": {"rule_id": "x"}}, {"/failed"}), ({"revision": 1, "removed": 0}, {"/removed"}),
    ({"revision": 1, "error": 5}, {"/error"}), ({"revision": 1, "engine_errors": "x"}, {"/engine_errors"}),
    ({"revision": 1, "dropped_executions": -1}, {"/dropped_executions"}), ({"revision": 1, "dropped_executions": "1"}, {"/dropped_executions"}),
    ({"revision": 1, "agent": []}, {"/agent"}), ({"revision": 1, "site_id": 5}, {"/site_id"}),
    ({"applied": 1, "failed": 1, "error": 1}, {"/revision", "/applied", "/failed", "/error"}),
], ids=str)
def test_a_member_that_is_not_what_it_must_be_is_422_and_changes_nothing(box, rule, database, body, expected):
    assert pointers(expect(422, box.caller.post(ACK, body))) == expected
    assert state(database, rule, box) == "delivered"
    assert database.rows("SELECT FROM appliance_rule_sync WHERE appliance_id = %s", box.appliance_id) == []


def test_p24_an_appliance_acknowledges_for_itself_only(acme, rival, site, box, rule, database):
    for names in ({"site_id": acme.annex.site_id}, {"site_id": rival.main.site_id}, {"appliance_id": site.appliances[1].appliance_id},
                  {"site_id": site.site_id, "appliance_id": "nobody"}):
        assert expect(403, box.caller.post(ACK, {"revision": 1, "applied": [rule], **names}))["type"].endswith("foreign-appliance")
    assert {row["deployment_status"] for row in states(database, rule, site).values()} == {"delivered"}


def test_only_an_appliances_token_opens_it(acme, nobody, server, site):
    for caller in (nobody, acme.api, Caller(server, token="wrong")):
        expect(401, caller.post(ACK, {"revision": 0}))
    control("appliance", "revoke", "--appliance-id", site.appliances[1].appliance_id)
    expect(401, site.appliances[1].acknowledge(0))


# ---- what else an appliance tells ----


def test_p25_why_a_whole_answer_was_refused_is_told_until_one_is_taken(box, rule, database):
    expect(200, box.acknowledge(0, error="the signature is by no known key"))
    row = told(database, box)
    assert (row["last_error"], row["acknowledged_revision"]) == ("the signature is by no known key", 0) and row["last_error_at"]
    expect(200, box.acknowledge(0, error="the signature is by no known key"))
    assert told(database, box)["last_error_at"] == row["last_error_at"], "since when, not how often"
    assert state(database, rule, box) == "delivered"
    expect(200, box.acknowledge(1, [rule]))
    row = told(database, box)
    assert (row["last_error"], row["last_error_at"]) == (None, None)


def test_p25_who_has_lost_its_state_can_say_why_it_refuses_to_begin_anew(box, rule, database):
    expect(200, box.acknowledge(1, [rule]))
    for _ in range(2):
        assert expect(200, box.acknowledge(0, error="no known key")).json()["status"] == "outdated"
    row = told(database, box)
    assert (row["last_error"], row["acknowledged_revision"]) == ("no known key", 1) and row["last_error_at"]
    assert state(database, rule, box) == "applied"
    expect(200, box.acknowledge(1, [rule]))
    assert told(database, box)["last_error"] is None


def test_p25_who_is_ahead_can_say_why_it_does_not_go_back(site, box, rule, database):
    """The database was restored without moving the revisions on, or the site was made anew."""
    expect(200, box.acknowledge(1, [rule]))
    expect(422, box.acknowledge(7, [rule]))
    answer = expect(200, box.acknowledge(7, removed=[rule], error="revision 1 is older than the installed 7")).json()
    assert (answer["status"], answer["acknowledged"], answer["revision"]) == ("outdated", 0, 1)
    row = told(database, box)
    assert (row["last_error"], row["acknowledged_revision"]) == ("revision 1 is older than the installed 7", 1)
    assert state(database, rule, box) == "applied"
    new = site.appliances[1]
    expect(200, new.acknowledge(7, error="older"))
    assert (told(database, new)["last_error"], told(database, new)["acknowledged_revision"]) == ("older", 0)


def test_what_is_not_said_stays_as_it_was(box, rule, database):
    errors = [{"file": "own.yaml", "error": "unknown operator 'like'"}]
    expect(200, box.acknowledge(1, [rule], engine_errors=errors, dropped_executions=7, agent="flywheel-agent/0.1.0"))
    for members in ({}, {"engine_errors": None, "dropped_executions": None, "agent": None}):
        expect(200, box.acknowledge(1, [rule], **members))
        row = told(database, box)
        assert (row["engine_errors"], row["dropped_executions"], row["agent"]) == (errors, 7, "flywheel-agent/0.1.0")
    expect(200, box.acknowledge(1, [rule], engine_errors=[], dropped_executions=0))
    row = told(database, box)
    assert (row["engine_errors"], row["dropped_executions"]) == ([], 0)


def test_what_is_told_is_bounded_and_says_nobodys_name(box, rule, database):
    told_of = "cannot read C:\\Users\\jsmith\\rule.yaml, ask jane.doe@clinic.example"
    expect(200, box.acknowledge(1, failed=[{"rule_id": rule, "error": told_of + "x" * 10000}], error=told_of, agent="a" * 1000,
                                engine_errors=[{"file": f"{n}.yaml", "error": "e" * 10000} for n in range(30)]))
    row = told(database, box)
    assert row["last_error"] == "cannot read C:\\Users\\<USER>\\rule.yaml, ask <EMAIL>"
    assert len(row["agent"]) == 100 and len(row["engine_errors"]) == 20
    assert {len(entry["error"]) for entry in row["engine_errors"]} == {500}
    failed = deployment(database, rule, box)["error"]
    assert len(failed) <= 500 and "jsmith" not in failed and "jane.doe" not in failed
    expect(200, box.acknowledge(1, engine_errors=[5, None, {}, {"file": 5, "error": []}]))
    assert told(database, box)["engine_errors"] == [{"file": None, "error": None}] * 4


@pytest.mark.parametrize("character", ["\U0001F9B7", '"', "\\", "\n", "\u0001", "é"], ids=ascii)
def test_errors_of_the_longest_kind_are_kept(box, rule, database, character):
    errors = [{"file": "x" + character * 600 + "x", "error": "x" + character * 600 + "x"}] * 30
    expect(200, box.acknowledge(1, error=errors[0]["error"], engine_errors=errors, agent="x" + character * 200))
    row = told(database, box)
    assert len(row["engine_errors"]) == 20 and len(row["last_error"]) == 500
    assert {len(entry[name]) for entry in row["engine_errors"] for name in entry} == {500}


def test_unknown_members_are_passed_over(box, rule):
    assert expect(200, box.acknowledge(1, [rule], mood={"deep": [1, {}]}))["acknowledged"] == 1


# ---- at once ----


def test_p26_acknowledgements_at_once_count_once_and_the_newest_stands(acme, box, rule, database):
    for _ in range(4):
        expect(200, acme.api.set_status(rule, "disabled"))
        expect(200, acme.api.set_status(rule, "active"))
    revisions = [9, 3, 9, 1, 5, 9, 7, 2]
    answers = in_parallel(len(revisions), lambda who: Caller(box.caller.server, token=box.caller.token).post(
        ACK, {"revision": revisions[who], "applied": [rule]}))
    assert {answer.status for answer in answers} == {200}
    assert {answer["status"] for answer, revision in zip(answers, revisions) if revision == 9} == {"recorded"}
    assert told(database, box)["acknowledged_revision"] == 9
    assert state(database, rule, box) == "applied" and acme.api.rule(rule)["acknowledged_count"] == 1


def test_p4_acknowledgements_beside_decisions_end_in_what_is_true(partner, server, database):
    """Two appliances pull and acknowledge while somebody switches their rules on and off."""
    site = partner.main
    rules = [partner.new_rule(site)[0]["rule_id"] for _ in range(4)]
    deciding = [True]

    def decide():
        for turn in range(40):
            status = "disabled" if turn // 4 % 2 == 0 else "active"
            expect(200, partner.api.set_status(rules[turn % 4], status))
        deciding[0] = False

    def follow(box, at=None):
        while deciding[0]:
            at = box.sync(at)["revision"]
        box.sync(at)

    in_parallel(3, lambda who: decide() if who == 2 else follow(site.appliances[who]))
    for rule in rules:
        expected = "applied" if partner.api.rule(rule)["status"] == "active" else "removed"
        assert {row["deployment_status"] for row in states(database, rule, site).values()} == {expected}


# ---- hostile bodies ----


def raw(box, body):
    return box.caller.call("POST", ACK, raw=body, headers={"Content-Type": "application/json"})


def test_a_hostile_body_is_refused_and_the_handler_lives(box, rule, database):
    expect(413, raw(box, b'{"revision":1,"error":"' + b"x" * (10 * 1024 * 1024) + b'"}'))
    expect(413, raw(box, b'{"revision":1,"applied":[' + b",".join([b'"L1-X"'] * 60000) + b"]}"))
    for body in (b"", b"[]", b'"x"', b"null", b"5"):
        assert raw(box, body).status in (400, 422), body
    for body in (b"{", b'{"revision":1,"revision":2}', b'{"applied":' + b"[" * 100000 + b"]" * 100000 + b"}", b'{"a":' * 200000,
                 b'{"revision":01}', b'{"revision":1} x', b'{"revision":1e999}'):
        expect(400, raw(box, body))
    for word in (b"NaN", b"Infinity", b"-Infinity"):
        assert pointers(expect(422, raw(box, b'{"revision":' + word + b"}"))) == {"/revision"}
    expect(415, box.caller.call("POST", ACK, raw=b'{"revision":1}', headers={"Content-Type": "text/plain"}))
    assert state(database, rule, box) == "delivered"
    expect(200, box.acknowledge(1, [rule]))


@pytest.mark.parametrize("junk", [b"\xff\xfe", b"a\x00b", b"\\u0000", b"\\ud800", b"tab\tand\nline"], ids=ascii)
def test_slightly_broken_text_is_mended(box, rule, database, junk):
    body = json.dumps({"revision": 1, "failed": [{"rule_id": rule, "error": "JUNK!"}]}).encode().replace(b"JUNK", junk)
    expect(200, raw(box, body))
    assert deployment(database, rule, box)["error"].endswith("!")


# ---- agents in the field: they never acknowledge ----


def l1(rule, **members):
    """An L1 execution as they report it: the rule's id stands for the runbook."""
    return execution(runbook_id=rule, resolution_level="L1", incident_type=None, **members)


def test_a_field_agent_proves_an_install_by_using_the_rule(acme, site, box, rule, database):
    happened = ago(minutes=5)
    expect_accepted(box.report(l1(rule, completed_at=happened), l1(rule)))
    row = deployment(database, rule, box)
    assert row["deployment_status"] == "applied" and row["proven_at"] == row["acknowledged_at"]
    assert state(database, rule, site.appliances[1]) == "delivered", "that proves nothing of another appliance"
    assert acme.api.rule(rule)["acknowledged_count"] == 1
    assert database.rows("SELECT FROM appliance_rule_sync WHERE appliance_id = %s", box.appliance_id) == []


def test_the_rule_may_be_named_as_such(box, rule, database):
    expect_accepted(box.report(execution(rule_id=rule, resolution_level="L1")))
    assert deployment(database, rule, box)["proven_at"]


def test_what_is_no_l1_execution_of_a_rule_of_the_site_proves_nothing(rival, acme, site, box, rule, database):
    foreign = rival.new_rule()[0]["rule_id"]
    expect_accepted(box.report(l1(foreign), l1("L1-BACKUP-001"), l1(unique("L1-X")), execution(runbook_id=rule),
                               execution(runbook_id=rule, resolution_level="L3"), execution(runbook_id=rule, resolution_level=None)))
    assert state(database, rule, box) == "delivered"
    assert {row["deployment_status"] for row in states(database, foreign, rival.main).values()} == {"pending"}


def test_a_repeated_execution_proves_nothing_anew(box, rule, database):
    report = l1(rule)
    expect_accepted(box.report(report))
    before = deployment(database, rule, box)
    expect_accepted(box.report(report))
    expect_accepted(box.report(l1(rule)))
    assert deployment(database, rule, box) == before


def test_p21_using_the_old_version_proves_nothing_of_the_new_one(acme, site, box, database):
    """Field agents skip a file that exists: which version acted cannot be told."""
    answer, candidate = acme.new_rule(site)
    rule = answer["rule_id"]
    expect_accepted(box.report(l1(rule)))
    proven = deployment(database, rule, box)["proven_at"]
    expect(200, acme.api.set_status(rule, "archived"))
    assert state(database, rule, box) == "applied", "it cannot be withdrawn"
    expect(200, acme.api.approve(candidate["id"]))
    expect(200, box.pull())
    expect_accepted(box.report(l1(rule)))
    row = deployment(database, rule, box)
    assert (row["deployment_status"], row["rule_version"], row["proven_at"]) == ("delivered", 2, proven)


def test_of_an_appliance_that_acknowledges_only_that_counts(acme, box, rule, database):
    expect_accepted(box.report(l1(rule)))
    expect(200, box.acknowledge(1, [rule]))
    row = deployment(database, rule, box)
    assert (row["deployment_status"], row["proven_at"]) == ("applied", None)
    expect(200, acme.api.set_status(rule, "disabled"))
    expect(200, box.acknowledge(2))
    expect_accepted(box.report(l1(rule)))
    row = deployment(database, rule, box)
    assert (row["deployment_status"], row["proven_at"]) == ("removed", None)
