"""The loop: what appliances see becomes a rule that a person approved, and the rule heals what they see next.

FLYWHEEL_DIR names the instance, FLYWHEEL_BUILD the build that holds the agent."""

import os
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "api"), str(TESTS / "lib"), str(Path(__file__).parent)]

from house.fixtures import (  # noqa: E402,F401
    acme, approver, database, demo, nobody, partner, quickstart, rival, server)
from box import Clinic  # noqa: E402
from deliveries import Deliveries  # noqa: E402


@pytest.fixture(scope="session")
def deliveries(database):
    """What the server believes about who has which rule."""
    return Deliveries(database)


@pytest.fixture
def clinic(server, acme, quickstart, tmp_path):
    """A site of the test's own, with two appliances that run the real agent."""
    return Clinic(server, acme, quickstart, tmp_path, boxes=2)


@pytest.fixture
def neighbour(server, acme, quickstart, tmp_path):
    """Another site of the same partner, with one appliance."""
    return Clinic(server, acme, quickstart, tmp_path, boxes=1)


@pytest.fixture(scope="session")
def everything():
    """Whether nothing is to be sampled (./test/run --full)."""
    return bool(os.environ.get("FLYWHEEL_FULL"))
