"""The keys of a partner, as its admins manage them: making, rotating, revoking, and as whom a key acts."""

import datetime
import re

import pytest

from house.client import KEYS, LEARNING, USERS, Caller, expect, pointers
from house.control import Refused, control
from house.owner import Owner
from house.world import Partner, sign_in, unique
from test_approve import in_parallel

NOWHERE = "00000000-0000-4000-8000-000000000000"
SECRET = re.compile(r"^fwk_[A-Za-z0-9_-]{43}$")


@pytest.fixture(scope="module")
def team(server):
    """A partner with an admin's browser."""
    team = Partner(server, sites=False)
    team.email, team.password = team.new_user("admin")
    team.admin = sign_in(server, team.email, team.password)
    return team


def make(caller, *scopes, **members):
    return expect(201, caller.post(KEYS, {"name": unique("key"), "scopes": list(scopes) or ["read"], **members})).json()


def rotate(caller, key, **members):
    return caller.post(f"{KEYS}/{key['id']}/rotate", members)


def revoke(caller, key):
    return caller.post(f"{KEYS}/{key['id']}/revoke", {})


def listed(caller, key):
    found = [entry for entry in expect(200, caller.get(KEYS, limit=200))["keys"] if entry["id"] == key["id"]]
    assert len(found) == 1
    return found[0]


def moment(text):
    return datetime.datetime.fromisoformat(text)


def days(key):
    return (moment(key["expires_at"]) - moment(key["created_at"])).total_seconds() / 86400


def events(database, key):
    return database.rows("SELECT * FROM promotion_audit_log WHERE entity = 'key' AND entity_id = %s ORDER BY id", key["id"])


# ---- making ----


def test_a_key_is_shown_once_and_works(team, server, database):
    made = make(team.admin, "read", name="  nightly report ")
    key, secret = made["key"], made["api_key"]
    assert SECRET.match(secret) and secret.startswith(key["prefix"])
    assert (key["name"], key["scopes"], key["acts_as"], key["status"]) == ("nightly report", ["read"], None, "active")
    assert days(key) == 90 and key["revoked_at"] is None and key["replaced_by"] is None
    caller = Caller(server, key=secret)
    expect(200, caller.get(LEARNING + "/stats"))
    expect(403, caller.get(KEYS))
    assert secret not in expect(200, team.admin.get(KEYS, limit=200)).body.decode()
    row = database.row("SELECT * FROM api_keys WHERE id = %s", key["id"])
    assert secret not in str({name: bytes(value) if isinstance(value, memoryview) else value for name, value in row.items()})
    log = events(database, key)
    assert [entry["action"] for entry in log] == ["key.created"] and log[0]["actor"] == team.email
    assert log[0]["after"]["scopes"] == "read" and secret not in str(log)


@pytest.mark.parametrize("scopes, opens, closed", [
    (["read"], LEARNING + "/stats", KEYS), (["admin"], KEYS, None), (["decide", "read"], LEARNING + "/stats", KEYS),
    (["decide"], None, LEARNING + "/stats"),
])
def test_a_key_may_what_its_scopes_say(team, server, scopes, opens, closed):
    caller = Caller(server, key=make(team.admin, *scopes)["api_key"])
    if opens:
        expect(200, caller.get(opens))
    if closed:
        expect(403, caller.get(closed))


def test_scopes_are_told_in_one_order(team):
    assert make(team.admin, "admin", "decide", "read")["key"]["scopes"] == ["read", "decide", "admin"]


@pytest.mark.parametrize("number", [1, 365])
def test_a_key_lives_as_long_as_asked(team, number):
    assert days(make(team.admin, expires_in_days=number)["key"]) == number


@pytest.mark.parametrize("body, pointer", [
    ({"scopes": ["read"]}, "/name"), ({"name": "x"}, "/scopes"), ({"name": "x", "scopes": []}, "/scopes"),
    ({"name": "x", "scopes": "read"}, "/scopes"), ({"name": "x", "scopes": ["read", "read"]}, "/scopes"),
    ({"name": "x", "scopes": ["everything"]}, "/scopes"), ({"name": "x", "scopes": [1]}, "/scopes"),
    ({"name": "x", "scopes": [["read"]]}, "/scopes"), ({"name": "x", "scopes": ["read", None]}, "/scopes"),
    ({"name": "x", "scopes": None}, "/scopes"), ({"name": "x", "scopes": {"read": True}}, "/scopes"),
    ({"name": " ", "scopes": ["read"]}, "/name"), ({"name": "x" * 201, "scopes": ["read"]}, "/name"),
    ({"name": "x", "scopes": ["read"], "expires_in_days": 0}, "/expires_in_days"),
    ({"name": "x", "scopes": ["read"], "expires_in_days": 366}, "/expires_in_days"),
    ({"name": "x", "scopes": ["read"], "expires_in_days": "90"}, "/expires_in_days"),
    ({"name": "x", "scopes": ["read"], "acts_as_me": "yes"}, "/acts_as_me"),
    ({"name": "x", "scopes": ["read"], "acts_as": "somebody@example.com"}, "/acts_as"),
    ({"name": "x", "scopes": ["read"], "user_id": NOWHERE}, "/user_id"),
])
def test_a_wish_of_the_wrong_form_is_422(team, body, pointer):
    assert pointers(expect(422, team.admin.post(KEYS, body))) == {pointer}


# ---- as whom ----


def test_a_key_acts_as_the_admin_who_makes_it(team, server):
    made = make(team.admin, "read", "decide", acts_as_me=True)
    assert made["key"]["acts_as"] == team.email
    assert expect(200, Caller(server, key=made["api_key"]).get("/api/partner-auth/me"))["user"]["email"] == team.email


def test_a_key_without_a_person_makes_none_that_acts_as_one(team):
    key = team.new_key("admin")
    assert pointers(expect(422, key.post(KEYS, {"name": "x", "scopes": ["read"], "acts_as_me": True}))) == {"/acts_as_me"}
    assert make(key, acts_as_me=False)["key"]["acts_as"] is None


def test_nobody_gets_a_secret_that_acts_as_somebody_else(team, server, database):
    """An admin who could have it would be a second approver."""
    mine = make(team.admin, "read", acts_as_me=True)["key"]
    other = team.sign_in("admin")
    answer = expect(409, rotate(other, mine))
    assert answer["type"].endswith(":key-of-another-person") and team.email in answer["detail"]
    expect(409, rotate(team.new_key("admin"), mine))
    assert listed(other, mine)["replaced_by"] is None
    assert expect(201, rotate(team.admin, mine))["key"]["acts_as"] == team.email
    expect(200, revoke(other, mine))


def test_a_demoted_admins_own_key_falls_with_the_role(team, server):
    email, password = team.new_user("admin")
    browser = sign_in(server, email, password)
    me = expect(200, browser.get("/api/partner-auth/me"))["user"]
    key = Caller(server, key=make(browser, "admin", acts_as_me=True)["api_key"])
    expect(200, key.get(KEYS))
    expect(200, team.admin.patch(f"{USERS}/{me['id']}", {"role": "viewer"}))
    expect(403, key.get(KEYS))
    expect(200, key.get(LEARNING + "/stats"))


# ---- rotating ----


def test_both_keys_work_until_the_overlap_ends(team, server, database, quickstart):
    old = make(team.admin, "read", "decide", expires_in_days=30)
    answer = expect(201, rotate(team.admin, old["key"], expires_in_days=10, overlap_hours=1)).json()
    new, previous = answer["key"], answer["previous"]
    assert (new["name"], new["scopes"], new["status"]) == (old["key"]["name"], ["read", "decide"], "active")
    assert days(new) == 10 and SECRET.match(answer["api_key"]) and answer["api_key"] != old["api_key"]
    assert (previous["id"], previous["replaced_by"], previous["status"]) == (old["key"]["id"], new["id"], "active")
    assert (moment(previous["expires_at"]) - moment(new["created_at"])).total_seconds() == 3600
    for secret in (old["api_key"], answer["api_key"]):
        expect(200, Caller(server, key=secret).get(LEARNING + "/stats"))
    Owner(quickstart).run("UPDATE api_keys SET expires_at = now() WHERE id = %s", old["key"]["id"])
    expect(401, Caller(server, key=old["api_key"]).get(LEARNING + "/stats"))
    assert listed(team.admin, old["key"])["status"] == "expired"
    log = events(database, new)
    assert [entry["action"] for entry in log] == ["key.rotated"] and log[0]["before"]["id"] == old["key"]["id"]
    assert answer["api_key"] not in str(log)


def test_without_words_it_is_a_week_and_ninety_days(team):
    made = make(team.admin, expires_in_days=365)["key"]
    answer = expect(201, team.admin.post(f"{KEYS}/{made['id']}/rotate")).json()
    assert days(answer["key"]) == 90
    assert (moment(answer["previous"]["expires_at"]) - moment(answer["key"]["created_at"])).total_seconds() == 7 * 86400


def test_an_overlap_lengthens_no_life(team):
    made = make(team.admin, expires_in_days=1)["key"]
    assert expect(201, rotate(team.admin, made, overlap_hours=720))["previous"]["expires_at"] == made["expires_at"]


def test_without_overlap_the_old_key_stops_at_once(team, server):
    old = make(team.admin)
    answer = expect(201, rotate(team.admin, old["key"], overlap_hours=0)).json()
    assert answer["previous"]["status"] == "expired"
    expect(401, Caller(server, key=old["api_key"]).get(LEARNING + "/stats"))
    expect(200, Caller(server, key=answer["api_key"]).get(LEARNING + "/stats"))


def test_a_key_is_rotated_once(team, server):
    old = make(team.admin)["key"]
    new = expect(201, rotate(team.admin, old))["key"]
    assert expect(409, rotate(team.admin, old))["type"].endswith(":key-replaced")
    expect(201, rotate(team.admin, new))


def test_of_several_who_rotate_at_once_one_succeeds(team):
    callers = [team.new_key("admin") for _ in range(4)]
    for caller in callers:
        expect(200, caller.get(KEYS))  # a connection is open
    for _ in range(8):
        old = make(team.admin)["key"]
        answers = in_parallel(4, lambda index: rotate(callers[index], old))
        assert sorted(answer.status for answer in answers) == [201, 409, 409, 409]
        winner = next(answer for answer in answers if answer.status == 201)
        assert listed(team.admin, old)["replaced_by"] == winner["key"]["id"]


def test_what_is_over_is_not_rotated(team, quickstart):
    revoked, expired = make(team.admin)["key"], make(team.admin)["key"]
    expect(200, revoke(team.admin, revoked))
    Owner(quickstart).run("UPDATE api_keys SET expires_at = now() WHERE id = %s", expired["id"])
    for key, word in ((revoked, "revoked"), (expired, "expired")):
        answer = expect(409, rotate(team.admin, key))
        assert answer["type"].endswith(":key-not-active") and word in answer["detail"]


@pytest.mark.parametrize("members, pointer", [
    ({"overlap_hours": -1}, "/overlap_hours"), ({"overlap_hours": 721}, "/overlap_hours"), ({"overlap_hours": 1.5}, "/overlap_hours"),
    ({"expires_in_days": 366}, "/expires_in_days"), ({"scopes": ["admin"]}, "/scopes"),
])
def test_a_rotation_of_the_wrong_form_is_422(team, members, pointer):
    assert pointers(expect(422, rotate(team.admin, {"id": NOWHERE}, **members))) == {pointer}


# ---- revoking ----


def test_a_revoked_key_opens_nothing_from_the_next_request_on(team, server, database):
    made = make(team.admin, "read", "admin")
    caller = Caller(server, key=made["api_key"])
    expect(200, caller.get(LEARNING + "/stats"))
    answer = expect(200, revoke(team.admin, made["key"])).json()
    assert answer["status"] == "revoked" and answer["key"]["status"] == "revoked" and answer["key"]["revoked_at"]
    for _ in range(5):
        expect(401, caller.get(LEARNING + "/stats"))
    expect(401, caller.post(KEYS, {"name": "x", "scopes": ["read"]}))
    again = expect(200, revoke(team.admin, made["key"])).json()
    assert again == answer
    assert [entry["action"] for entry in events(database, made["key"])] == ["key.created", "key.revoked"]


def test_a_key_may_revoke_itself(team, server):
    made = make(team.admin, "admin")
    caller = Caller(server, key=made["api_key"])
    expect(200, revoke(caller, made["key"]))
    expect(401, caller.get(KEYS))


def test_the_end_of_a_rotated_key_does_not_end_its_successor(team, server):
    old = make(team.admin)
    new = expect(201, rotate(team.admin, old["key"])).json()
    expect(200, revoke(team.admin, old["key"]))
    expect(401, Caller(server, key=old["api_key"]).get(LEARNING + "/stats"))
    expect(200, Caller(server, key=new["api_key"]).get(LEARNING + "/stats"))


# ---- the list ----


def test_the_list_is_newest_first_and_goes_by_pages(server):
    partner = Partner(server, sites=False)
    admin = partner.sign_in("admin")
    made = [make(admin)["key"] for _ in range(4)]
    everything = expect(200, admin.get(KEYS)).json()
    assert everything["total"] == 5 and everything["total_is_exact"]
    ids = [key["id"] for key in everything["keys"]]
    assert ids[:4] == [key["id"] for key in made[::-1]]
    seen, cursor = [], {}
    while True:
        page = expect(200, admin.get(KEYS, limit=2, **cursor)).json()
        seen += [key["id"] for key in page["keys"]]
        if page["next_cursor"] is None:
            break
        make(admin)  # what comes in between is not repeated and hides nothing
        cursor = {"cursor": page["next_cursor"]}
    assert seen == ids
    expect(400, admin.get(USERS, cursor=expect(200, admin.get(KEYS, limit=1))["next_cursor"]))


def test_another_partners_keys_are_not_there(team, rival, server):
    foreign = make(rival.sign_in("admin"))
    for act in (rotate, revoke):
        answers = [expect(404, act(team.admin, key)).json() for key in (foreign["key"], {"id": NOWHERE}, {"id": "x"}, {"id": "%FF"})]
        for answer in answers:
            answer.pop("request_id")
        assert answers[1:] == answers[:-1] and answers[0]["type"].endswith(":key-not-found")
    expect(200, Caller(server, key=foreign["api_key"]).get(LEARNING + "/stats"))
    assert foreign["key"]["id"] not in {key["id"] for key in expect(200, team.admin.get(KEYS, limit=200))["keys"]}


# ---- repetitions ----


def test_p38_a_repeated_wish_makes_one_key_and_the_database_cannot_tell_it(team, database):
    headers = {"Idempotency-Key": unique("make")}
    body = {"name": unique("key"), "scopes": ["read"]}
    first = expect(201, team.admin.post(KEYS, body, headers=headers))
    again = expect(201, team.admin.post(KEYS, body, headers=headers))
    assert again.json() == first.json() and again.headers["Idempotent-Replayed"] == "true"
    assert sum(key["name"] == body["name"] for key in expect(200, team.admin.get(KEYS, limit=200))["keys"]) == 1
    row = database.row("SELECT body, sealed FROM idempotency_keys WHERE key = %s", headers["Idempotency-Key"])
    assert row["sealed"] and first["api_key"] not in row["body"] and body["name"] not in row["body"]


def test_p38_what_only_another_session_could_open_is_409(team, server):
    other = sign_in(server, team.email, team.password)
    headers = {"Idempotency-Key": unique("make")}
    body = {"name": unique("key"), "scopes": ["read"]}
    made = expect(201, team.admin.post(KEYS, body, headers=headers))
    assert expect(409, other.post(KEYS, body, headers=headers))["type"].endswith(":answer-sealed")
    path = f"{KEYS}/{made['key']['id']}/rotate"
    rotated = {"Idempotency-Key": unique("rotate")}
    first = expect(201, team.admin.post(path, {}, headers=rotated))
    assert expect(201, team.admin.post(path, {}, headers=rotated)).json() == first.json()
    assert expect(409, other.post(path, {}, headers=rotated))["type"].endswith(":answer-sealed")


def test_p38_an_altered_answer_is_not_given_again(team, quickstart):
    headers = {"Idempotency-Key": unique("make")}
    body = {"name": unique("key"), "scopes": ["read"]}
    expect(201, team.admin.post(KEYS, body, headers=headers))
    Owner(quickstart).run("UPDATE idempotency_keys SET body = reverse(body) WHERE key = %s", headers["Idempotency-Key"])
    assert expect(409, team.admin.post(KEYS, body, headers=headers))["type"].endswith(":answer-sealed")


def test_p38_a_repeated_end_is_answered_as_before(team):
    key = make(team.admin)["key"]
    headers = {"Idempotency-Key": unique("end")}
    path = f"{KEYS}/{key['id']}/revoke"
    first = expect(200, team.admin.post(path, {}, headers=headers))
    assert expect(200, team.admin.post(path, {}, headers=headers)).json() == first.json()


# ---- operators do the same ----


def test_operators_list_a_partners_keys_without_their_secrets(team):
    made = make(team.admin, "read", acts_as_me=True)
    printed = control("key", "list", "--partner", team.slug)["keys"]
    assert [key["id"] for key in printed] == [key["id"] for key in expect(200, team.admin.get(KEYS, limit=200))["keys"]]
    assert printed[0]["prefix"] == made["key"]["prefix"] and printed[0]["acts_as"] == team.email
    assert made["api_key"] not in str(printed)
    with pytest.raises(Refused):
        control("key", "list", "--partner", "nobody")


def test_operators_and_admins_have_one_rotation(team, server):
    made = make(team.admin)
    new = control("key", "rotate", "--key", made["key"]["prefix"], "--expires", "1d", "--overlap", "1h")
    assert listed(team.admin, made["key"])["replaced_by"] == new["id"]
    with pytest.raises(Refused, match="rotated before"):
        control("key", "rotate", "--key", made["key"]["id"], "--expires", "1d")
    control("key", "revoke", "--key", new["id"], "--partner", team.slug)
    assert listed(team.admin, new)["status"] == "revoked"
    with pytest.raises(Refused):
        control("key", "revoke", "--key", made["key"]["id"], "--partner", "nobody")
