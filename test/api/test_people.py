"""The people of a partner, as its admins manage them: invitations, links, roles, status."""

import re

import pytest

from house.client import LEARNING, USERS, Caller, expect, pointers
from house.control import Refused, control
from house.owner import Owner
from house.world import Partner, sign_in, unique
from test_approve import in_parallel

NOWHERE = "00000000-0000-4000-8000-000000000000"
PASSWORD = "a sentence that nobody guesses"
TOKEN = re.compile(r"^fwl_[A-Za-z0-9_-]{43}$")


@pytest.fixture(scope="module")
def team(server):
    """A partner with an admin's browser."""
    team = Partner(server, sites=False)
    team.admin = team.sign_in("admin")
    return team


def address(stem="person"):
    return f"{unique(stem)}@example.com"


def invite(admin, role="viewer", **members):
    return expect(201, admin.post(USERS, {"email": address(), "role": role, **members})).json()


def set_password(server, token, password=PASSWORD):
    return Caller(server).post("/api/partner-auth/password", {"token": token, "password": password})


def join(server, admin, role="viewer"):
    """Somebody who was invited and has signed in: what the list says, and the browser."""
    made = invite(admin, role)
    expect(200, set_password(server, made["link"]["token"]))
    browser = sign_in(server, made["user"]["email"], PASSWORD)
    return made["user"], browser


def change(admin, user, **members):
    return admin.patch(f"{USERS}/{user['id']}", members)


def reset(admin, user):
    return admin.post(f"{USERS}/{user['id']}/password-reset", {})


def listed(admin, user):
    found = [entry for entry in expect(200, admin.get(USERS, limit=200))["users"] if entry["id"] == user["id"]]
    assert len(found) == 1
    return found[0]


def events(database, user):
    """What the audit log has about a person, oldest first, without signing in."""
    rows = database.rows("SELECT * FROM promotion_audit_log WHERE entity = 'user' AND entity_id = %s ORDER BY id", user["id"])
    return [row for row in rows if not row["action"].startswith("user.sign")]


# ---- the list ----


def test_the_list_has_everybody_by_address(server):
    partner = Partner(server, sites=False)
    admin = partner.sign_in("admin")
    people = [invite(admin)["user"] for _ in range(4)]
    answer = expect(200, admin.get(USERS)).json()
    assert answer["total"] == 5 and answer["total_is_exact"] and answer["next_cursor"] is None
    emails = [user["email"] for user in answer["users"]]
    assert emails == sorted(emails) and {user["email"] for user in people} < set(emails)
    seen, cursor = [], {}
    while True:
        page = expect(200, admin.get(USERS, limit=2, **cursor)).json()
        assert len(page["users"]) <= 2 and page["total"] == 5
        seen += [user["email"] for user in page["users"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == emails


def test_a_cursor_of_another_list_is_400(team):
    expect(400, team.admin.get(USERS, cursor="x"))


def test_an_admins_key_may_what_an_admin_may(team):
    key = team.new_key("admin")
    user = invite(key)["user"]
    assert listed(key, user)["status"] == "invited"
    assert expect(200, change(key, user, role="approver"))["user"]["role"] == "approver"


@pytest.mark.parametrize("role", ["viewer", "approver"])
def test_others_see_no_list(team, role):
    assert "admin" in expect(403, team.sign_in(role).get(USERS))["detail"]


# ---- inviting ----


def test_an_invitation_by_its_link_makes_a_person_who_can_sign_in(team, server, database):
    email = address()
    answer = expect(201, team.admin.post(USERS, {"email": email, "role": "approver", "display_name": "  Kim Reyes "})).json()
    user, link = answer["user"], answer["link"]
    assert (user["email"], user["display_name"], user["role"], user["status"]) == (email, "Kim Reyes", "approver", "invited")
    assert user["last_sign_in_at"] is None and user["locked_until"] is None and TOKEN.match(link["token"])
    row = database.row("SELECT l.*, expires_at - created_at AS life FROM password_links l WHERE user_id = %s", user["id"])
    assert row["life"].total_seconds() == 72 * 3600
    assert link["token"] not in str({name: bytes(value) if isinstance(value, memoryview) else value for name, value in row.items()})
    expect(401, Caller(server).post("/api/partner-auth/login", {"email": email, "password": PASSWORD}))
    assert expect(200, set_password(server, link["token"])).json() == {"status": "password_set", "email": email}
    browser = sign_in(server, email, PASSWORD)
    assert expect(200, browser.get("/api/partner-auth/me"))["user"]["role"] == "approver"
    assert listed(team.admin, user)["status"] == "active" and listed(team.admin, user)["last_sign_in_at"]
    log = events(database, user)
    assert [row["action"] for row in log] == ["user.invited", "user.password_set"]
    assert log[0]["after"] == {"email": email, "display_name": "Kim Reyes", "role": "approver"} and log[0]["before"] is None
    assert (log[1]["actor_kind"], log[1]["actor"]) == ("user", email)


def test_without_a_name_the_address_takes_its_place(team):
    user = invite(team.admin)["user"]
    assert user["display_name"] == user["email"]
    long = (unique("long") + "x" * 250)[:242] + "@example.com"
    user = expect(201, team.admin.post(USERS, {"email": long, "role": "viewer"}))["user"]
    assert (user["email"], user["display_name"]) == (long, long[:200])


def test_an_address_that_is_taken_is_409_also_at_another_partner(team, rival):
    user = invite(team.admin)["user"]
    foreign, _ = rival.new_user("viewer")
    for email in (user["email"], user["email"].upper(), foreign):
        answer = expect(409, team.admin.post(USERS, {"email": email, "role": "viewer"}))
        assert answer["type"].endswith(":address-taken")


@pytest.mark.parametrize("body, pointer", [
    ({"role": "viewer"}, "/email"), ({"email": "a@example.com"}, "/role"), ({"email": "nobody", "role": "viewer"}, "/email"),
    ({"email": "@example.com", "role": "viewer"}, "/email"), ({"email": "somebody@", "role": "viewer"}, "/email"),
    ({"email": "two words@example.com", "role": "viewer"}, "/email"), ({"email": "a@b\n.c", "role": "viewer"}, "/email"),
    ({"email": "x" * 251 + "@a.b", "role": "viewer"}, "/email"), ({"email": "a@example.com", "role": "owner"}, "/role"),
    ({"email": "a@example.com", "role": "viewer", "display_name": " "}, "/display_name"),
    ({"email": "a@example.com", "role": "viewer", "display_name": "x" * 201}, "/display_name"),
    ({"email": "a@example.com", "role": "viewer", "password": PASSWORD}, "/password"),
])
def test_an_invitation_of_the_wrong_form_is_422(team, body, pointer):
    assert pointers(expect(422, team.admin.post(USERS, body))) == {pointer}


# ---- links ----


def test_a_link_works_once(team, server):
    token = invite(team.admin)["link"]["token"]
    expect(200, set_password(server, token))
    assert pointers(expect(422, set_password(server, token, PASSWORD + " again"))) == {"/token"}


def test_of_two_who_use_a_link_at_once_one_succeeds(team, server):
    made = invite(team.admin)
    answers = in_parallel(4, lambda index: set_password(server, made["link"]["token"], f"{PASSWORD} {index}"))
    assert sorted(answer.status for answer in answers) == [200, 422, 422, 422]
    winner = next(index for index, answer in enumerate(answers) if answer.status == 200)
    sign_in(server, made["user"]["email"], f"{PASSWORD} {winner}")


@pytest.mark.parametrize("token", ["x", "fwl_" + "0" * 43, "' OR '1'='1", "x" * 200])
def test_an_unknown_link_is_422(server, token):
    assert pointers(expect(422, set_password(server, token))) == {"/token"}


def test_an_expired_link_is_422(team, server, quickstart):
    made = invite(team.admin)
    Owner(quickstart).run("UPDATE password_links SET created_at = now() - interval '72 hours', "
                          "expires_at = now() - interval '1 second' WHERE user_id = %s", made["user"]["id"])
    assert pointers(expect(422, set_password(server, made["link"]["token"]))) == {"/token"}
    assert listed(team.admin, made["user"])["status"] == "invited"


def test_a_bad_password_leaves_the_link_as_it_is(team, server):
    made = invite(team.admin)
    token, email = made["link"]["token"], made["user"]["email"]
    for password in ("", "eleven char", "x" * 1025, email, email.upper()):
        assert pointers(expect(422, set_password(server, token, password))) == {"/password"}
    expect(200, set_password(server, token, "twelve chars"))


def test_a_password_is_taken_as_it_is(team, server):
    made = invite(team.admin)
    password = "  пароль mit Ümläuten 🗝  "
    expect(200, set_password(server, made["link"]["token"], password))
    expect(401, Caller(server).post("/api/partner-auth/login", {"email": made["user"]["email"], "password": password.strip()}))
    sign_in(server, made["user"]["email"], password)


def test_a_reset_ends_sessions_only_when_its_link_is_used(team, server, database):
    user, browser = join(server, team.admin)
    answer = expect(200, reset(team.admin, user)).json()
    assert answer["user"]["status"] == "active" and TOKEN.match(answer["link"]["token"])
    life = database.row("SELECT expires_at - created_at AS life FROM password_links WHERE user_id = %s", user["id"])["life"]
    assert life.total_seconds() == 24 * 3600
    other = sign_in(server, user["email"], PASSWORD)
    expect(200, browser.get(LEARNING + "/stats"))
    expect(200, set_password(server, answer["link"]["token"], PASSWORD + " anew"))
    for ended in (browser, other):
        expect(401, ended.get(LEARNING + "/stats"))
    expect(401, Caller(server).post("/api/partner-auth/login", {"email": user["email"], "password": PASSWORD}))
    sign_in(server, user["email"], PASSWORD + " anew")
    assert [row["action"] for row in events(database, user)][-2:] == ["user.password_reset", "user.password_set"]


def test_a_newer_link_ends_the_one_before(team, server):
    made = invite(team.admin)
    newer = expect(200, reset(team.admin, made["user"]))["link"]["token"]
    newest = expect(200, reset(team.admin, made["user"]))["link"]["token"]
    for token in (made["link"]["token"], newer):
        assert pointers(expect(422, set_password(server, token))) == {"/token"}
    expect(200, set_password(server, newest))


def test_who_never_chose_a_password_gets_an_invitation_again(team, database):
    made = invite(team.admin)
    assert expect(200, reset(team.admin, made["user"]))["user"]["status"] == "invited"
    life = database.row("SELECT expires_at - created_at AS life FROM password_links WHERE user_id = %s", made["user"]["id"])["life"]
    assert life.total_seconds() == 72 * 3600


def test_who_is_disabled_gets_no_link(team):
    made = invite(team.admin)
    expect(200, change(team.admin, made["user"], status="disabled"))
    assert expect(409, reset(team.admin, made["user"]))["type"].endswith(":user-disabled")


# ---- changing ----


def test_a_role_counts_from_the_next_request_on(team, server, database):
    user, browser = join(server, team.admin)
    expect(403, browser.get(USERS))
    assert expect(200, change(team.admin, user, role="admin"))["user"]["role"] == "admin"
    expect(200, browser.get(USERS))
    expect(200, change(team.admin, user, role="viewer"))
    expect(403, browser.get(USERS))
    log = [row for row in events(database, user) if row["action"] == "user.changed"]
    assert [(row["before"]["role"], row["after"]["role"]) for row in log] == [("viewer", "admin"), ("admin", "viewer")]
    assert all(row["before"]["email"] == row["after"]["email"] == user["email"] for row in log)
    assert log[0]["actor"] == expect(200, team.admin.get("/api/partner-auth/me"))["user"]["email"]


def test_what_is_so_already_changes_and_logs_nothing(team, server, database):
    user, _ = join(server, team.admin)
    before = events(database, user)
    for members in ({}, {"role": "viewer"}, {"status": "active"}, {"display_name": user["display_name"]},
                    {"role": "viewer", "status": "active", "display_name": None}):
        assert expect(200, change(team.admin, user, **members))["user"] == listed(team.admin, user)
    assert events(database, user) == before
    expect(200, change(team.admin, user, status="disabled"))
    count = len(events(database, user))
    assert expect(200, change(team.admin, user, status="disabled"))["user"]["status"] == "disabled"
    assert len(events(database, user)) == count


def test_a_name_is_changed_alone(team, server):
    user, _ = join(server, team.admin, "approver")
    changed = expect(200, change(team.admin, user, display_name="  Lee Park "))["user"]
    assert (changed["display_name"], changed["role"], changed["status"]) == ("Lee Park", "approver", "active")


def test_disabling_ends_sessions_keys_and_links_at_once(team, server, database):
    user, browser = join(server, team.admin, "approver")
    key = Caller(server, key=control("key", "add", "--partner", team.slug, "--scopes", "read", "--expires", "1d",
                                     "--user", user["email"])["api_key"])
    token = expect(200, reset(team.admin, user))["link"]["token"]
    expect(200, key.get(LEARNING + "/stats"))
    assert expect(200, change(team.admin, user, status="disabled"))["user"]["status"] == "disabled"
    expect(401, browser.get(LEARNING + "/stats"))
    expect(401, key.get(LEARNING + "/stats"))
    expect(401, Caller(server).post("/api/partner-auth/login", {"email": user["email"], "password": PASSWORD}))
    assert pointers(expect(422, set_password(server, token))) == {"/token"}
    assert expect(200, change(team.admin, user, status="active"))["user"]["status"] == "active"
    expect(401, browser.get(LEARNING + "/stats"))  # that session is gone for good
    assert pointers(expect(422, set_password(server, token))) == {"/token"}
    expect(200, key.get(LEARNING + "/stats"))
    sign_in(server, user["email"], PASSWORD)
    log = events(database, user)
    assert [row["action"] for row in log][-2:] == ["user.disabled", "user.enabled"]
    assert all(row["after"]["email"] == user["email"] for row in log), "each entry says whom it is about"


def test_an_invitation_is_withdrawn_and_made_again(team, server):
    made = invite(team.admin)
    expect(200, change(team.admin, made["user"], status="disabled"))
    assert pointers(expect(422, set_password(server, made["link"]["token"]))) == {"/token"}
    assert expect(200, change(team.admin, made["user"], status="active"))["user"]["status"] == "invited"
    expect(200, set_password(server, expect(200, reset(team.admin, made["user"]))["link"]["token"]))


@pytest.mark.parametrize("members, pointer", [
    ({"role": "owner"}, "/role"), ({"status": "invited"}, "/status"), ({"status": 1}, "/status"),
    ({"display_name": ""}, "/display_name"), ({"email": "new@example.com"}, "/email"), ({"password": PASSWORD}, "/password"),
])
def test_a_change_of_the_wrong_form_is_422(team, members, pointer):
    assert pointers(expect(422, change(team.admin, {"id": NOWHERE}, **members))) == {pointer}


# ---- oneself, and the last admin ----


def test_nobody_changes_their_own_role_or_status(team):
    me = expect(200, team.admin.get("/api/partner-auth/me"))["user"]
    other = team.new_user("admin")
    assert other
    for members in ({"role": "viewer"}, {"status": "disabled"}):
        assert expect(409, change(team.admin, me, **members))["type"].endswith(":own-account")
    assert expect(200, change(team.admin, me, role="admin", status="active", display_name="Me"))["user"]["display_name"] == "Me"


def test_the_last_admin_stays(server):
    partner = Partner(server, sites=False)
    admin = partner.sign_in("admin")
    key = partner.new_key("admin")
    me = expect(200, admin.get("/api/partner-auth/me"))["user"]
    for members in ({"role": "approver"}, {"status": "disabled"}, {"role": "viewer", "status": "disabled"}):
        assert expect(409, change(key, me, **members))["type"].endswith(":last-admin")
    invited = invite(admin, "admin")["user"]  # has not come yet, and may never
    assert expect(409, change(key, me, role="viewer"))["type"].endswith(":last-admin")
    expect(200, change(key, invited, status="disabled"))
    other, _ = join(server, admin, "admin")
    assert expect(200, change(key, me, role="viewer"))["user"]["role"] == "viewer"
    assert expect(409, change(key, other, status="disabled"))["type"].endswith(":last-admin")
    expect(403, admin.get(USERS))


@pytest.mark.parametrize("members", [{"role": "viewer"}, {"status": "disabled"}])
def test_of_two_admins_who_put_each_other_out_at_once_one_stays(server, members):
    for _ in range(2):
        partner = Partner(server, sites=False)
        admins = [partner.sign_in("admin"), partner.sign_in("admin")]
        them = [expect(200, admin.get("/api/partner-auth/me"))["user"] for admin in admins]
        answers = in_parallel(2, lambda index: change(admins[index], them[1 - index], **members))
        assert sorted(answer.status for answer in answers)[0] == 200, answers
        assert sorted(answer.status for answer in answers)[1] in (401, 403, 409), answers
        left = [user for user in expect(200, partner.new_key("admin").get(USERS))["users"]
                if user["role"] == "admin" and user["status"] == "active"]
        assert len(left) == 1


# ---- whose ----


def test_another_partners_people_are_not_there(team, rival, server):
    foreign, _ = join(server, rival.sign_in("admin"))
    missing = {"id": NOWHERE}
    for call in (lambda user: change(team.admin, user, role="admin"), lambda user: change(team.admin, user, status="disabled"),
                 lambda user: reset(team.admin, user)):
        answers = [expect(404, call(user)).json() for user in (foreign, missing, {"id": "x"}, {"id": "%FF"})]
        for answer in answers:
            answer.pop("request_id")
        assert answers[1:] == answers[:-1] and answers[0]["type"].endswith(":user-not-found")
    assert foreign["id"] not in {user["id"] for user in expect(200, team.admin.get(USERS, limit=200))["users"]}
    assert listed(rival.sign_in("admin"), foreign)["role"] == "viewer"


# ---- repetitions ----


def test_p38_a_repeated_invitation_gives_the_same_link_and_the_database_cannot_tell_it(team, server, database):
    headers = {"Idempotency-Key": unique("invite")}
    body = {"email": address(), "role": "viewer"}
    first = expect(201, team.admin.post(USERS, body, headers=headers))
    again = expect(201, team.admin.post(USERS, body, headers=headers))
    assert again.json() == first.json() and again.headers["Idempotent-Replayed"] == "true"
    row = database.row("SELECT body, sealed FROM idempotency_keys WHERE key = %s", headers["Idempotency-Key"])
    assert row["sealed"] and first["link"]["token"] not in row["body"] and body["email"] not in row["body"]
    expect(200, set_password(server, first["link"]["token"]))


def test_p38_another_session_of_the_same_person_cannot_open_the_answer(team, server):
    email, password = team.new_user("admin")
    one, two = sign_in(server, email, password), sign_in(server, email, password)
    headers = {"Idempotency-Key": unique("invite")}
    body = {"email": address(), "role": "viewer"}
    made = expect(201, one.post(USERS, body, headers=headers))
    assert expect(409, two.post(USERS, body, headers=headers))["type"].endswith(":answer-sealed")
    user = made["user"]
    path = f"{USERS}/{user['id']}/password-reset"
    link = expect(200, one.post(path, {}, headers={"Idempotency-Key": headers["Idempotency-Key"] + "r"}))["link"]
    assert expect(409, two.post(path, {}, headers={"Idempotency-Key": headers["Idempotency-Key"] + "r"}))["type"].endswith(":answer-sealed")
    assert expect(200, one.post(path, {}, headers={"Idempotency-Key": headers["Idempotency-Key"] + "r"}))["link"] == link
    assert expect(422, two.post(USERS, {**body, "role": "admin"}, headers=headers))["type"].endswith(":idempotency-key-reused")


def test_p38_a_refusal_and_a_change_are_repeated_as_they_were(team, server):
    user, _ = join(server, team.admin)
    headers = {"Idempotency-Key": unique("change")}
    path = f"{USERS}/{user['id']}"
    first = expect(200, team.admin.patch(path, {"role": "approver"}, headers=headers))
    expect(200, change(team.admin, user, role="viewer"))
    assert expect(200, team.admin.patch(path, {"role": "approver"}, headers=headers)).json() == first.json()
    assert listed(team.admin, user)["role"] == "viewer"
    taken = {"Idempotency-Key": unique("taken")}
    body = {"email": user["email"], "role": "viewer"}
    refused = expect(409, team.admin.post(USERS, body, headers=taken))
    assert expect(409, team.admin.post(USERS, body, headers=taken)).json() == refused.json()


# ---- one's own password ----


def change_password(caller, current, new):
    return caller.post("/api/partner-auth/change-password", {"current_password": current, "new_password": new})


def test_changing_the_password_ends_the_other_sessions_and_links(team, server, database):
    user, browser = join(server, team.admin)
    other = sign_in(server, user["email"], PASSWORD)
    token = expect(200, reset(team.admin, user))["link"]["token"]
    assert pointers(expect(422, change_password(browser, PASSWORD + "?", PASSWORD + " new"))) == {"/current_password"}
    expect(200, other.get(LEARNING + "/stats"))
    assert expect(200, change_password(browser, PASSWORD, PASSWORD + " new")).json() == {"status": "password_set"}
    expect(200, browser.get(LEARNING + "/stats"))
    expect(401, other.get(LEARNING + "/stats"))
    assert pointers(expect(422, set_password(server, token))) == {"/token"}
    expect(401, Caller(server).post("/api/partner-auth/login", {"email": user["email"], "password": PASSWORD}))
    sign_in(server, user["email"], PASSWORD + " new")
    assert events(database, user)[-1]["action"] == "user.password_set"


def test_a_new_password_of_the_wrong_form_is_422(team, server):
    user, browser = join(server, team.admin)
    for new in ("eleven char", user["email"], user["email"].upper(), "x" * 1025):
        assert pointers(expect(422, change_password(browser, PASSWORD, new))) == {"/new_password"}
    sign_in(server, user["email"], PASSWORD)


def test_a_key_changes_no_password(team, server):
    user, _ = join(server, team.admin)
    key = Caller(server, key=control("key", "add", "--partner", team.slug, "--scopes", "admin", "--expires", "1d",
                                     "--user", user["email"])["api_key"])
    expect(403, change_password(key, PASSWORD, PASSWORD + " new"))
    expect(403, change_password(team.new_key("admin"), PASSWORD, PASSWORD + " new"))
    sign_in(server, user["email"], PASSWORD)


# ---- the log, by subject ----


def test_the_log_is_asked_for_by_subject(partner, server):
    admin = partner.sign_in("admin")
    partner.new_rule()
    invite(admin)
    expect(201, admin.post("/api/partners/me/keys", {"name": "for the log", "scopes": ["read"]}))

    def entities(**query):
        answer = expect(200, admin.get(LEARNING + "/audit", limit=200, **query)).json()
        assert answer["total"] == len(answer["entries"])
        return [entry["entity"] for entry in answer["entries"]]

    everything = entities()
    assert set(entities(about="decisions")) == {"candidate", "rule"}
    assert set(entities(about="access")) == {"user", "key"}
    assert sorted(everything) == sorted(entities(about="decisions") + entities(about="access")
                                        + [entity for entity in everything if entity in ("partner", "site", "appliance")])
    expect(400, admin.get(LEARNING + "/audit", about="everything"))
    cursor = expect(200, admin.get(LEARNING + "/audit", about="access", limit=1))["next_cursor"]
    expect(200, admin.get(LEARNING + "/audit", about="access", cursor=cursor))
    expect(400, admin.get(LEARNING + "/audit", about="decisions", cursor=cursor))


# ---- operators ----


def test_an_operator_disables_enables_and_makes_links(team, server, database):
    user, browser = join(server, team.admin)
    assert control("user", "disable", "--email", user["email"].upper()) == {"email": user["email"], "status": "disabled"}
    expect(401, browser.get(LEARNING + "/stats"))
    with pytest.raises(Refused, match="enable"):
        control("user", "reset-password", "--email", user["email"])
    assert control("user", "enable", "--email", user["email"])["status"] == "active"
    made = control("user", "reset-password", "--email", user["email"])
    server.remember(made["token"])
    assert made["path"] == "/#set-password=" + made["token"]
    expect(200, set_password(server, made["token"], PASSWORD + " of an operator's link"))
    rows = events(database, user)
    assert [row["action"] for row in rows][-4:] == ["user.disabled", "user.enabled", "user.password_reset", "user.password_set"]
    assert {row["actor_kind"] for row in rows[-4:-1]} == {"operator"}
    with pytest.raises(Refused, match="no such user"):
        control("user", "disable", "--email", address("nobody"))


def test_an_operator_may_disable_the_last_admin(server):
    partner = Partner(server, sites=False)
    email, password = partner.new_user("admin")
    browser = sign_in(server, email, password)
    control("user", "disable", "--email", email)
    expect(401, browser.get(USERS))
