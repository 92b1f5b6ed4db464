"""Fixtures of every suite that talks to an instance; FLYWHEEL_DIR names it (./deploy/quickstart makes one)."""

import json
import os
from pathlib import Path

import psycopg2
import psycopg2.extras
import pytest

from . import openapi
from .client import Caller, Server
from .world import Partner


@pytest.fixture(scope="session")
def quickstart():
    """What quickstart.json says."""
    folder = os.environ.get("FLYWHEEL_DIR")
    assert folder, "FLYWHEEL_DIR must name an instance made by ./deploy/quickstart"
    return json.loads((Path(folder) / "quickstart.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def server(quickstart):
    made = Server(quickstart["url"], openapi.load())
    made.remember(quickstart["api_key"], quickstart["password"])
    return made


@pytest.fixture(scope="session")
def nobody(server):
    """A caller without credentials."""
    return Caller(server)


@pytest.fixture(scope="session")
def demo(server, quickstart):
    """The demonstration partner's key."""
    return Caller(server, key=quickstart["api_key"])


@pytest.fixture(scope="session")
def acme(server):
    """A partner for tests that add to what is there and count nothing."""
    return Partner(server)


@pytest.fixture(scope="session")
def rival(server):
    """Another partner, whose data nobody else may see."""
    return Partner(server)


@pytest.fixture
def partner(server):
    """A partner of the test's own, for tests that count."""
    return Partner(server)


@pytest.fixture(scope="session")
def approver(acme):
    """A browser in which an approver of acme is signed in."""
    return acme.sign_in("approver")


class Database:
    """The operators' login: reads everything."""

    def __init__(self, url):
        self.connection = psycopg2.connect(url)
        self.connection.autocommit = True

    def rows(self, statement, *values):
        with self.connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
            cursor.execute(statement, values)
            return [dict(row) for row in cursor.fetchall()] if cursor.description else []

    def row(self, statement, *values):
        found = self.rows(statement, *values)
        assert len(found) == 1, f"{len(found)} rows: {statement} {values}"
        return found[0]

    def audit(self, pattern_signature):
        """The audit log's rows about one pattern, oldest first."""
        return self.rows("SELECT * FROM promotion_audit_log WHERE pattern_signature = %s ORDER BY id",
                         pattern_signature)


@pytest.fixture(scope="session")
def database(quickstart):
    return Database(quickstart["database_url"])
