"""Properties: generated requests, valid and slightly invalid, to every operation; see client.py."""

import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "api")]

from house.fixtures import (  # noqa: E402,F401
    acme, approver, database, demo, nobody, partner, quickstart, rival, server)
