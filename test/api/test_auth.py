"""Who may do what: keys, sessions, scopes, roles, origins."""

import time

import pytest

from house.client import LEARNING, Caller, expect
from house.control import Refused, control
from house.world import sign_in

READS = ["/stats", "/candidates", "/promoted-rules", "/execution-history"]


# ---- keys ----


@pytest.mark.parametrize("path", READS)
def test_without_credentials_it_is_401(nobody, path):
    expect(401, nobody.get(LEARNING + path))


@pytest.mark.parametrize("key", ["", "wrong", "x" * 200, "fw_" + "0" * 40, "' OR '1'='1"])
def test_p40_a_wrong_key_is_401(server, acme, key):
    expect(401, Caller(server).call("GET", LEARNING + "/stats", headers={"X-API-Key": key}))


def test_p40_a_key_with_one_character_changed_is_401(server, acme):
    key = acme.api.key
    expect(401, Caller(server, key=key[:-1] + ("a" if key[-1] != "a" else "b")).get(LEARNING + "/stats"))
    expect(401, Caller(server, key=key[:-1]).get(LEARNING + "/stats"))
    expect(401, Caller(server, key=key + "x").get(LEARNING + "/stats"))
    expect(401, Caller(server, key=key.swapcase()).get(LEARNING + "/stats"))


def test_an_agents_token_is_no_key_and_a_key_no_token(server, acme):
    appliance = acme.main.appliances[0]
    expect(401, Caller(server, key=appliance.caller.token).get(LEARNING + "/stats"))
    expect(403, Caller(server, token=appliance.caller.token).get(LEARNING + "/stats"))
    expect(403, Caller(server, token=appliance.caller.token).approve(acme.new_candidate()["id"]))
    expect(401, Caller(server, token=acme.api.key).push(acme.main.site_id, appliance.appliance_id, []))


def test_a_reading_key_reads_and_decides_nothing(acme):
    reader = acme.new_key("read")
    candidate = acme.new_candidate()
    rule, _ = acme.new_rule()
    for path in READS:
        expect(200, reader.get(LEARNING + path))
    expect(200, reader.get(f"{LEARNING}/candidates/{candidate['id']}"))
    for answer in (reader.approve(candidate["id"]), reader.reject(candidate["id"]),
                   reader.set_status(rule["rule_id"], "disabled"), reader.deploy(rule["rule_id"])):
        assert "decide" in expect(403, answer)["detail"]
    assert acme.find(candidate["pattern_signature"])["approval_status"] == "not_submitted"


def test_a_deciding_key_reads_nothing(acme):
    decider = acme.new_key("decide")
    for path in READS:
        assert "read" in expect(403, decider.get(LEARNING + path))["detail"]
    expect(200, decider.reject(acme.new_candidate()["id"]))


def test_a_rotated_key_and_its_successor_work_side_by_side_for_a_while(acme, server):
    old = acme.new_key("read,decide")
    made = control("key", "rotate", "--key", old.key_id, "--expires", "90d", "--overlap", "2s")
    new = Caller(server, key=made["api_key"])
    expect(200, old.get(LEARNING + "/stats"))
    expect(200, new.get(LEARNING + "/stats"))
    time.sleep(2.1)
    expect(401, old.get(LEARNING + "/stats"))
    expect(200, new.reject(acme.new_candidate()["id"]))


def test_an_expired_key_is_401(acme):
    key = acme.new_key("read", expires="2s")
    expect(200, key.get(LEARNING + "/stats"))
    time.sleep(2.1)
    expect(401, key.get(LEARNING + "/stats"))


def test_a_revoked_key_is_401_at_once(acme):
    key = acme.new_key("read,decide")
    expect(200, key.get(LEARNING + "/stats"))
    control("key", "revoke", "--key", key.key_id)
    expect(401, key.get(LEARNING + "/stats"))
    expect(401, key.reject("00000000-0000-4000-8000-000000000000"))


def test_a_key_is_stored_as_a_hash_only(acme, database):
    row = database.row("SELECT * FROM api_keys WHERE id = %s", acme.api.key_id)
    assert acme.api.key not in str({name: bytes(value) if isinstance(value, memoryview) else value
                                    for name, value in row.items()})
    assert len(acme.api.key) >= 30 and len(row["prefix"]) <= 16


def test_the_last_use_of_a_key_is_noted_to_the_minute(acme, database):
    key = acme.new_key("read")
    expect(200, key.get(LEARNING + "/stats"))
    for _ in range(60):
        used = database.row("SELECT last_used_at FROM api_keys WHERE id = %s", key.key_id)["last_used_at"]
        if used is not None:
            break
        time.sleep(0.5)
    assert used is not None and (used.second, used.microsecond) == (0, 0)


def test_a_suspended_or_unknown_partner_gets_no_key():
    with pytest.raises(Refused):
        control("key", "add", "--partner", "no-such-partner", "--scopes", "read", "--expires", "1d")


# ---- sessions ----


def test_signing_in_gives_a_cookie_that_scripts_cannot_read(acme, server):
    email, password = acme.new_user("viewer")
    answer = expect(200, Caller(server).post("/api/partner-auth/login", {"email": email, "password": password}))
    cookie = answer.set_cookie
    assert "HttpOnly" in cookie and "SameSite=" in cookie and "Path=/" in cookie
    assert answer["partner"]["slug"] == acme.slug
    assert answer["user"]["email"] == email and answer["user"]["role"] == "viewer"
    assert len(answer["csrf_token"]) >= 20
    assert password not in answer.body.decode() and answer.cookies["flywheel_session"] not in answer.body.decode()


def test_a_wrong_sign_in_does_not_say_what_was_wrong(acme, server):
    email, password = acme.new_user("viewer")
    wrong_password = expect(401, Caller(server).post("/api/partner-auth/login",
                                                     {"email": email, "password": password + "x"}))
    wrong_email = expect(401, Caller(server).post("/api/partner-auth/login",
                                                  {"email": "nobody-" + email, "password": password}))
    one, two = wrong_password.json(), wrong_email.json()
    for problem in (one, two):
        problem.pop("request_id")
    assert one == two
    assert not wrong_password.set_cookie


@pytest.mark.parametrize("body", [{}, {"email": "a@b.c"}, {"password": "x"}, {"email": 1, "password": "x"},
                                  {"email": "a@b.c", "password": "x", "remember": True}])
def test_a_sign_in_without_its_members_is_422(server, body):
    expect(422, Caller(server).post("/api/partner-auth/login", body))


def test_the_email_is_taken_in_any_case(acme, server):
    email, password = acme.new_user("viewer")
    sign_in(server, email.upper(), password)


def test_who_am_i(acme, approver, nobody):
    me = expect(200, approver.get("/api/partner-auth/me")).json()
    assert me["partner"]["slug"] == acme.slug and me["user"]["role"] == "approver"
    partner = expect(200, approver.get("/api/partners/me")).json()
    assert partner["slug"] == acme.slug and partner["name"] == f"Partner {acme.slug}"
    assert partner["site_count"] == len(expect(200, approver.get("/api/partners/me/sites"))["sites"])
    for member in ("id", "brand_name", "contact_email"):
        assert member in partner
    expect(401, nobody.get("/api/partner-auth/me"))
    expect(401, nobody.get("/api/partners/me"))
    expect(401, nobody.get("/api/partners/me/sites"))
    expect(200, acme.api.get("/api/partners/me"))


def test_a_viewer_sees_and_decides_nothing(acme):
    viewer = acme.sign_in("viewer")
    candidate = acme.new_candidate()
    expect(200, viewer.get(LEARNING + "/candidates"))
    expect(403, viewer.approve(candidate["id"]))
    expect(403, viewer.reject(candidate["id"]))


@pytest.mark.parametrize("role", ["approver", "admin"])
def test_approvers_and_admins_decide(acme, role):
    candidate = acme.new_candidate()
    expect(200, acme.sign_in(role).approve(candidate["id"]))


def test_after_signing_out_the_cookie_is_worth_nothing(acme):
    browser = acme.sign_in("viewer")
    expect(200, browser.get(LEARNING + "/stats"))
    answer = browser.post("/api/partner-auth/logout")
    assert answer.status in (200, 204), answer
    expect(401, browser.get(LEARNING + "/stats"))


@pytest.mark.parametrize("cookie", ["", "x", "a" * 64, "' OR 1=1"])
def test_p40_a_wrong_cookie_is_401(server, cookie):
    expect(401, Caller(server, cookie=cookie).get(LEARNING + "/stats"))


def test_an_expired_session_is_401(acme, database):
    """Sessions are not the operators' to change, so the test looks at what they are made with."""
    browser = acme.sign_in("viewer")
    expect(200, browser.get(LEARNING + "/stats"))
    row = database.row("SELECT s.* FROM sessions s JOIN users u ON u.id = s.user_id WHERE u.email = %s",
                       browser.get("/api/partner-auth/me")["user"]["email"])
    life = row["expires_at"] - row["created_at"]
    assert 0 < life.total_seconds() <= 30 * 86400


def test_key_and_cookie_of_one_partner_go_together(acme, server):
    browser = acme.sign_in("viewer")
    expect(200, Caller(server, key=acme.api.key, cookie=browser.cookie).get(LEARNING + "/stats"))


def test_key_and_cookie_of_different_partners_are_401(acme, rival, server):
    browser = rival.sign_in("viewer")
    expect(401, Caller(server, key=acme.api.key, cookie=browser.cookie).get(LEARNING + "/stats"))
    candidate = acme.new_candidate()
    expect(401, Caller(server, key=acme.api.key, cookie=browser.cookie, csrf=browser.csrf).approve(candidate["id"]))


# ---- writes of a browser ----


def write_headers(acme, browser, headers):
    """A rejection by the cookie with exactly these headers about its origin."""
    candidate = acme.new_candidate()
    caller = Caller(browser.server, cookie=browser.cookie, same_origin=False)
    answer = caller.post(f"{LEARNING}/candidates/{candidate['id']}/reject", {"reason": "Sent by some page"},
                         headers=headers)
    decided = acme.find(candidate["pattern_signature"])["approval_status"] != "not_submitted"
    assert decided == (answer.status == 200)
    return answer


def test_p39_a_write_that_does_not_show_its_origin_is_403(acme, approver):
    expect(403, write_headers(acme, approver, {}))


@pytest.mark.parametrize("headers", [
    {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"},
    {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:1"},
    {"X-CSRF-Token": "wrong"}, {"X-CSRF-Token": ""},
    {"Sec-Fetch-Site": "cross-site", "X-CSRF-Token": "wrong"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
])
def test_p39_a_write_from_elsewhere_is_403(acme, approver, headers):
    expect(403, write_headers(acme, approver, headers))


def test_p39_a_write_of_the_same_origin_is_accepted(acme, approver, server):
    expect(200, write_headers(acme, approver, {"Sec-Fetch-Site": "same-origin"}))
    expect(200, write_headers(acme, approver, {"Origin": server.url}))
    expect(200, write_headers(acme, approver, {"X-CSRF-Token": approver.csrf}))


def test_p39_the_token_of_another_session_does_not_count(acme, approver):
    other = acme.sign_in("approver")
    expect(403, write_headers(acme, approver, {"X-CSRF-Token": other.csrf}))


def test_p39_signing_out_is_a_write_too(acme, server):
    browser = acme.sign_in("viewer")
    expect(403, Caller(server, cookie=browser.cookie, same_origin=False).post("/api/partner-auth/logout"))
    expect(200, browser.get(LEARNING + "/stats"))


def test_p39_every_write_is_protected(acme, approver, server):
    rule, candidate = acme.new_rule()
    forged = Caller(server, cookie=approver.cookie, same_origin=False)
    for answer in (forged.approve(candidate["id"]), forged.reject(candidate["id"]),
                   forged.set_status(rule["rule_id"], "disabled"), forged.deploy(rule["rule_id"])):
        expect(403, answer)
    assert acme.api.rule(rule["rule_id"])["status"] == "active"


def test_p39_machines_with_a_key_are_not_hindered(acme):
    candidate = acme.new_candidate()
    answer = acme.api.post(f"{LEARNING}/candidates/{candidate['id']}/approve", {},
                           headers={"Origin": "https://automation.example", "Sec-Fetch-Site": "cross-site"})
    expect(200, answer)


def test_p39_reading_needs_no_proof_of_origin(approver, server):
    expect(200, Caller(server, cookie=approver.cookie, same_origin=False).get(LEARNING + "/stats"))


# ---- keys of people ----


def test_a_key_made_for_a_person_acts_as_that_person(acme, server, database):
    email, _ = acme.new_user("approver")
    made = control("key", "add", "--partner", acme.slug, "--scopes", "read,decide", "--expires", "1d", "--user", email)
    candidate = acme.new_candidate()
    expect(200, Caller(server, key=made["api_key"]).reject(candidate["id"]))
    row = database.audit(candidate["pattern_signature"])[0]
    assert (row["actor_kind"], row["actor"]) == ("user", email)


def test_a_viewers_key_decides_nothing_whatever_its_scopes(acme, server):
    email, _ = acme.new_user("viewer")
    made = control("key", "add", "--partner", acme.slug, "--scopes", "read,decide", "--expires", "1d", "--user", email)
    viewer = Caller(server, key=made["api_key"])
    expect(200, viewer.get(LEARNING + "/stats"))
    expect(403, viewer.reject(acme.new_candidate()["id"]))


def test_a_key_cannot_be_made_for_somebody_elses_user(acme, rival):
    email, _ = rival.new_user("admin")
    with pytest.raises(Refused):
        control("key", "add", "--partner", acme.slug, "--scopes", "read", "--expires", "1d", "--user", email)
