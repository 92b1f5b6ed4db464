"""What appliances are given to install: signed, since a revision, to none but themselves."""

import pytest
import requests

from house.client import Caller, expect
from house.control import control
from house.delivery import RULES, Verifier, gone, installed, state, states
from house.owner import Owner
from house.world import Appliance, unique
from test_approve import in_parallel


@pytest.fixture(scope="module")
def verifier(quickstart, tmp_path_factory):
    return Verifier(quickstart, tmp_path_factory.mktemp("keys"))


@pytest.fixture(name="site")
def fixture_site(acme):
    return acme.new_site(2)


@pytest.fixture(name="box")
def fixture_box(site):
    return site.appliances[0]


# ---- what is given ----


def test_p25_an_approved_rule_is_given_as_it_was_approved_and_signed(acme, site, box, verifier):
    rule, candidate = acme.new_rule(site)
    body = verifier.check(expect(200, box.pull()), box)
    assert body["full"] and body["removed"] == []
    given = body["rules"][0]
    assert (given["rule_id"], given["rule_yaml"], given["version"]) == (rule["rule_id"], rule["rule_yaml"], 1)
    assert given["pattern_signature"] == candidate["pattern_signature"] and given["promoted_by"]


def test_p11_a_name_of_any_characters_arrives_with_every_byte(acme, site, box, verifier):
    candidate = acme.new_candidate(site)
    rule = expect(200, acme.api.approve(candidate["id"], custom_name='a: b # "c" \\ ünïcødé 🦷 </script>')).json()
    assert verifier.check(box.pull(), box)["rules"][0]["rule_yaml"] == rule["rule_yaml"]


def test_a_site_without_rules_is_told_so_and_that_is_signed(box, verifier):
    body = verifier.check(expect(200, box.pull()), box)
    assert (body["rules"], body["removed"], body["revision"], body["full"]) == ([], [], 0, True)
    assert verifier.check(box.pull(revision=0), box, since=0)["full"] is False


def test_p6_a_rule_is_delivered_to_whom_it_was_given_and_to_nobody_else(acme, site, box, database):
    rule, _ = acme.new_rule(site)
    assert state(database, rule["rule_id"], box) == "pending"
    expect(200, box.pull())
    rows = states(database, rule["rule_id"], site)
    assert rows[box.appliance_id]["deployment_status"] == "delivered" and rows[box.appliance_id]["delivered_at"]
    assert rows[site.appliances[1].appliance_id]["deployment_status"] == "pending"
    assert acme.api.rule(rule["rule_id"])["acknowledged_count"] == 0


def test_p21_what_changes_is_told_by_revision(acme, site, box, verifier):
    first, _ = acme.new_rule(site)
    at = verifier.check(box.pull(), box)["revision"]
    assert at == 1
    body = verifier.check(box.pull(revision=at), box, since=at)
    assert (body["rules"], body["removed"], body["revision"], body["full"]) == ([], [], at, False)

    second, candidate = acme.new_rule(site)
    body = verifier.check(box.pull(revision=at), box, since=at)
    assert (installed(body), gone(body), body["revision"]) == ([second["rule_id"]], [], 2)
    for status, expected in (("disabled", ([], [second["rule_id"]])), ("active", ([second["rule_id"]], [])),
                             ("archived", ([], [second["rule_id"]]))):
        expect(200, acme.api.set_status(second["rule_id"], status))
        body = verifier.check(box.pull(revision=body["revision"]), box, since=body["revision"])
        assert (installed(body), gone(body)) == expected, status
    expect(200, acme.api.approve(candidate["id"]))
    body = verifier.check(box.pull(revision=body["revision"]), box, since=body["revision"])
    assert [(rule["rule_id"], rule["version"]) for rule in body["rules"]] == [(second["rule_id"], 2)] and body["removed"] == []
    assert sorted(installed(verifier.check(box.pull(), box))) == sorted([first["rule_id"], second["rule_id"]])


def test_p21_what_is_to_go_is_told_until_the_appliance_has_acknowledged_it(acme, site, box):
    rule, _ = acme.new_rule(site)
    box.sync()
    expect(200, acme.api.set_status(rule["rule_id"], "disabled"))
    at = expect(200, box.pull(revision=1)).json()["revision"]
    for _ in range(2):
        assert gone(box.pull(revision=at).json()) == [rule["rule_id"]]
    expect(200, box.acknowledge(at))
    assert gone(box.pull(revision=at).json()) == []
    assert gone(box.pull().json()) == [rule["rule_id"]], "who asks for everything is told, whatever was acknowledged"
    assert gone(site.appliances[1].pull(revision=at).json()) == [rule["rule_id"]], "the other one has not acknowledged"


def test_p22_an_unknown_revision_is_answered_with_everything(acme, site, box, verifier):
    rule, _ = acme.new_rule(site)
    for query in ({}, {"revision": 2}, {"revision": 2**53}, {"since": "2100-01-01T00:00:00Z"}):
        body = verifier.check(expect(200, box.pull(**query)), box)
        assert body["full"] and installed(body) == [rule["rule_id"]], query


def test_a_rule_that_is_held_back_is_not_given_until_it_is_sent(acme, site, box):
    candidate = acme.new_candidate(site)
    held = expect(200, acme.api.approve(candidate["id"], deploy_immediately=False)).json()
    assert installed(box.pull().json()) == []
    at = box.pull().json()["revision"]
    expect(200, acme.api.deploy(held["rule_id"]))
    assert installed(box.pull(revision=at).json()) == [held["rule_id"]]


# ---- nothing is missed ----


def test_p23_an_appliance_that_was_off_for_a_month_catches_up_in_one_pull(acme, site, box, quickstart, verifier):
    rules = [acme.new_rule(site)[0]["rule_id"] for _ in range(3)]
    box.sync()
    later = acme.new_rule(site)[0]["rule_id"]
    expect(200, acme.api.set_status(rules[0], "disabled"))
    Owner(quickstart).run("UPDATE promoted_rule_deployments SET deployed_at = deployed_at - interval '40 days', "
                          "delivered_at = delivered_at - interval '40 days' WHERE site_id = %s", site.site_id)
    Owner(quickstart).run("UPDATE promoted_rules SET promoted_at = promoted_at - interval '40 days', released_at = released_at "
                          "- interval '40 days', updated_at = updated_at - interval '40 days' WHERE site_id = %s", site.site_id)
    body = verifier.check(box.pull(revision=3), box, since=3)
    assert (installed(body), gone(body)) == ([later], [rules[0]])


def test_p23_an_appliance_that_is_added_later_gets_all_active_rules(acme, site, database, server):
    active, disabled = acme.new_rule(site)[0], acme.new_rule(site)[0]
    expect(200, acme.api.set_status(disabled["rule_id"], "disabled"))
    new = Appliance(server, site, unique("box"))
    assert state(database, active["rule_id"], new) == "pending"
    assert acme.api.rule(active["rule_id"])["deployment_count"] == 3
    body = new.pull().json()
    assert (installed(body), gone(body)) == ([active["rule_id"]], [])
    expect(200, new.acknowledge(body["revision"], [active["rule_id"]]))
    assert acme.api.rule(active["rule_id"])["acknowledged_count"] == 1


def test_p23_what_has_not_been_sent_is_given_whatever_its_revision(acme, site, database):
    """An agent that was copied with its state file onto another machine says a revision that this one never pulled."""
    rule, _ = acme.new_rule(site)
    at = site.appliances[0].sync()["revision"]
    copied = site.appliances[1]
    for _ in range(2):
        assert installed(copied.pull(revision=at).json()) == [rule["rule_id"]], "also when the first answer was lost"
    assert state(database, rule["rule_id"], copied) == "pending"
    copied.sync(at)
    assert state(database, rule["rule_id"], copied) == "applied" and installed(copied.pull(revision=at).json()) == []


def test_p22_a_change_is_never_missed_while_people_decide(partner, server):
    """One appliance follows the revisions while rules are approved, disabled and enabled by three people."""
    site, box = partner.main, partner.main.appliances[0]
    candidates = [partner.new_candidate(site) for _ in range(30)]
    callers = [Caller(server, key=partner.api.key) for _ in range(3)]
    deciding = [True] * 3

    def decide(who):
        for number, candidate in enumerate(candidates[who::3]):
            rule = expect(200, callers[who].approve(candidate["id"]))["rule_id"]
            if number % 2:
                expect(200, callers[who].set_status(rule, "disabled"))
            if number % 4 == 3:
                expect(200, callers[who].set_status(rule, "active"))
        deciding[who] = False

    def follow(have, at=0):
        while True:
            last = not any(deciding)
            body = expect(200, box.pull(revision=at)).json()
            assert body["revision"] >= at and not body["full"]
            have |= set(installed(body))
            have -= set(gone(body))
            at = body["revision"]
            if last:
                return have

    followed = in_parallel(4, lambda who: decide(who) if who < 3 else follow(set()))[3]
    active = {rule["rule_id"] for rule in partner.api.rules(status="active", limit=200)["rules"]}
    assert len(active) == 30 - 15 + 6
    assert followed == active
    assert set(installed(box.pull().json())) == active


def test_p23_appliances_that_are_added_while_rules_are_approved_miss_none(partner, server, database):
    site = partner.main
    candidates = [partner.new_candidate(site) for _ in range(12)]
    caller = Caller(server, key=partner.api.key)

    def work(who):
        if who == 0:
            return [expect(200, caller.approve(candidate["id"]))["rule_id"] for candidate in candidates]
        return [Appliance(server, site, unique("late")) for _ in range(6)]

    rules, late = in_parallel(2, work)
    rows = database.rows("SELECT rule_id, appliance_id FROM promoted_rule_deployments WHERE site_id = %s", site.site_id)
    assert {(row["rule_id"], row["appliance_id"]) for row in rows} == {
        (rule, box.appliance_id) for rule in rules for box in (*site.appliances, *late)}
    assert {row["deployment_count"] for row in database.rows(
        "SELECT deployment_count FROM promoted_rules WHERE site_id = %s", site.site_id)} == {8}


def test_after_a_restored_back_up_everybody_gets_everything_once(acme, site, box, quickstart, verifier, database):
    rule, _ = acme.new_rule(site)
    box.sync()
    Owner(quickstart).run("UPDATE sites SET rules_revision = rules_revision + 1000000, rules_full_below = rules_revision + "
                          "1000000 WHERE site_id = %s", site.site_id)
    for stands_at in (0, 1, 900):  # known, and made up after the back-up
        body = verifier.check(box.pull(revision=stands_at), box)
        assert body["full"] and body["revision"] == 1000001 and installed(body) == [rule["rule_id"]]
    late = expect(200, box.acknowledge(900, [rule["rule_id"]])).json()
    assert (late["status"], late["acknowledged"], late["revision"]) == ("outdated", 0, 1000001)
    anew = acme.new_site(1).appliances[0]
    Owner(quickstart).run("UPDATE sites SET rules_revision = rules_revision + 1000000, rules_full_below = rules_revision + "
                          "1000000 WHERE site_id = %s", anew.site.site_id)
    expect(200, anew.acknowledge(0, error="signed by no known key"))
    assert database.row("SELECT last_error FROM appliance_rule_sync WHERE appliance_id = %s",
                        anew.appliance_id)["last_error"] == "signed by no known key"
    expect(200, box.acknowledge(1000001, [rule["rule_id"]]))
    assert verifier.check(box.pull(revision=1000001), box, since=1000001)["rules"] == []


# ---- to nobody else ----


def test_p24_a_rule_reaches_no_other_site(acme, rival, site, box):
    acme.new_rule(site)
    mine = installed(box.pull().json())
    for other in (acme.annex.appliances[0], rival.main.appliances[0], acme.new_site(1).appliances[0]):
        for query in ({}, {"revision": 0}):
            assert not set(mine) & set(installed(expect(200, other.pull(**query)).json()))


def test_p24_who_names_another_site_or_appliance_is_refused_and_nothing_is_noted(acme, rival, site, box, database):
    rule, _ = acme.new_rule(site)
    for query in ({"site_id": acme.annex.site_id}, {"site_id": rival.main.site_id}, {"site_id": "nowhere"},
                  {"appliance_id": site.appliances[1].appliance_id}, {"appliance_id": "nobody"},
                  {"site_id": site.site_id, "appliance_id": rival.main.appliances[0].appliance_id}):
        assert expect(403, box.pull(**query))["type"].endswith("foreign-appliance")
    assert state(database, rule["rule_id"], box) == "pending"
    for query in ({"site_id": site.site_id, "appliance_id": box.appliance_id}, {"site_id": "", "appliance_id": ""}):
        assert installed(expect(200, box.pull(**query)).json()) == [rule["rule_id"]]


def test_only_an_appliances_token_opens_it(acme, nobody, server, site):
    expect(401, nobody.get(RULES))
    expect(401, Caller(server, token="wrong").get(RULES))
    expect(401, acme.api.get(RULES))
    box = site.appliances[1]
    control("appliance", "revoke", "--appliance-id", box.appliance_id)
    expect(401, box.pull())


# ---- the request ----


TIMES = ["2026-11-22T12:00:00Z", "2026-11-22T12:00:00+00:00", "2026-11-22T12:00:00.123456+00:00", "2026-11-22T12%3A00%3A00%2B00%3A00",
         "2026-11-22T12:00:00.123456%2B00:00", "2100-01-01T00:00:00Z"]


@pytest.mark.parametrize("since", TIMES)
def test_p22_since_is_understood_as_agents_in_the_field_send_it_and_filters_nothing(acme, site, box, since):
    rule, _ = acme.new_rule(site)
    answer = box.caller.call("GET", f"{RULES}?site_id={site.site_id}&since={since}", headers={"X-Site-ID": site.site_id})
    assert installed(expect(200, answer).json()) == [rule["rule_id"]] and answer["full"]


@pytest.mark.parametrize("query", [
    "since=yesterday", "since=", "since=2026-02-30T00:00:00Z", "since=1795348800", "revision=-1", "revision=x", "revision=",
    "revision=1.5", "revision=1e3", "revision=9007199254740993", "revision=99999999999999999999", "revision=1&revision=2",
    "revision=%00", "site_id=%FF", "site_id=" + "x" * 129, "appliance_id=" + "x" * 256, "since=" + "0" * 65, "limit=5", "q=%"])
def test_a_query_that_is_none_is_400(box, query):
    expect(400, box.caller.get(f"{RULES}?{query}"))


def test_a_body_is_not_looked_at_up_to_the_size_of_a_report(box):
    expect(200, box.caller.call("GET", RULES, raw=b"[" * 70_000))
    expect(413, box.caller.call("GET", RULES, raw=b"x" * (9 * 1024 * 1024)))


def test_a_header_that_names_another_site_changes_nothing(acme, rival, site, box):
    rule, _ = acme.new_rule(site)
    answer = box.caller.call("GET", RULES, headers={"X-Site-ID": rival.main.site_id})
    assert installed(expect(200, answer).json()) == [rule["rule_id"]]


# ---- while nothing changes ----


def test_nothing_new_is_304_until_something_is(acme, site, box):
    rule, _ = acme.new_rule(site)
    first = expect(200, box.pull())
    tag = first.headers["ETag"]
    again = expect(200, box.pull())
    assert again.headers["ETag"] == tag and again["signed"] != first["signed"], "the tag does not follow the times"
    expect(304, box.pull(tag))
    expect(304, box.pull('"other", ' + tag.replace("W/", "")))
    assert box.pull(tag, revision=1).status == 200, "another question, another answer"
    at = expect(200, box.pull(revision=1))
    expect(304, box.pull(at.headers["ETag"], revision=1))
    expect(200, acme.api.set_status(rule["rule_id"], "disabled"))
    for stale, query in ((tag, {}), (at.headers["ETag"], {"revision": 1})):
        assert gone(expect(200, box.pull(stale, **query)).json()) == [rule["rule_id"]]


def test_the_tag_of_another_appliance_is_another(acme, site):
    acme.new_rule(site)
    one, two = (expect(200, box.pull()).headers["ETag"] for box in site.appliances)
    assert one != two


def test_head_is_answered_like_get(acme, site, box):
    acme.new_rule(site)
    answer = expect(200, box.caller.call("HEAD", RULES))
    assert answer.body == b"" and answer.headers["ETag"] == box.pull().headers["ETag"]


def test_polling_writes_no_more_than_that_the_appliance_was_seen_and_that_twice_a_minute(acme, site, box, database, quickstart):
    acme.new_rule(site)
    tag = box.pull().headers["ETag"]
    seen = "SELECT last_seen_at, xmin::text FROM site_appliances WHERE appliance_id = %s"
    row = "SELECT xmin::text FROM promoted_rule_deployments WHERE appliance_id = %s"
    before = database.row(seen, box.appliance_id), database.rows(row, box.appliance_id)
    for _ in range(3):
        expect(304, box.pull(tag))
    assert (database.row(seen, box.appliance_id), database.rows(row, box.appliance_id)) == before
    Owner(quickstart).run("UPDATE site_appliances SET last_seen_at = last_seen_at - interval '31 seconds' WHERE appliance_id = %s",
                          box.appliance_id)
    expect(304, box.pull(tag))
    assert database.row(seen, box.appliance_id)["last_seen_at"] > before[0]["last_seen_at"]
    assert database.rows(row, box.appliance_id) == before[1]


def test_many_poll_at_once(acme, site):
    acme.new_rule(site)
    tags = {box: box.pull().headers["ETag"] for box in site.appliances}

    def poll(who):
        box = site.appliances[who % 2]
        session = requests.Session()
        return [session.get(box.caller.server.url + RULES, timeout=60, headers={
            "Authorization": "Bearer " + box.caller.token, "If-None-Match": tags[box]}).status_code for _ in range(25)]

    assert {status for answers in in_parallel(8, poll) for status in answers} == {304}
