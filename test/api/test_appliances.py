"""Appliances as a technician sees them: when each was heard of, which rules it has, what it could not install and why."""

import pytest

from house.client import LEARNING, ago, expect
from house.control import control
from house.owner import Owner
from house.world import Appliance, Partner, execution, expect_accepted, unique
from test_candidates import every_page

APPLIANCES = "/api/partners/me/appliances"
SITES = "/api/partners/me/sites"
NOWHERE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def owner(quickstart):
    return Owner(quickstart)


@pytest.fixture
def clinic(server):
    return Partner(server)


def pull(appliance):
    return expect(200, appliance.caller.get("/api/agent/sync/promoted-rules")).json()


def acknowledge(appliance, revision, applied=(), failed=(), **members):
    body = {"site_id": appliance.site.site_id, "appliance_id": appliance.appliance_id, "revision": revision,
            "applied": list(applied), "failed": list(failed), **members}
    return expect(200, appliance.caller.post("/api/agent/sync/ack", body)).json()


def last_seen(owner, appliance, moment):
    owner.run("UPDATE site_appliances SET last_seen_at = %s WHERE appliance_id = %s", moment, appliance.appliance_id)


def deployments(partner, rule):
    return expect(200, partner.api.get(f"{LEARNING}/promoted-rules/{rule}/deployments")).json()


def at(partner, rule, appliance):
    return next(one for one in deployments(partner, rule)["deployments"] if one["appliance_id"] == appliance.appliance_id)


def shown(partner, appliance):
    found = expect(200, partner.api.get(APPLIANCES, q=appliance.appliance_id)).json()["appliances"]
    return next(one for one in found if one["appliance_id"] == appliance.appliance_id)


def site(partner, wanted):
    return next(one for one in expect(200, partner.api.get(SITES)).json()["sites"] if one["site_id"] == wanted.site_id)


# ---- one rule on the appliances of its site ----


def test_a_rule_that_nobody_has_fetched_waits_at_every_appliance(clinic):
    rule, _ = clinic.new_rule()
    answer = deployments(clinic, rule["rule_id"])
    assert (answer["rule_id"], answer["version"], answer["status"], answer["held"]) == (rule["rule_id"], 1, "active", False)
    assert answer["total"] == 2
    assert [one["appliance_id"] for one in answer["deployments"]] == sorted(a.appliance_id for a in clinic.main.appliances)
    for one in answer["deployments"]:
        assert (one["deployment_status"], one["rule_version"], one["agent"]) == ("pending", 1, "unknown")
        assert one["deployed_at"] and one["delivered_at"] is one["acknowledged_at"] is one["proven_at"] is one["error"] is None


def test_a_rule_is_named_by_its_row_or_its_rule_id(clinic):
    rule, _ = clinic.new_rule()
    row = clinic.api.rule(rule["rule_id"])["id"]
    assert deployments(clinic, row) == deployments(clinic, rule["rule_id"])
    assert deployments(clinic, row)["id"] == row


def test_p24_an_unknown_rule_and_a_foreign_one_are_404(clinic, rival):
    theirs, _ = rival.new_rule()
    for wrong in (theirs["rule_id"], rival.api.rule(theirs["rule_id"])["id"], NOWHERE, "L1-PROMOTED-NOBODYS", "x", "%C3%28"):
        expect(404, clinic.api.get(f"{LEARNING}/promoted-rules/{wrong}/deployments"))


def test_a_rule_that_is_held_back_was_sent_to_nobody_and_still_shows_all_appliances(clinic):
    candidate = clinic.new_candidate()
    rule = expect(200, clinic.api.approve(candidate["id"], deploy_immediately=False)).json()
    answer = deployments(clinic, rule["rule_id"])
    assert answer["held"] and answer["total"] == 2
    assert [(one["deployment_status"], one["rule_version"], one["deployed_at"]) for one in answer["deployments"]] == [(None,) * 3] * 2


def test_what_an_appliance_fetched_and_confirmed_is_shown_with_its_times(clinic):
    rule, _ = clinic.new_rule()
    first, second = clinic.main.appliances
    revision = pull(first)["revision"]
    fetched = at(clinic, rule["rule_id"], first)
    assert (fetched["deployment_status"], fetched["agent"]) == ("delivered", "old") and fetched["delivered_at"]
    acknowledge(first, revision, [rule["rule_id"]], agent="flywheel-agent/9.9.9")
    confirmed = at(clinic, rule["rule_id"], first)
    assert (confirmed["deployment_status"], confirmed["agent"]) == ("applied", "acknowledging")
    assert confirmed["acknowledged_at"] >= confirmed["delivered_at"] >= confirmed["deployed_at"]
    assert at(clinic, rule["rule_id"], second)["deployment_status"] == "pending"
    assert clinic.api.rule(rule["rule_id"])["acknowledged_count"] == 1


def test_a_failed_install_is_shown_with_the_appliances_reason(clinic):
    rule, _ = clinic.new_rule()
    box = clinic.main.appliances[0]
    acknowledge(box, pull(box)["revision"], failed=[{"rule_id": rule["rule_id"], "error": "a file of the clinic's own has this id"}])
    failed = at(clinic, rule["rule_id"], box)
    assert (failed["deployment_status"], failed["error"]) == ("failed", "a file of the clinic's own has this id")
    assert clinic.api.rule(rule["rule_id"])["failed_count"] == 1
    assert (shown(clinic, box)["rules_failed"], shown(clinic, box)["failing"]) == (1, True)
    assert site(clinic, clinic.main)["failing_appliances"] == 1
    clinic.api.set_status(rule["rule_id"], "disabled")
    assert (shown(clinic, box)["rules_failed"], shown(clinic, box)["failing"]) == (0, False)


def test_an_old_agent_shows_what_it_has_by_an_execution_and_cannot_withdraw_it(clinic):
    rule, candidate = clinic.new_rule()
    box = clinic.main.appliances[0]
    pull(box)
    done = execution(rule_id=rule["rule_id"], runbook_id=rule["rule_id"], resolution_level="L1", completed_at=ago(seconds=5),
                     pattern_signature=candidate["pattern_signature"])
    expect_accepted(box.report(done))
    proven = at(clinic, rule["rule_id"], box)
    assert (proven["deployment_status"], proven["agent"]) == ("applied", "old") and proven["proven_at"]
    expect(200, clinic.api.set_status(rule["rule_id"], "disabled"))
    assert at(clinic, rule["rule_id"], box)["deployment_status"] == "applied"
    one = shown(clinic, box)
    assert (one["rules_applied"], one["rules_to_withdraw"], one["acknowledged_revision"], one["revisions_behind"]) == (0, 1, None, None)


def test_what_is_withdrawn_is_to_be_removed_until_the_appliance_says_so(clinic):
    rule, _ = clinic.new_rule()
    box = clinic.main.appliances[0]
    acknowledge(box, pull(box)["revision"], [rule["rule_id"]])
    expect(200, clinic.api.set_status(rule["rule_id"], "disabled"))
    one = shown(clinic, box)
    assert (one["rules_applied"], one["rules_to_withdraw"], one["revisions_behind"]) == (0, 1, 1)
    acknowledge(box, pull(box)["revision"])
    assert at(clinic, rule["rule_id"], box)["deployment_status"] == "removed"
    one = shown(clinic, box)
    assert (one["rules_to_withdraw"], one["revisions_behind"]) == (0, 0)


def test_an_appliance_that_is_added_later_waits_for_the_rule_too(server, clinic):
    rule, _ = clinic.new_rule()
    late = Appliance(server, clinic.main, unique("late"))
    assert deployments(clinic, rule["rule_id"])["total"] == 3
    assert at(clinic, rule["rule_id"], late)["deployment_status"] == "pending"


def test_a_revoked_appliance_is_shown_as_such(clinic):
    rule, _ = clinic.new_rule()
    box = clinic.main.appliances[0]
    control("appliance", "revoke", "--appliance-id", box.appliance_id)
    one = at(clinic, rule["rule_id"], box)
    assert (one["appliance_status"], one["silent"]) == ("revoked", False)


# ---- all appliances ----


def test_an_appliance_that_never_called_is_silent(clinic):
    one = shown(clinic, clinic.annex.appliances[0])
    assert one["last_seen_at"] is None and one["silent"] is True
    assert (one["status"], one["failing"], one["engine_errors"], one["dropped_executions"]) == ("active", False, [], 0)
    assert (one["rules_applied"], one["rules_pending"], one["rules_failed"], one["rules_to_withdraw"]) == (0, 0, 0, 0)


@pytest.mark.parametrize("past, silent", [({"minutes": 55}, False), ({"minutes": 65}, True), ({"days": 40}, True)])
def test_silent_is_who_was_not_heard_of_for_more_than_an_hour(clinic, owner, past, silent):
    box = clinic.annex.appliances[0]
    last_seen(owner, box, ago(**past))
    assert shown(clinic, box)["silent"] is silent
    assert site(clinic, clinic.annex)["silent_appliances"] == int(silent)
    assert site(clinic, clinic.annex)["last_seen_at"][:16] == ago(**past)[:16] or silent
    found = expect(200, clinic.api.get(APPLIANCES, state="silent", site_id=clinic.annex.site_id)).json()
    assert found["total"] == int(silent)


def test_what_calls_is_no_longer_silent(clinic, owner):
    box = clinic.main.appliances[0]
    last_seen(owner, box, ago(days=3))
    assert shown(clinic, box)["silent"]
    pull(box)
    assert not shown(clinic, box)["silent"]
    assert site(clinic, clinic.main)["silent_appliances"] == 1  # the other


def test_a_revoked_appliance_is_neither_silent_nor_failing_nor_counted(clinic):
    box = clinic.annex.appliances[0]
    control("appliance", "revoke", "--appliance-id", box.appliance_id)
    one = shown(clinic, box)
    assert (one["status"], one["silent"], one["failing"]) == ("revoked", False, False)
    of_site = site(clinic, clinic.annex)
    assert (of_site["appliance_count"], of_site["silent_appliances"], of_site["failing_appliances"]) == (0, 0, 0)
    assert [a["appliance_id"] for a in expect(200, clinic.api.get(APPLIANCES, state="revoked")).json()["appliances"]] == [box.appliance_id]


def test_what_an_appliance_says_of_itself_is_shown(clinic):
    box = clinic.main.appliances[0]
    acknowledge(box, pull(box)["revision"], agent="flywheel-agent/9.9.9", dropped_executions=7, error="signed by no key that is known here",
                engine_errors=[{"file": "own.yaml", "error": "no conditions"}])
    one = shown(clinic, box)
    assert (one["agent"], one["dropped_executions"], one["failing"]) == ("flywheel-agent/9.9.9", 7, True)
    assert one["last_error"] == "signed by no key that is known here" and one["last_error_at"]
    assert one["engine_errors"] == [{"file": "own.yaml", "error": "no conditions"}]
    assert (one["acknowledged_revision"], one["site_revision"], one["revisions_behind"]) == (0, 0, 0)
    assert site(clinic, clinic.main)["failing_appliances"] == 1
    acknowledge(box, 0, agent="flywheel-agent/9.9.9", engine_errors=[])
    one = shown(clinic, box)
    assert (one["last_error"], one["engine_errors"], one["failing"]) == (None, [], False)


def test_how_far_behind_an_appliance_is_counts_changes(clinic):
    box = clinic.main.appliances[0]
    acknowledge(box, pull(box)["revision"])
    for _ in range(2):
        clinic.new_rule()
    one = shown(clinic, box)
    assert (one["acknowledged_revision"], one["site_revision"], one["revisions_behind"], one["rules_pending"]) == (0, 2, 2, 2)
    behind = expect(200, clinic.api.get(APPLIANCES, state="behind")).json()["appliances"]
    assert [a["appliance_id"] for a in behind] == [box.appliance_id]  # not those that never acknowledge


def test_appliances_are_filtered(clinic):
    def ids(**query):
        return {one["appliance_id"] for one in expect(200, clinic.api.get(APPLIANCES, **query)).json()["appliances"]}
    everything = {box.appliance_id for place in (clinic.main, clinic.annex) for box in place.appliances}
    assert ids() == everything
    assert ids(site_id=clinic.annex.site_id) == {clinic.annex.appliances[0].appliance_id}
    assert ids(q=clinic.main.appliances[0].appliance_id.upper()) == {clinic.main.appliances[0].appliance_id}
    assert ids(q=clinic.annex.name) == {clinic.annex.appliances[0].appliance_id}
    assert ids(q="100%_sure") == ids(state="failing") == ids(state="behind") == ids(state="revoked") == set()


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_p34_pages_of_appliances_give_every_row_once(clinic, limit):
    rows, _ = every_page(clinic.api, APPLIANCES, "appliances", limit=limit)
    whole = expect(200, clinic.api.get(APPLIANCES)).json()["appliances"]
    assert [row["appliance_id"] for row in rows] == [row["appliance_id"] for row in whole] and len(rows) == 3
    assert [(row["site_name"], row["appliance_id"]) for row in whole] == sorted((row["site_name"], row["appliance_id"]) for row in whole)


@pytest.mark.parametrize("query", [{"state": "loud"}, {"limit": "0"}, {"limit": "201"}, {"cursor": "x"}, {"what": "1"}, {"site_id": ""}])
def test_p33_wrong_parameters_are_400(clinic, query):
    expect(400, clinic.api.get(APPLIANCES, **query))


def test_p24_appliances_of_others_are_not_shown(clinic, rival):
    theirs = rival.main.appliances[0]
    for query in ({"site_id": rival.main.site_id}, {"q": theirs.appliance_id}):
        assert expect(200, clinic.api.get(APPLIANCES, **query)).json()["appliances"] == []
    whole = expect(200, clinic.api.get(APPLIANCES, limit=200)).json()
    assert whole["total"] == 3 and theirs.appliance_id not in str(whole)


def test_a_viewer_sees_appliances_and_an_appliance_does_not(clinic):
    viewer = clinic.sign_in("viewer")
    rule, _ = clinic.new_rule()
    for path in (APPLIANCES, f"{LEARNING}/promoted-rules/{rule['rule_id']}/deployments"):
        answer = expect(200, viewer.get(path))
        expect(304, viewer.call("GET", path, headers={"If-None-Match": answer.headers["ETag"]}))
        assert clinic.main.appliances[0].caller.get(path).status in (401, 403)
        expect(403, clinic.new_key("decide").get(path))


def test_nobody_sees_appliances_without_signing_in(clinic, nobody):
    rule, _ = clinic.new_rule()
    for path in (APPLIANCES, f"{LEARNING}/promoted-rules/{rule['rule_id']}/deployments"):
        expect(401, nobody.get(path))
        expect(400, clinic.api.get(path, surprise="1"))
