"""Nobody sees or touches another partner's or site's data; what is foreign looks like what does not exist."""

import pytest

from house.client import LEARNING, expect
from house.world import execution, expect_accepted, pattern

NOWHERE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def theirs(rival):
    """Something of everything that belongs to the rival."""
    rule, decided = rival.new_rule()
    candidate = rival.new_candidate()
    expect_accepted(rival.main.appliances[0].report(execution(pattern_signature=candidate["pattern_signature"])))
    return {"candidate": candidate, "decided": decided, "rule_id": rule["rule_id"],
            "rule_row": rival.api.rule(rule["rule_id"])["id"], "site": rival.main.site_id}


def same_refusal(foreign, missing, names):
    """Both 404, and nothing in the text but the name that was asked for tells them apart."""
    expect(404, foreign)
    expect(404, missing)
    one, two = foreign.json(), missing.json()
    for problem in (one, two):
        problem.pop("request_id")
        problem.pop("instance", None)
        for name in names:
            problem["detail"] = problem["detail"].replace(name, "…")
    assert one == two
    assert ({name.lower() for name in foreign.headers} == {name.lower() for name in missing.headers})


def test_p24_a_foreign_candidate_is_answered_like_none(acme, theirs):
    foreign = theirs["candidate"]["id"]
    for path, method, body in (("", "GET", None), ("/approve", "POST", {}), ("/reject", "POST", {"reason": "Not ours"})):
        answers = [acme.api.call(method, f"{LEARNING}/candidates/{candidate}{path}", body=body)
                   for candidate in (foreign, NOWHERE)]
        same_refusal(*answers, (foreign, NOWHERE))


def test_p24_a_foreign_rule_is_answered_like_none(acme, theirs):
    for foreign, missing in ((theirs["rule_row"], NOWHERE), (theirs["rule_id"], "L1-PROMOTED-NOBODYS")):
        for path, method, body in (("/status", "PATCH", {"status": "archived"}), ("/deploy", "POST", None)):
            answers = [acme.api.call(method, f"{LEARNING}/promoted-rules/{rule}{path}", body=body)
                       for rule in (foreign, missing)]
            same_refusal(*answers, (foreign, missing))


def test_p24_foreign_attempts_have_changed_nothing(acme, rival, theirs):
    rule = rival.api.rule(theirs["rule_id"])
    assert rule["status"] == "active"
    assert rival.find(theirs["candidate"]["pattern_signature"])["approval_status"] == "not_submitted"


@pytest.mark.parametrize("path, member", [("/candidates", "candidates"), ("/promoted-rules", "rules"),
                                          ("/execution-history", "executions")])
def test_p24_a_foreign_site_shows_as_much_as_none(acme, theirs, path, member):
    foreign = acme.api.get(LEARNING + path, site_id=theirs["site"])
    missing = acme.api.get(LEARNING + path, site_id="no-such-site")
    assert foreign.status == missing.status, (foreign, missing)
    if foreign.status == 200:
        assert foreign[member] == [] and foreign["total"] == 0
        assert foreign.json() == missing.json()


def test_p24_lists_hold_own_rows_only(acme, theirs, database):
    acme.new_rule()
    ours = {row["site_id"] for row in database.rows(
        "SELECT site_id FROM sites JOIN partners p ON p.id = partner_id WHERE p.slug = %s", acme.slug)}
    for path, member in (("/candidates", "candidates"), ("/promoted-rules", "rules"),
                         ("/execution-history", "executions")):
        rows = expect(200, acme.api.get(LEARNING + path, limit=200))[member]
        assert {row["site_id"] for row in rows} <= ours
        assert rows or path == "/execution-history"
        found = expect(200, acme.api.get(LEARNING + path, **(
            {"q": theirs["candidate"]["pattern_signature"]} if path != "/execution-history"
            else {"pattern_signature": theirs["candidate"]["pattern_signature"]})))
        assert found["total"] == 0
    sites = {site["site_id"] for site in acme.api.get("/api/partners/me/sites")["sites"]}
    assert sites == ours


def test_p24_a_search_does_not_reach_over(acme, theirs):
    for text in (theirs["rule_id"], theirs["site"]):
        rows = acme.api.rules(q=text)["rules"]
        assert all(rule["site_id"] != theirs["site"] for rule in rows)


def test_p24_an_etag_of_another_partner_is_not_ours(acme, rival):
    tag = rival.api.get(LEARNING + "/stats").headers["ETag"]
    answer = acme.api.call("GET", LEARNING + "/stats", headers={"If-None-Match": tag})
    assert answer.status == 200 or acme.api.stats() == rival.api.stats()


# ---- appliances ----


def test_p24_an_appliance_writes_for_its_own_site_only(acme, rival):
    appliance = acme.main.appliances[0]
    for site in (acme.annex.site_id, rival.main.site_id, "no-such-site"):
        expect(403, appliance.caller.push(site, appliance.appliance_id, [pattern()]))
        expect(403, appliance.caller.report(site, execution()))


def test_p24_an_appliance_speaks_for_itself_only(acme):
    one, two = acme.main.appliances
    stats = pattern()
    expect(403, one.caller.push(acme.main.site_id, two.appliance_id, [stats]))
    expect(403, one.caller.push(acme.main.site_id, "no-such-box", [stats]))
    assert acme.find(stats["pattern_signature"]) is None


def test_p24_an_execution_of_another_appliance_is_403(acme):
    one, two = acme.main.appliances
    expect(403, one.report(execution(appliance_id=two.appliance_id)))
    expect_accepted(one.report(execution(appliance_id=one.appliance_id)))


def test_p24_a_header_with_another_site_changes_nothing(acme, rival):
    """Agents in the field send X-Site-ID; the token alone tells whose data it is."""
    appliance, report = acme.main.appliances[0], execution()
    body = {"site_id": acme.main.site_id, "execution": report}
    expect_accepted(appliance.caller.post("/api/agent/executions", body, headers={"X-Site-ID": rival.main.site_id}))
    assert report["execution_id"] in {entry["execution_id"] for entry in acme.api.history(limit=200)["executions"]}
    assert report["execution_id"] not in {entry["execution_id"] for entry in rival.api.history(limit=200)["executions"]}


def test_p24_the_same_execution_id_at_two_sites_is_two_executions(acme, rival):
    shared = execution()
    expect_accepted(acme.main.appliances[0].report(shared))
    expect_accepted(rival.main.appliances[0].report(shared))
    for partner in (acme, rival):
        ids = [entry["execution_id"] for entry in partner.api.history(limit=200)["executions"]]
        assert ids.count(shared["execution_id"]) == 1
