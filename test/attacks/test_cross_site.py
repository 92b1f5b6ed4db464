"""P39: a stolen or forged use of somebody's cookie. Every write of the document, every way a foreign page can send it."""

import pytest

from conftest import operations
from house.client import Caller, expect
from house.operations import own_names
from house.world import sign_in

FOREIGN = [
    {}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "Same-Origin "}, {"Sec-Fetch-Site": "same-origin, cross-site"}, {"Sec-Fetch-Site": "SAME-ORIGIN"},
    {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": ""}, {"Origin": "http://127.0.0.1"},
    {"Origin": "http://127.0.0.1.evil.example"}, {"Origin": "javascript://%0a127.0.0.1"}, {"Origin": "file://"},
    {"Referer": "{own}/"}, {"Sec-Fetch-Site": "cross-site", "Origin": "{own}"},
    {"X-CSRF-Token": "x"}, {"X-CSRF-Token": "{foreign token}"}, {"X-Requested-With": "XMLHttpRequest"},
    {"Sec-Fetch-Mode": "same-origin"}, {"Host": "evil.example", "Origin": "https://evil2.example"},
]
with_cookie = operations(lambda operation: operation.is_write and operation.takes("X-CSRF-Token"))


@pytest.fixture(scope="module")
def other_token(home):
    return home.sign_in("approver").csrf


def change_count(database, partner):
    return database.row("SELECT count(*) AS entries FROM promotion_audit_log a JOIN partners p ON p.id = a.partner_id "
                        "WHERE p.slug = %s", partner.slug)["entries"]


@with_cookie
def test_p39_no_write_can_be_sent_by_a_foreign_page(server, home, database, other_token, operation):
    name = own_names(server.contract, home.admin, operation)[0] if "{id}" in operation.path else ""
    stolen = Caller(server, cookie=home.browser.cookie, same_origin=False)
    before = change_count(database, home)
    for headers in FOREIGN:
        sent = {key: value.replace("{own}", server.url).replace("{foreign token}", other_token)
                for key, value in headers.items()}
        answer = expect(403, stolen.call(operation.method, operation.address(name), body=operation.body_example(),
                                         headers=sent))
        assert answer["type"] == "urn:flywheel:problem:cross-site", (headers, answer)
    # A form can send these without asking: neither its media types nor its methods get further.
    for media_type in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"):
        answer = stolen.call("POST", operation.address(name), raw=b'{"reason":"x"}', headers={"Content-Type": media_type},
                             undocumented=True)
        assert answer.status in (403, 405, 415), answer
    assert change_count(database, home) == before
    expect(200, home.browser.get("/api/partner-auth/me"))


def test_p39_every_write_of_people_is_protected():
    """Whatever takes the cookie must describe the token that protects it."""
    from conftest import OPERATIONS
    for operation in OPERATIONS:
        if operation.is_write and operation.takes_session:
            assert operation.takes("X-CSRF-Token"), operation


def test_the_cookie_is_not_sent_by_foreign_pages_nor_read_by_scripts(server, home):
    email, password = home.new_user("viewer")
    answer = Caller(server).post("/api/partner-auth/login", {"email": email, "password": password})
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= {part.strip() for part in answer.set_cookie.split(";")}
    assert "Domain" not in answer.set_cookie


def test_no_page_of_another_origin_may_read_an_answer(home):
    for origin in ("https://evil.example", "null"):
        answer = home.browser.call("GET", "/api/partner-auth/me", headers={"Origin": origin})
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


# ---- fixation ----


def test_a_session_that_somebody_else_chose_is_never_signed_in(server, home):
    """Signing in gives a new secret; neither the planted one nor that of an earlier sign-in gains anything."""
    email, password = home.new_user("viewer")
    planted = "fws_" + "A" * 43
    early = sign_in(server, email, password)
    for cookie in (planted, early.cookie):
        answer = expect(200, Caller(server, cookie=cookie).post("/api/partner-auth/login",
                                                                {"email": email, "password": password}))
        fresh = answer.cookies["flywheel_session"]
        assert fresh not in (planted, early.cookie)
        expect(401, Caller(server, cookie=planted).get("/api/partner-auth/me"))
        expect(200, Caller(server, cookie=fresh).get("/api/partner-auth/me"))


def test_two_cookies_of_the_name_are_none(server, home):
    """A page on a sibling domain can plant a second one; which is genuine cannot be told."""
    for cookie in (f"flywheel_session={home.browser.cookie}; flywheel_session=x",
                   f"flywheel_session=x; flywheel_session={home.browser.cookie}"):
        expect(401, Caller(server).call("GET", "/api/partner-auth/me", headers={"Cookie": cookie}))


@pytest.mark.parametrize("cookie", ["x{}", "{}x", " {} x", "\"{}\"", "{};Path=/admin;x={}", "%66ws{}"])
def test_a_session_is_taken_by_its_exact_secret_only(server, home, cookie):
    text = cookie.format(home.browser.cookie, "y") if cookie.count("{}") == 2 else cookie.format(home.browser.cookie)
    answer = Caller(server).call("GET", "/api/partner-auth/me", headers={"Cookie": "flywheel_session=" + text})
    assert answer.status == 401 or text.partition(";")[0].strip() == home.browser.cookie, answer
