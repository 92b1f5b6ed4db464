"""P24: what belongs to another partner is answered, byte for byte, like what does not exist; and it stays as it was."""

from conftest import OPERATIONS, caller_of, operations
from house.client import expect
from house.operations import own_names

NOWHERE = "00000000-0000-4000-8000-00000000abcd"
MOVING = ("last_used_at", "last_sign_in_at")
with_id = operations(lambda operation: "{id}" in operation.path)


def still(rows):
    """A list without what changes by being used."""
    if isinstance(rows, dict):
        return {name: still(value) for name, value in rows.items() if name not in MOVING}
    return [still(row) for row in rows] if isinstance(rows, list) else rows


def collection_of(partner, operation):
    return still(expect(200, partner.admin.get(operation.path[:operation.path.index("/{id}")])).json())


def answer(caller, operation, name, body):
    """Under a request id of its own, so that nothing but the name tells two requests apart."""
    return caller.call(operation.method, operation.address(name), body=body, headers={"X-Request-Id": "one-and-the-same"})


def told(answered, name):
    headers = {key: value for key, value in answered.headers.items() if key not in ("Date", "X-Response-Time")}
    return answered.status, headers, answered.body.replace(name.encode(), b"(the id)")


def missing_like(name):
    return NOWHERE if len(name) == 36 else "L1-PROMOTED-NOBODYS"


@with_id
def test_p24_a_foreign_id_is_answered_like_none(server, home, abroad, operation):
    before = collection_of(abroad, operation)
    for name in own_names(server.contract, abroad.admin, operation):
        for caller in (home.admin, home.browser):
            for body in ([None] if not operation.is_write else [operation.body_example(), {}]):
                foreign, none = answer(caller, operation, name, body), answer(caller, operation, missing_like(name), body)
                assert told(foreign, name) == told(none, missing_like(name))
                assert foreign.status in (404, 422), foreign  # 422: the body is refused before anybody looks
        expect(404, answer(home.admin, operation, name, operation.body_example()))
    assert collection_of(abroad, operation) == before


@operations(lambda operation: "{id}" in operation.path and operation.takes("Idempotency-Key"))
def test_p24_an_idempotency_key_of_another_partner_replays_nothing(server, home, abroad, operation):
    name = own_names(server.contract, abroad.admin, operation)[0]
    headers = {"Idempotency-Key": f"shared-{operation.name}"}
    body = operation.body_example()
    first = abroad.admin.call(operation.method, operation.address(name), body=body, headers=headers)
    assert first.status < 500
    stolen = home.admin.call(operation.method, operation.address(name), body=body, headers=headers)
    expect(404, stolen)
    assert "Idempotent-Replayed" not in stolen.headers


@operations(lambda operation: operation.takes("site_id"))
def test_p24_a_foreign_site_shows_what_an_unknown_one_shows(home, abroad, operation):
    foreign, none = (caller_of(home, operation).call("GET", operation.path, headers={"X-Request-Id": "one-and-the-same"}, site_id=site)
                     for site in (abroad.main.site_id, "no-such-site"))
    assert (foreign.status, foreign.json()) == (none.status, none.json())
    assert foreign.status == 403 if operation.is_for_appliances else foreign.status == 200


@operations(lambda operation: operation.is_for_appliances)
def test_p24_an_appliance_cannot_speak_for_another_site(home, abroad, operation):
    named = {"site_id": abroad.main.site_id, "appliance_id": None}
    said = {"body": {**operation.body_example(), **named}} if operation.is_write else named
    expect(403, home.main.appliances[0].caller.call(operation.method, operation.path, **said))


@operations(lambda operation: operation.needs_sign_in)
def test_p40_nobody_and_the_wrong_kind_of_caller_get_in_nowhere(nobody, home, operation):
    body = operation.body_example() if operation.is_write else None
    expect(401, nobody.call(operation.method, operation.address(), body=body))
    wrong = home.admin if operation.is_for_appliances else home.main.appliances[0].caller
    assert wrong.call(operation.method, operation.address(), body=body).status in (401, 403)


def test_there_is_something_to_attack():
    assert len([operation for operation in OPERATIONS if "{id}" in operation.path]) >= 5


def test_callers_are_let_in_where_they_may(home):
    """The refusals above would mean nothing if everybody were refused."""
    for operation in OPERATIONS:
        if not operation.is_write and operation.needs_sign_in and "{id}" not in operation.path:
            assert caller_of(home, operation).get(operation.path).status in (200, 403), operation
