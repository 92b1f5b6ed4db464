"""Every operation answers everything: never a 5xx, never a status or an answer that the document does not know."""

import os

import pytest
from hypothesis import HealthCheck, given, seed, settings

from client import REGRESSIONS, Client, Request, almost_requests, fitting_requests, found_folder, load
from house import openapi
from house.operations import all_operations
from house.world import execution, expect_accepted

SEED = int(os.environ.get("FLYWHEEL_SEED", "1"))
EXAMPLES = int(os.environ.get("FLYWHEEL_EXAMPLES", "40"))
CONTRACT = openapi.load()
OPERATIONS = all_operations(CONTRACT)
each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=repr)


@pytest.fixture(scope="module")
def client(server, acme):
    acme.new_rule()
    acme.new_candidate()
    expect_accepted(acme.main.appliances[0].report(execution()))
    return Client(server, acme, OPERATIONS)


def explore(requests, check, examples, folder=None):
    """Has Hypothesis look for a request that `check` fails for. The smallest one is kept as a file."""
    failing = []

    @seed(SEED)
    @settings(max_examples=examples, deadline=None, database=None, print_blob=False,
              suppress_health_check=list(HealthCheck))
    @given(requests)
    def holds(request):
        try:
            check(request)
        except Exception:
            failing[:] = [request]
            raise

    try:
        holds()
    except BaseException as fault:
        if not failing:
            raise
        path = failing[0].save(folder or found_folder())
        raise AssertionError(
            f"{fault}\nThe smallest request that shows it lies in {path} (seed {SEED}). Mend the defect, and move the file "
            f"to test/properties/regressions, where it is tried again by every run.") from fault


def few(operation):
    """Signing in and setting passwords is slow on purpose."""
    return max(EXAMPLES // 4, 5) if operation.path.startswith("/api/partner-auth/") and operation.is_write else EXAMPLES


@each_operation
def test_what_the_document_allows_is_answered_as_it_says(client, operation):
    explore(fitting_requests(CONTRACT, operation), client.send, few(operation))


@each_operation
def test_what_it_may_not_allow_is_answered_as_it_says_too(client, operation):
    explore(almost_requests(CONTRACT, operation), client.send, few(operation))


@pytest.mark.parametrize("path", sorted(REGRESSIONS.glob("*.json")), ids=lambda path: path.stem)
def test_what_was_found_before_is_right_now(client, path):
    client.send(load(path))


def test_a_fault_is_found_made_small_and_kept(tmp_path):
    """A check that cannot fail shows nothing: this one is wrong from limit=101 on."""
    operation = next(operation for operation in OPERATIONS if operation.name == "listCandidates")

    def wrong(request):
        assert all(name != "limit" or int(value) <= 100 for name, value in request.query)

    with pytest.raises(AssertionError, match="regressions"):
        explore(fitting_requests(CONTRACT, operation), wrong, 200, tmp_path)
    [kept] = tmp_path.glob("*.json")
    assert load(kept) == Request("listCandidates", own=0, fits=True, query=[["limit", "101"]])
