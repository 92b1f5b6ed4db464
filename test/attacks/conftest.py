"""Attacks: what somebody sends who means harm. Everything is generated from docs/openapi.yaml where it can be."""

import sys
from pathlib import Path

import pytest
from psycopg2 import extensions

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "api"), str(TESTS / "server"), str(TESTS / "nginx")]

from house import openapi  # noqa: E402
from house.fixtures import (  # noqa: E402,F401
    acme, approver, database, demo, nobody, partner, quickstart, rival, server)
from house.operations import all_operations  # noqa: E402
from house.owner import Owner  # noqa: E402
from house.world import execution, expect_accepted  # noqa: E402

OPERATIONS = all_operations(openapi.load())


def operations(condition):
    """Decorates a test: once for each operation of which the condition holds."""
    chosen = [operation for operation in OPERATIONS if condition(operation)]
    return pytest.mark.parametrize("operation", chosen, ids=repr)


@pytest.fixture(scope="session")
def owner(quickstart):
    return Owner(quickstart)


def furnish(partner):
    """Something of everything that a partner can own, and two callers who may do all: a key and a browser."""
    partner.new_rule()
    partner.new_candidate()
    expect_accepted(partner.main.appliances[0].report(execution()))
    partner.admin = partner.new_key("read,decide,admin")
    partner.browser = partner.sign_in("admin")
    partner.new_key("read")  # the newest: what is tried on a key and a person is tried on these
    partner.new_user("viewer")
    return partner


@pytest.fixture(scope="session")
def home(acme):
    return furnish(acme)


@pytest.fixture(scope="session")
def abroad(rival):
    return furnish(rival)


def caller_of(partner, operation):
    """Who may call it."""
    return partner.main.appliances[0].caller if operation.is_for_appliances else partner.admin


@pytest.fixture(scope="session")
def sockets(quickstart):
    """Where the handlers listen: beside PostgreSQL."""
    return Path(extensions.parse_dsn(quickstart["database_url"])["host"])


@pytest.fixture(scope="session")
def program_of():
    """(method, path) → the program that nginx asks."""
    lines = (TESTS.parent / "deploy" / "nginx" / "routes").read_text(encoding="utf-8").splitlines()
    words = [line.split() for line in lines if line and not line.startswith("#")]
    return {(method, path): program for method, path, program, _ in words}
