"""What is true of every call that has a body: each way of getting it wrong, on each of them."""

import pytest

from house.client import KEYS, LEARNING, USERS, Caller, expect, pointers

NOWHERE = "00000000-0000-4000-8000-000000000000"

# (who calls, method, path, a good body)
PARTNER_WRITES = [
    ("POST", f"{LEARNING}/candidates/{NOWHERE}/approve", {}),
    ("POST", f"{LEARNING}/candidates/{NOWHERE}/reject", {"reason": "A reason of some length"}),
    ("PATCH", f"{LEARNING}/promoted-rules/{NOWHERE}/status", {"status": "disabled"}),
    ("POST", f"{LEARNING}/promoted-rules/{NOWHERE}/deploy", {}),
]
ADMIN_WRITES = [
    ("POST", USERS, {"email": "somebody@example.com", "role": "viewer"}),
    ("PATCH", f"{USERS}/{NOWHERE}", {"role": "viewer"}),
    ("POST", f"{USERS}/{NOWHERE}/password-reset", {}),
    ("POST", KEYS, {"name": "a key", "scopes": ["read"]}),
    ("POST", f"{KEYS}/{NOWHERE}/rotate", {}),
    ("POST", f"{KEYS}/{NOWHERE}/revoke", {}),
]
CHANGE_PASSWORD = ("POST", "/api/partner-auth/change-password",
                   {"current_password": "not the right one", "new_password": "a password of some length"})
SIGN_INS = [("POST", "/api/partner-auth/login", {"email": "a@example.com", "password": "not the right one"}),
            ("POST", "/api/partner-auth/logout", {}),
            ("POST", "/api/partner-auth/password", {"token": "no token", "password": "a password of some length"}),
            CHANGE_PASSWORD]
AGENT_WRITES = [("POST", "/api/agent/sync/pattern-stats", {"pattern_stats": []}),
                ("POST", "/api/agent/executions", {"executions": []})]
CLOSED = PARTNER_WRITES + ADMIN_WRITES + SIGN_INS
ALL = CLOSED + AGENT_WRITES


def name(entry):
    return "/".join(entry[1].split("/")[-2:]).replace(NOWHERE + "/", "") if isinstance(entry, tuple) else None


@pytest.fixture(scope="module")
def callers(acme):
    """Who calls what: a key, a signed-in browser, an appliance."""
    browser = acme.sign_in("admin")

    def choose(path):
        if path.startswith("/api/agent"):
            return acme.main.appliances[0].caller
        return acme.api if path.startswith(LEARNING) else browser
    return choose


@pytest.mark.parametrize("entry", ALL, ids=name)
def test_text_that_is_no_json_is_400(callers, entry):
    method, path, _ = entry
    answer = callers(path).call(method, path, raw=b'{"a":', headers={"Content-Type": "application/json"})
    expect(400, answer)


@pytest.mark.parametrize("entry", CLOSED, ids=name)
def test_an_unknown_parameter_is_400(callers, entry):
    method, path, body = entry
    assert "verbose" in expect(400, callers(path).call(method, path, body=body, verbose="1"))["detail"]


@pytest.mark.parametrize("entry", ALL, ids=name)
def test_another_media_type_is_415(callers, entry):
    method, path, _ = entry
    expect(415, callers(path).call(method, path, raw=b"<a/>", headers={"Content-Type": "text/xml"}))


@pytest.mark.parametrize("entry", CLOSED, ids=name)
def test_more_than_64_kib_is_413(callers, entry):
    method, path, _ = entry
    expect(413, callers(path).call(method, path, body={"x": "y" * 66000}))


@pytest.mark.parametrize("entry", AGENT_WRITES, ids=name)
def test_more_than_8_mib_from_an_appliance_is_413(callers, entry):
    method, path, _ = entry
    expect(413, callers(path).call(method, path, body={"x": "y" * (9 * 1024 * 1024)}))


@pytest.mark.parametrize("entry", CLOSED, ids=name)
def test_an_unknown_member_is_422(callers, entry):
    method, path, body = entry
    answer = expect(422, callers(path).call(method, path, body={**body, "verbose": True}))
    assert pointers(answer) == {"/verbose"}


@pytest.mark.parametrize("entry", PARTNER_WRITES + ADMIN_WRITES + [CHANGE_PASSWORD] + AGENT_WRITES, ids=name)
def test_without_credentials_it_is_401(nobody, entry):
    method, path, body = entry
    expect(401, nobody.call(method, path, body=body))


@pytest.mark.parametrize("entry", PARTNER_WRITES + ADMIN_WRITES + [CHANGE_PASSWORD], ids=name)
def test_an_appliance_decides_nothing(acme, entry):
    method, path, body = entry
    expect(403, acme.main.appliances[0].caller.call(method, path, body=body))


@pytest.mark.parametrize("entry", SIGN_INS, ids=name)
def test_p39_a_page_of_another_origin_cannot_sign_anybody_in_or_out(server, acme, entry):
    """Signing a victim in under the attacker's name is a forgery too."""
    method, path, body = entry
    browser = acme.sign_in("viewer")
    forged = Caller(server, cookie=browser.cookie, same_origin=False)
    expect(403, forged.call(method, path, body=body, headers={"Sec-Fetch-Site": "cross-site",
                                                              "Origin": "https://evil.example"}))
    expect(200, browser.get(LEARNING + "/stats"))


@pytest.mark.parametrize("path", ["/stats", "/candidates", "/candidates/" + NOWHERE, "/promoted-rules",
                                  "/execution-history", "/audit"])
def test_an_appliances_token_reads_nothing_of_the_partner(acme, path):
    expect(403, acme.main.appliances[0].caller.get(LEARNING + path))


@pytest.mark.parametrize("entry", ADMIN_WRITES, ids=name)
def test_p39_a_page_of_another_origin_manages_nothing(server, callers, entry):
    method, path, body = entry
    browser = callers(path)
    forged = Caller(server, cookie=browser.cookie, same_origin=False)
    expect(403, forged.call(method, path, body=body))
    expect(403, forged.call(method, path, body=body, headers={"Origin": "https://evil.example"}))


@pytest.mark.parametrize("entry", ADMIN_WRITES, ids=name)
def test_only_admins_manage_people_and_keys(acme, entry):
    method, path, body = entry
    for caller in (acme.sign_in("approver"), acme.sign_in("viewer"), acme.api, acme.new_key("decide")):
        assert "admin" in expect(403, caller.call(method, path, body=body))["detail"]


@pytest.mark.parametrize("path", ["/api/partner-auth/me", "/api/partners/me", "/api/partners/me/sites", USERS, KEYS])
def test_an_appliances_token_does_not_open_the_account(acme, path):
    expect(403, acme.main.appliances[0].caller.get(path))


def test_an_agents_call_is_refused_to_a_partner(acme):
    for method, path, body in AGENT_WRITES:
        answer = acme.api.call(method, path, body={**body, "site_id": acme.main.site_id})
        assert answer.status in (401, 403), answer
