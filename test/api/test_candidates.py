"""The list of candidates and a candidate's page."""

import random
import time

import pytest

from house.client import LEARNING, ago, expect, raw_request
from house.world import Partner, execution, expect_accepted, pattern, signature

MEMBERS = ("id", "pattern_signature", "site_id", "site_name", "total_occurrences", "l1_resolutions", "l2_resolutions",
           "l3_resolutions", "success_rate", "avg_resolution_time_ms", "recommended_action", "first_seen", "last_seen",
           "approval_status")


@pytest.fixture(scope="module")
def crowd(server):
    """A partner with 47 candidates of many ranks, three of them decided."""
    crowd = Partner(server)
    dice = random.Random(4)
    patterns = []
    for _ in range(40):
        total = dice.choice([20, 20, 30, 40])
        patterns.append(pattern(total_occurrences=total, l2_resolutions=5, l3_resolutions=0,
                                success_count=total - dice.choice([0, 0, 1, 2]),
                                last_seen=ago(days=dice.randint(1, 21))))
    expect_accepted(crowd.main.appliances[0].push(*patterns))
    expect_accepted(crowd.annex.appliances[0].push(*[pattern() for _ in range(7)]))
    listed = crowd.api.candidates(limit=200)["candidates"]
    crowd.approved = listed[0]
    crowd.rejected = listed[1]
    expect(200, crowd.api.approve(crowd.approved["id"]))
    expect(200, crowd.api.reject(crowd.rejected["id"]))
    return crowd


def every_page(caller, path, member, limit=7, **query):
    """All rows of a list, page by page, and how many pages there were."""
    rows, pages, cursor = [], 0, None
    while True:
        page = expect(200, caller.get(path, limit=limit, **query, **({"cursor": cursor} if cursor else {}))).json()
        rows += page[member]
        pages += 1
        cursor = page["next_cursor"]
        assert len(page[member]) <= limit and pages < 200
        if cursor is None:
            return rows, pages


def test_a_candidate_has_all_members(crowd):
    page = crowd.api.candidates()
    assert page["total"] == 47 and page.get("total_is_exact", True) is True
    assert len(page["candidates"]) == 47 and page["next_cursor"] is None
    for candidate in page["candidates"]:
        for member in MEMBERS:
            assert member in candidate, member
        assert 0.9 <= candidate["success_rate"] <= 1
        assert candidate["first_seen"].endswith("Z") and candidate["last_seen"].endswith("Z")
        assert candidate["site_name"] in (crowd.main.name, crowd.annex.name)


def test_the_undecided_come_first_then_by_success_rate_and_occurrences(crowd):
    listed = crowd.api.candidates()["candidates"]
    ranks = [(candidate["approval_status"] in ("not_submitted", "pending"), candidate["success_rate"],
              candidate["total_occurrences"]) for candidate in listed]
    assert ranks == sorted(ranks, reverse=True)
    assert {candidate["approval_status"] for candidate in listed[-2:]} == {"approved", "rejected"}


@pytest.mark.parametrize("sort", ["success_rate", "total_occurrences", "last_seen", "first_seen"])
def test_a_list_is_sorted_both_ways(crowd, sort):
    up = [candidate[sort] for candidate in crowd.api.candidates(sort=sort)["candidates"]]
    down = [candidate[sort] for candidate in crowd.api.candidates(sort="-" + sort)["candidates"]]
    assert up == sorted(up) and down == sorted(down, reverse=True)
    assert len(up) == len(down) == 47


def test_filters_narrow_the_list_and_its_total(crowd):
    api = crowd.api
    assert api.candidates(status="approved")["total"] == 1
    assert [c["id"] for c in api.candidates(status="rejected")["candidates"]] == [crowd.rejected["id"]]
    assert api.candidates(status="not_submitted")["total"] == 45
    assert api.candidates(status="pending")["total"] == 0
    assert api.candidates(site_id=crowd.annex.site_id)["total"] == 7
    assert api.candidates(site_id=crowd.annex.site_id, status="approved")["total"] in (0, 1)
    assert api.candidates(q=crowd.approved["pattern_signature"])["total"] == 1
    assert api.candidates(q=crowd.approved["pattern_signature"].upper())["total"] == 1
    assert api.candidates(q="no such text anywhere")["total"] == 0


@pytest.mark.parametrize("text", ["%", "_", "\\", "%%", "'", "50%", "a_b", "\\%"])
def test_p33_wildcards_in_a_search_are_text(crowd, text):
    assert crowd.api.candidates(q=text, limit=1)["total"] in (0, 47)
    if text in ("%", "'", "\\", "%%", "50%", "\\%"):
        assert crowd.api.candidates(q=text)["total"] == 0


@pytest.mark.parametrize("query", [
    {"limit": "0"}, {"limit": "201"}, {"limit": "-1"}, {"limit": "abc"}, {"limit": "1;DROP TABLE partners"},
    {"limit": ""}, {"limit": "9" * 30}, {"limit": "5.0"}, {"limit": "0x10"}, {"sort": "id"}, {"sort": "success_rate desc"},
    {"sort": "-"}, {"sort": "1"}, {"sort": "last_seen; SELECT 1"}, {"status": "done"}, {"status": "approved' OR '1'='1"},
    {"cursor": "abc"}, {"cursor": "' OR 1=1 --"}, {"cursor": ""}, {"unknown": "1"}, {"Limit": "5"}, {"q": "x" * 2000},
])
def test_p33_a_wrong_parameter_is_400_and_never_reaches_sql(crowd, query):
    answer = expect(400, crowd.api.get(LEARNING + "/candidates", **query))
    assert next(iter(query)) in answer["detail"]


def test_p33_a_parameter_given_twice_is_400(crowd):
    expect(400, crowd.api.get(LEARNING + "/candidates?limit=5&limit=6"))


@pytest.mark.parametrize("query", ["q=%00", "q=%ff", "q=%c0%80", "q=a%0ab", "site_id=%00"])
def test_p33_a_parameter_that_is_no_text_is_400(crowd, query):
    expect(400, crowd.api.get(f"{LEARNING}/candidates?{query}"))


@pytest.mark.parametrize("query", ["q=%zz", "q=%", "q=%4", "%=1"])
def test_p33_a_parameter_that_is_badly_encoded_is_400(crowd, server, query):
    head, _ = raw_request(server, f"GET {LEARNING}/candidates?{query} HTTP/1.1\r\nHost: x\r\nX-API-Key: "
                                  f"{crowd.api.key}\r\nConnection: close\r\n\r\n".encode())
    assert head.split()[1] == "400", head


@pytest.mark.parametrize("sort", [None, "success_rate", "-success_rate", "-total_occurrences", "last_seen", "-first_seen"])
@pytest.mark.parametrize("limit", [1, 7, 46, 47, 48, 200])
def test_p34_pages_give_every_row_once_in_order(crowd, sort, limit):
    query = {} if sort is None else {"sort": sort}
    whole = [candidate["id"] for candidate in crowd.api.candidates(limit=200, **query)["candidates"]]
    rows, pages = every_page(crowd.api, LEARNING + "/candidates", "candidates", limit=limit, **query)
    assert [candidate["id"] for candidate in rows] == whole
    assert pages == -(-47 // limit)


def test_p34_the_default_page_has_50_rows(partner):
    expect_accepted(partner.main.appliances[0].push(*[pattern() for _ in range(60)]))
    page = partner.api.candidates()
    assert len(page["candidates"]) == 50 and page["total"] == 60 and page["next_cursor"]


def test_p34_rows_that_stay_are_neither_repeated_nor_skipped_while_others_change(partner):
    """Half of the rows are decided while the pages are turned; the other half must come exactly once."""
    expect_accepted(partner.main.appliances[0].push(*[pattern() for _ in range(40)]))
    listed = [candidate["id"] for candidate in partner.api.candidates(limit=200)["candidates"]]
    stay, leave = set(listed[0::2]), listed[1::2]
    seen, cursor = [], None
    while True:
        page = partner.api.candidates(limit=5, status="not_submitted", **({"cursor": cursor} if cursor else {}))
        seen += [candidate["id"] for candidate in page["candidates"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        for chosen in leave[:3]:
            expect(200, partner.api.reject(chosen))
        del leave[:3]
        expect_accepted(partner.main.appliances[0].push(pattern()))
    assert len(seen) == len(set(seen)), "a row came twice"
    assert stay <= set(seen), "a row was skipped"


def test_p34_a_cursor_of_another_list_or_sort_is_refused(crowd):
    cursor = crowd.api.candidates(limit=5)["next_cursor"]
    expect(400, crowd.api.get(LEARNING + "/candidates", limit=5, cursor=cursor, sort="last_seen"))
    expect(400, crowd.api.get(LEARNING + "/promoted-rules", limit=5, cursor=cursor))


def test_p34_a_cursor_that_was_tampered_with_is_400_or_harmless(crowd):
    cursor = crowd.api.candidates(limit=5)["next_cursor"]
    for wrong in (cursor[:-2], cursor + "AA", cursor[::-1], "A" + cursor[1:]):
        answer = crowd.api.get(LEARNING + "/candidates", limit=5, cursor=wrong)
        assert answer.status in (200, 400), answer


def test_p34_a_cursor_of_another_partner_shows_nothing_of_theirs(crowd, rival):
    cursor = crowd.api.candidates(limit=5)["next_cursor"]
    answer = rival.api.get(LEARNING + "/candidates", limit=200, cursor=cursor)
    assert answer.status in (200, 400), answer
    if answer.status == 200:
        sites = {candidate["site_id"] for candidate in answer["candidates"]}
        assert sites <= {rival.main.site_id, rival.annex.site_id}


def test_the_page_of_a_candidate_has_its_rule_and_its_digest(crowd):
    listed = crowd.api.candidates(status="not_submitted", limit=1)["candidates"][0]
    detail = crowd.api.candidate(listed["id"])
    assert {member: detail["candidate"][member] for member in MEMBERS} == {m: listed[m] for m in MEMBERS}
    rule = detail["proposed_rule"]
    assert list(rule) == ["id", "name", "description", "conditions", "action", "action_params", "hipaa_controls",
                          "enabled", "priority", "cooldown_seconds", "max_retries", "source"]
    assert rule["id"] == "L1-PROMOTED-" + listed["pattern_signature"][:8].upper()
    assert (rule["priority"], rule["cooldown_seconds"], rule["max_retries"]) == (50, 300, 1)
    assert rule["enabled"] is True and rule["source"] == "promoted"
    assert len(detail["rule_digest"]) == 64


def test_the_digest_is_the_sha_256_of_the_canonical_json(crowd):
    import hashlib
    import json
    listed = crowd.api.candidates(status="not_submitted", limit=1)["candidates"][0]
    detail = crowd.api.candidate(listed["id"])
    rule = detail["proposed_rule"]
    does = {member: rule[member] for member in ("action", "action_params", "conditions", "cooldown_seconds",
                                               "max_retries", "priority")}
    does["severity_filter"] = rule.get("severity_filter", [])
    canonical = json.dumps(does, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert detail["rule_digest"] == hashlib.sha256(canonical.encode()).hexdigest()


def test_the_page_shows_the_rule_under_a_name_as_it_is_typed(crowd):
    listed = crowd.api.candidates(status="not_submitted", limit=1)["candidates"][0]
    assert crowd.api.candidate(listed["id"], custom_name="Über: \"x\"")["proposed_rule"]["name"] == 'Über: "x"'
    answer = crowd.api.get(f"{LEARNING}/candidates/{listed['id']}", custom_name="x" * 201)
    assert answer.status in (400, 422), answer


def test_a_candidate_without_a_rule_is_shown_and_says_why(acme):
    candidate = acme.new_candidate(recommended_action="RB-WIN-NOPE-999")
    detail = acme.api.candidate(candidate["id"])
    assert detail["proposed_rule"] is None and detail["rule_digest"] is None
    assert "RB-WIN-NOPE-999" in str(detail)


def test_p16_the_history_on_the_page_is_of_this_pattern_only(acme):
    candidate, other = acme.new_candidate(), acme.new_candidate()
    mine = [execution(pattern_signature=candidate["pattern_signature"]) for _ in range(3)]
    theirs = [execution(pattern_signature=other["pattern_signature"]), execution(pattern_signature=signature()),
              execution()]
    expect_accepted(acme.main.appliances[0].report(*mine, *theirs))
    shown = acme.api.candidate(candidate["id"])["execution_history"]
    assert {entry["execution_id"] for entry in shown} == {report["execution_id"] for report in mine}


def test_p16_the_same_signature_at_another_site_is_another_pattern(acme):
    shared = signature()
    here = acme.new_candidate(acme.main, pattern_signature=shared)
    acme.new_candidate(acme.annex, pattern_signature=shared)
    expect_accepted(acme.annex.appliances[0].report(execution(pattern_signature=shared)))
    assert acme.api.candidate(here["id"])["execution_history"] == []


def test_p35_patterns_that_say_little_do_not_break_the_list(partner):
    bare = pattern(check_type=None, last_seen=None, total_resolution_time_ms=None, l3_resolutions=None,
                   promotion_eligible=None)
    answer = expect_accepted(partner.main.appliances[0].push(bare))
    assert answer["rejected"] == []
    listed = partner.api.candidates()["candidates"]
    assert [candidate["pattern_signature"] for candidate in listed] == [bare["pattern_signature"]]
    partner.api.candidate(listed[0]["id"])


def test_a_list_that_has_not_changed_is_304(partner):
    partner.new_candidate()
    first = expect(200, partner.api.get(LEARNING + "/candidates"))
    tag = first.headers["ETag"]
    assert first.headers["Cache-Control"] == "private, no-cache"
    same = expect(304, partner.api.call("GET", LEARNING + "/candidates", headers={"If-None-Match": tag}))
    assert same.headers["ETag"] == tag and same.body == b""
    expect(304, partner.api.call("GET", LEARNING + "/candidates", headers={"If-None-Match": f'"x", {tag}'}))
    expect(304, partner.api.call("GET", LEARNING + "/candidates", headers={"If-None-Match": "*"}))
    partner.new_candidate()
    changed = expect(200, partner.api.call("GET", LEARNING + "/candidates", headers={"If-None-Match": tag}))
    assert changed.headers["ETag"] != tag


def test_head_says_what_get_would_and_sends_no_body(crowd):
    get = expect(200, crowd.api.get(LEARNING + "/candidates"))
    head = expect(200, crowd.api.call("HEAD", LEARNING + "/candidates"))
    assert head.body == b""
    assert head.headers["ETag"] == get.headers["ETag"]
    assert head.media_type == "application/json"


def test_an_unknown_candidate_is_404(crowd):
    for wrong in ("00000000-0000-4000-8000-000000000000", "x", "1", "%27"):
        expect(404, crowd.api.get(f"{LEARNING}/candidates/{wrong}"))


def test_a_decision_shows_at_once(partner):
    candidate = partner.new_candidate()
    started = time.monotonic()
    expect(200, partner.api.reject(candidate["id"]))
    assert partner.find(candidate["pattern_signature"])["approval_status"] == "rejected"
    assert time.monotonic() - started < 5


def test_a_search_looks_at_clinic_names_check_types_and_actions_too(partner):
    candidate = partner.new_candidate(check_type="print_spooler")
    for text in (partner.main.name, partner.main.name.lower()[3:12], "print_spooler", "WIN-SERVICES"):
        assert [found["id"] for found in partner.api.candidates(q=text)["candidates"]] == [candidate["id"]], text


def test_a_total_is_exact_up_to_10000_and_says_when_it_is_not(partner):
    appliance = partner.main.appliances[0]
    for count in (4000, 4000, 2000):
        expect_accepted(appliance.push(*[pattern() for _ in range(count)]))
    page = partner.api.candidates(limit=1)
    assert page["total"] == 10000 and page.get("total_is_exact", True) is True
    expect_accepted(appliance.push(pattern(), pattern()))
    page = partner.api.candidates(limit=1)
    assert page["total"] == 10000 and page["total_is_exact"] is False
    assert partner.api.stats()["pending_candidates"] == 10002
