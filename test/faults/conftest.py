"""Faults: what happens to the service when its processes, its database, its disk or its clock fail."""

import os
import sys
from pathlib import Path

import psycopg2
import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "api"), str(TESTS / "server")]

from house.fixtures import (  # noqa: E402,F401
    Database, acme, approver, demo, nobody, partner, quickstart, rival, server)
from machine import Machine  # noqa: E402


class Reconnecting(Database):
    """The operators' login, when the database has been away since."""

    def __init__(self, url):
        super().__init__(url)
        self.url = url

    def rows(self, statement, *values):
        try:
            return super().rows(statement, *values)
        except psycopg2.Error:
            super().__init__(self.url)
            return super().rows(statement, *values)


@pytest.fixture(scope="session")
def database(quickstart):
    return Reconnecting(quickstart["database_url"])


@pytest.fixture(scope="session")
def machine(quickstart):
    made = Machine(os.environ["FLYWHEEL_DIR"], quickstart)
    print(f"seed {made.seed}")
    return made
