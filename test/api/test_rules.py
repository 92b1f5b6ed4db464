"""Promoted rules: their list and their status."""

import psycopg2
import pytest

from house.client import LEARNING, expect, pointers
from house.world import Partner, unique
from test_candidates import every_page

MEMBERS = ("id", "rule_id", "pattern_signature", "site_id", "site_name", "name", "status", "deployment_count",
           "acknowledged_count", "promoted_at", "last_deployed_at", "notes")


@pytest.fixture(scope="module")
def shelf(server):
    """A partner with 9 rules: 6 active, 2 disabled, 1 archived."""
    shelf = Partner(server)
    shelf.made = [shelf.new_rule(shelf.annex if number == 8 else shelf.main)[0]["rule_id"] for number in range(9)]
    for rule_id, status in zip(shelf.made, ("disabled", "disabled", "archived")):
        expect(200, shelf.api.set_status(rule_id, status))
    return shelf


def test_a_rule_has_all_members(shelf):
    page = shelf.api.rules()
    assert page["total"] == 9 and page["next_cursor"] is None
    for rule in page["rules"]:
        for member in MEMBERS:
            assert member in rule, member
        assert rule["promoted_at"].endswith("Z")


def test_rules_come_newest_first(shelf):
    assert [rule["rule_id"] for rule in shelf.api.rules()["rules"]] == shelf.made[::-1]


@pytest.mark.parametrize("sort", ["promoted_at", "rule_id"])
def test_rules_are_sorted_both_ways(shelf, sort):
    up = [rule[sort] for rule in shelf.api.rules(sort=sort)["rules"]]
    assert up == sorted(up)
    assert [rule[sort] for rule in shelf.api.rules(sort="-" + sort)["rules"]] == up[::-1]


def test_rules_are_filtered(shelf):
    assert shelf.api.rules(status="active")["total"] == 6
    assert shelf.api.rules(status="disabled")["total"] == 2
    assert shelf.api.rules(status="archived")["total"] == 1
    assert shelf.api.rules(site_id=shelf.annex.site_id)["total"] == 1
    assert [rule["rule_id"] for rule in shelf.api.rules(q=shelf.made[4])["rules"]] == [shelf.made[4]]


@pytest.mark.parametrize("limit", [1, 4, 9, 10])
@pytest.mark.parametrize("sort", [None, "rule_id", "-promoted_at"])
def test_p34_pages_of_rules_give_every_row_once(shelf, limit, sort):
    query = {} if sort is None else {"sort": sort}
    rows, _ = every_page(shelf.api, LEARNING + "/promoted-rules", "rules", limit=limit, **query)
    assert [rule["id"] for rule in rows] == [rule["id"] for rule in shelf.api.rules(limit=200, **query)["rules"]]


@pytest.mark.parametrize("query", [{"status": "pending"}, {"sort": "name"}, {"limit": "0"}, {"what": "1"}])
def test_p33_wrong_parameters_are_400(shelf, query):
    expect(400, shelf.api.get(LEARNING + "/promoted-rules", **query))


def test_a_rule_is_named_by_its_row_or_its_rule_id(acme):
    answer, _ = acme.new_rule()
    row = acme.api.rule(answer["rule_id"])["id"]
    changed = expect(200, acme.api.set_status(row, "disabled")).json()
    assert changed["status"] == "updated"
    assert (changed["rule_id"], changed["new_status"]) == (answer["rule_id"], "disabled")
    changed = expect(200, acme.api.set_status(answer["rule_id"], "active")).json()
    assert (changed["rule_id"], changed["new_status"]) == (answer["rule_id"], "active")


def test_the_status_is_taken_from_the_query_as_well(acme):
    answer, _ = acme.new_rule()
    path = f"{LEARNING}/promoted-rules/{answer['rule_id']}/status"
    assert expect(200, acme.api.patch(path, status="disabled"))["new_status"] == "disabled"
    assert acme.api.rule(answer["rule_id"])["status"] == "disabled"


def test_a_status_in_query_and_body_must_agree(acme):
    answer, _ = acme.new_rule()
    path = f"{LEARNING}/promoted-rules/{answer['rule_id']}/status"
    clash = acme.api.patch(path, {"status": "active"}, status="disabled")
    assert clash.status in (400, 422), clash
    assert acme.api.rule(answer["rule_id"])["status"] == "active"


@pytest.mark.parametrize("body", [{}, {"status": "on"}, {"status": "Active"}, {"status": None}, {"status": 1},
                                  {"status": "disabled", "why": "x"}])
def test_a_wrong_status_is_refused(acme, body):
    answer, _ = acme.new_rule()
    refused = expect(422, acme.api.patch(f"{LEARNING}/promoted-rules/{answer['rule_id']}/status", body))
    assert pointers(refused) & {"/status", "/why"}
    assert acme.api.rule(answer["rule_id"])["status"] == "active"


def test_a_wrong_status_in_the_query_is_refused(acme):
    answer, _ = acme.new_rule()
    refused = acme.api.patch(f"{LEARNING}/promoted-rules/{answer['rule_id']}/status", status="gone")
    assert refused.status in (400, 422), refused


def test_a_rule_goes_off_and_on_and_each_change_is_audited(acme, database):
    answer, candidate = acme.new_rule()
    for status in ("disabled", "active", "disabled", "archived"):
        expect(200, acme.api.set_status(answer["rule_id"], status))
        assert acme.api.rule(answer["rule_id"])["status"] == status
    actions = [row["action"] for row in database.audit(candidate["pattern_signature"])
               if row["action"] not in ("candidate.approved", "rule.created", "rule.deployed")]
    assert actions == ["rule.disabled", "rule.enabled", "rule.disabled", "rule.archived"]


@pytest.mark.parametrize("status", ["active", "disabled", "archived"])
def test_p13_setting_the_status_it_has_changes_and_logs_nothing(acme, database, status):
    answer, candidate = acme.new_rule()
    if status != "active":
        expect(200, acme.api.set_status(answer["rule_id"], status))
    before = database.audit(candidate["pattern_signature"])
    row = database.row("SELECT * FROM promoted_rules WHERE site_id = %s AND rule_id = %s", acme.main.site_id,
                       answer["rule_id"])
    expect(200, acme.api.set_status(answer["rule_id"], status))
    assert database.audit(candidate["pattern_signature"]) == before
    assert database.row("SELECT * FROM promoted_rules WHERE site_id = %s AND rule_id = %s", acme.main.site_id,
                        answer["rule_id"]) == row


@pytest.mark.parametrize("status", ["active", "disabled"])
def test_archived_is_final(acme, status):
    answer, _ = acme.new_rule()
    expect(200, acme.api.set_status(answer["rule_id"], "archived"))
    expect(409, acme.api.set_status(answer["rule_id"], status))
    expect(409, acme.api.deploy(answer["rule_id"]))
    assert acme.api.rule(answer["rule_id"])["status"] == "archived"


def test_an_unknown_rule_is_404(acme):
    for wrong in ("L1-PROMOTED-NOBODYS", "00000000-0000-4000-8000-000000000000", "x"):
        expect(404, acme.api.set_status(wrong, "disabled"))
        expect(404, acme.api.deploy(wrong))


def test_p38_a_repeated_change_of_status_is_answered_the_same(acme):
    answer, _ = acme.new_rule()
    headers = {"Idempotency-Key": unique("idem")}
    path = f"{LEARNING}/promoted-rules/{answer['rule_id']}/status"
    first = expect(200, acme.api.patch(path, {"status": "disabled"}, headers=headers))
    expect(200, acme.api.patch(path, {"status": "active"}))
    again = expect(200, acme.api.patch(path, {"status": "disabled"}, headers=headers))
    assert again.body == first.body
    assert acme.api.rule(answer["rule_id"])["status"] == "active"


def test_p13_every_kind_of_decision_has_its_row_in_the_audit_log(partner, database):
    answer, candidate = partner.new_rule()
    rejected = partner.new_candidate()
    expect(200, partner.api.reject(rejected["id"]))
    for status in ("disabled", "active", "archived"):
        expect(200, partner.api.set_status(answer["rule_id"], status))
    expect(200, partner.api.approve(candidate["id"], deploy_immediately=False))
    expect(200, partner.api.deploy(answer["rule_id"]))
    rows = database.audit(candidate["pattern_signature"]) + database.audit(rejected["pattern_signature"])
    actions = {row["action"] for row in rows}
    assert actions >= {"candidate.approved", "candidate.rejected", "rule.created", "rule.regenerated",
                       "rule.deployed", "rule.disabled", "rule.enabled", "rule.archived"}
    for row in rows:
        assert row["actor"] and row["request_id"] and row["entity_id"]
        assert row["before"] is not None or row["action"] in ("rule.created",), row


def test_p13_nobody_can_change_the_audit_log(partner, database):
    partner.new_rule()
    for statement in ("UPDATE promotion_audit_log SET reason = 'x'", "DELETE FROM promotion_audit_log",
                      "TRUNCATE promotion_audit_log"):
        with pytest.raises(psycopg2.Error):
            database.rows(statement)


def test_a_list_of_rules_that_has_not_changed_is_304(partner):
    answer, _ = partner.new_rule()
    tag = expect(200, partner.api.get(LEARNING + "/promoted-rules")).headers["ETag"]
    expect(304, partner.api.call("GET", LEARNING + "/promoted-rules", headers={"If-None-Match": tag}))
    expect(200, partner.api.set_status(answer["rule_id"], "disabled"))
    expect(200, partner.api.call("GET", LEARNING + "/promoted-rules", headers={"If-None-Match": tag}))
