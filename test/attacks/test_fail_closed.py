"""P40: when what says who is calling cannot be read, nobody gets in; not with a good key, session or token either."""

import contextlib

import pytest

from conftest import OPERATIONS, caller_of
from house.client import Caller
from house.operations import own_names
from house.world import unique

ASKED = ["api_keys", "sessions", "users", "partners", "site_appliances", "appliance_tokens"]


@contextlib.contextmanager
def unreadable(owner, table):
    """The owner of `authenticate` may not read the table."""
    owner.run(f"REVOKE SELECT ON {table} FROM flywheel_migrate")
    try:
        yield
    finally:
        owner.run(f"GRANT SELECT ON {table} TO flywheel_migrate")


@contextlib.contextmanager
def missing(owner, table):
    """The table is not there, as after a restore that went wrong."""
    owner.run(f"ALTER TABLE {table} RENAME TO {table}_aside")
    try:
        yield
    finally:
        owner.run(f"ALTER TABLE {table}_aside RENAME TO {table}")


def kinds(home, operation):
    """Good callers whose word comes out of that table, among others."""
    if operation.is_for_appliances:
        return dict.fromkeys(("site_appliances", "appliance_tokens", "partners"), home.main.appliances[0].caller)
    return {"api_keys": home.admin, "sessions": home.browser, "users": home.browser, "partners": home.admin}


FAULTS = [(unreadable, table) for table in ASKED] + [(missing, "sessions"), (missing, "api_keys")]


@pytest.mark.parametrize("fault, table", FAULTS, ids=[f"{fault.__name__}-{table}" for fault, table in FAULTS])
def test_p40_without_the_table_nobody_gets_in(server, home, owner, database, fault, table):
    guarded = [operation for operation in OPERATIONS if operation.needs_sign_in]
    names = {operation: own_names(server.contract, home.admin, operation)[0] if "{id}" in operation.path else ""
             for operation in guarded}
    entries = database.row("SELECT count(*) AS n FROM promotion_audit_log")["n"]
    asked = 0
    with fault(owner, table):
        for operation in guarded:
            caller = kinds(home, operation).get(table)
            if caller is None:
                continue
            asked += 1
            body = operation.body_example() if operation.is_write else None
            answer = caller.call(operation.method, operation.address(names[operation]), body=body, unchecked=True)
            assert answer.status in (401, 500, 503), (operation, answer)
            assert answer.media_type == "application/problem+json" and "SQL" not in answer["detail"]
        signed_in = Caller(server).call("POST", "/api/partner-auth/login", unchecked=True,
                                        body={"email": unique("somebody") + "@example.com", "password": "not this one"})
        assert signed_in.status in (401, 500, 503) and not signed_in.set_cookie
    assert asked >= 2
    assert database.row("SELECT count(*) AS n FROM promotion_audit_log")["n"] in (entries, entries + 1)
    for operation in guarded:
        if not operation.is_write and "{id}" not in operation.path:
            assert caller_of(home, operation).get(operation.path).status in (200, 403), "it works again"


def test_p40_the_fault_is_in_the_way_of_good_callers_only_by_being_there(home):
    """Without it they get in: the refusals above are the fault's."""
    assert home.admin.get("/api/partners/me").status == 200
    assert home.browser.get("/api/partners/me").status == 200
