"""The lock-out: ten failed sign-ins lock an address for a while, whether anybody has it or not."""

import pytest

from house.client import LEARNING, USERS, Caller, expect, pointers
from house.control import control
from house.owner import Owner
from house.world import Partner, sign_in, unique
from test_approve import in_parallel

WRONG = "a password that is not the right one"


@pytest.fixture(scope="module")
def team(server):
    team = Partner(server, sites=False)
    team.admin = team.sign_in("admin")
    return team


@pytest.fixture(scope="module")
def owner(quickstart):
    return Owner(quickstart)


def attempt(server, email, password=WRONG):
    return Caller(server).post("/api/partner-auth/login", {"email": email, "password": password})


def fail(server, email, times):
    for _ in range(times):
        expect(401, attempt(server, email))


def locked(answer):
    problem = expect(429, answer).json()
    assert problem["type"] == "urn:flywheel:problem:sign-in-locked"
    assert 0 < int(answer.headers["Retry-After"]) <= 900
    problem.pop("request_id")
    return problem


def later(owner, email, minutes):
    """Moves what is kept about an address into the past."""
    owner.run("UPDATE sign_in_failures SET failed_at = ARRAY(SELECT a - make_interval(mins => %s) FROM unnest(failed_at) AS a), "
              "locked_until = locked_until - make_interval(mins => %s), forget_at = forget_at - make_interval(mins => %s) "
              "WHERE address_hash = hash_of_address(%s)", minutes, minutes, minutes, email)


def kept(database, email):
    return database.rows("SELECT * FROM sign_in_failures WHERE address_hash = sha256(convert_to(lower(%s), 'UTF8'))", email)


def listed(team, email):
    return next(user for user in expect(200, team.admin.get(USERS, limit=200))["users"] if user["email"] == email)


def test_after_ten_failures_the_right_password_is_refused_too(team, server, database):
    email, password = team.new_user("viewer")
    browser = sign_in(server, email, password)
    fail(server, email, 10)
    for tried in (WRONG, password):
        locked(attempt(server, email, tried))
    locked(attempt(server, email.upper(), password))
    expect(200, browser.get(LEARNING + "/stats"))  # a session goes on
    assert listed(team, email)["locked_until"] is not None
    user_id = listed(team, email)["id"]
    log = database.rows("SELECT * FROM promotion_audit_log WHERE entity_id = %s ORDER BY id", user_id)
    assert [row["action"] for row in log].count("user.sign_in_failed") == 10
    assert [row["action"] for row in log][-1] == "user.locked" and log[-1]["actor_kind"] == "system"
    assert log[-1]["after"] == {"email": email}


def test_an_address_that_nobody_has_is_answered_alike(team, server):
    email, _ = team.new_user("viewer")
    unknown = f"{unique('nobody')}@example.com"
    answers = {email: [], unknown: []}
    for address, seen in answers.items():
        for _ in range(12):
            answer = attempt(server, address)
            problem = answer.json()
            problem.pop("request_id")
            headers = sorted(name for name in answer.headers if name not in ("Date", "X-Request-Id"))
            seen.append((answer.status, problem, headers))
    assert answers[email] == answers[unknown]
    assert [status for status, _, _ in answers[unknown]] == [401] * 10 + [429] * 2


@pytest.mark.parametrize("status", ["invited", "disabled"])
def test_so_is_that_of_somebody_who_cannot_sign_in(team, server, status):
    user = expect(201, team.admin.post(USERS, {"email": f"{unique('guest')}@example.com", "role": "viewer"}))["user"]
    if status == "disabled":
        expect(200, team.admin.patch(f"{USERS}/{user['id']}", {"status": status}))
    fail(server, user["email"], 10)
    locked(attempt(server, user["email"]))


def test_a_success_begins_the_count_anew(team, server, database):
    email, password = team.new_user("viewer")
    for _ in range(2):
        fail(server, email, 9)
        sign_in(server, email, password)
    assert kept(database, email) == []


def test_ten_failures_count_within_fifteen_minutes_only(team, server, owner):
    email, password = team.new_user("viewer")
    fail(server, email, 9)
    later(owner, email, 15)
    fail(server, email, 9)
    sign_in(server, email, password)


def test_the_lock_out_ends_after_fifteen_minutes_and_waiting_attempts_do_not_lengthen_it(team, server, owner):
    email, password = team.new_user("viewer")
    fail(server, email, 10)
    later(owner, email, 10)
    assert int(attempt(server, email).headers["Retry-After"]) <= 300
    locked(attempt(server, email, password))
    later(owner, email, 5)
    assert listed(team, email)["locked_until"] is None
    fail(server, email, 9)  # none of the ten before count any more
    sign_in(server, email, password)


def test_however_many_try_at_once_ten_passwords_are_looked_at(team, server):
    email, password = team.new_user("viewer")
    statuses = in_parallel(16, lambda _: attempt(server, email).status)
    assert sorted(statuses) == [401] * 10 + [429] * 6
    locked(attempt(server, email, password))


def test_a_reset_lifts_the_lock_out_and_says_so_in_the_log(team, server, database):
    email, password = team.new_user("viewer")
    fail(server, email, 10)
    user = listed(team, email)
    answer = expect(200, team.admin.post(f"{USERS}/{user['id']}/password-reset", {})).json()
    assert answer["user"]["locked_until"] is None and listed(team, email)["locked_until"] is None
    sign_in(server, email, password)  # until the link is used
    log = database.rows("SELECT action FROM promotion_audit_log WHERE entity_id = %s ORDER BY id", user["id"])
    assert [row["action"] for row in log][-3:] == ["user.password_reset", "user.unlocked", "user.signed_in"]


def test_a_password_that_is_chosen_lifts_the_lock_out(team, server):
    email, _ = team.new_user("viewer")
    user = listed(team, email)
    token = expect(200, team.admin.post(f"{USERS}/{user['id']}/password-reset", {}))["link"]["token"]
    fail(server, email, 10)
    new = "chosen while somebody else was guessing"
    expect(200, Caller(server).post("/api/partner-auth/password", {"token": token, "password": new}))
    sign_in(server, email, new)


def test_an_operator_lifts_the_lock_out(team, server, database):
    email, password = team.new_user("viewer")
    assert control("user", "unlock", "--email", email) == {"email": email, "was_locked": False}
    fail(server, email, 10)
    assert control("user", "unlock", "--email", email)["was_locked"] is True
    sign_in(server, email, password)
    log = database.rows("SELECT action, actor_kind FROM promotion_audit_log WHERE entity_id = %s AND action = 'user.unlocked'",
                        listed(team, email)["id"])
    assert [row["actor_kind"] for row in log] == ["operator"]


def test_wrong_current_passwords_count_too(team, server):
    email, password = team.new_user("viewer")
    browser = sign_in(server, email, password)
    body = {"current_password": WRONG, "new_password": "a new one of some length"}
    fail(server, email, 5)
    for _ in range(5):
        assert pointers(expect(422, browser.post("/api/partner-auth/change-password", body))) == {"/current_password"}
    locked(browser.post("/api/partner-auth/change-password", {**body, "current_password": password}))
    locked(attempt(server, email, password))
    expect(200, browser.get(LEARNING + "/stats"))


def test_p41_what_is_kept_does_not_hold_the_address_and_goes_by_itself(team, server, database, owner):
    unknown = f"{unique('nobody')}@example.com"
    fail(server, unknown, 1)
    row = kept(database, unknown)[0]
    assert len(bytes(row["address_hash"])) == 32 and unknown not in str(row)
    later(owner, unknown, 16)
    for _ in range(30):  # each attempt takes a few along
        expect(401, attempt(server, f"{unique('nobody')}@example.com"))
        if not kept(database, unknown):
            break
    assert kept(database, unknown) == []


def test_expired_sessions_go_with_anybodys_next_sign_in(team, server, database, owner):
    email, password = team.new_user("viewer")
    sign_in(server, email, password)
    user_id = listed(team, email)["id"]
    owner.run("UPDATE sessions SET created_at = now() - interval '20 hours', expires_at = now() - interval '8 hours' "
              "WHERE user_id = %s", user_id)
    for _ in range(30):
        team.sign_in("viewer")
        if not database.rows("SELECT FROM sessions WHERE user_id = %s", user_id):
            break
    assert database.rows("SELECT FROM sessions WHERE user_id = %s", user_id) == []


def test_p40_when_failures_cannot_be_counted_nobody_gets_in(team, server, owner):
    email, password = team.new_user("viewer")
    body = {"email": email, "password": password}
    owner.run("REVOKE EXECUTE ON FUNCTION begin_sign_in(text) FROM flywheel_account")
    try:
        answer = Caller(server).call("POST", "/api/partner-auth/login", body=body, unchecked=True)
    finally:
        owner.run("GRANT EXECUTE ON FUNCTION begin_sign_in(text) TO flywheel_account")
    assert answer.status == 500 and not answer.set_cookie
    sign_in(server, email, password)
