"""The execution history."""

import pytest

from house.client import LEARNING, ago, expect
from house.world import Partner, execution, expect_accepted, signature, unique
from test_candidates import every_page

MEMBERS = ("execution_id", "incident_id", "site_id", "site_name", "runbook_id", "success", "resolution_level", "created_at")


@pytest.fixture(scope="module")
def archive(server):
    """A partner with 30 executions: levels in turn, some failed, 3 of one pattern, 4 at the annex."""
    archive = Partner(server)
    archive.pattern = signature()
    reports = []
    for number in range(26):
        reports.append(execution(
            resolution_level=("L1", "L2", "L3")[number % 3], success=number % 5 != 0 and number % 3 != 2,
            runbook_id="LIN-DISK-001" if number % 2 else "RB-WIN-SERVICES-001",
            pattern_signature=archive.pattern if number < 3 else None,
            completed_at=ago(days=1 + number % 20), started_at=ago(days=1 + number % 20, minutes=1)))
    expect_accepted(archive.main.appliances[0].report(*reports))
    expect_accepted(archive.annex.appliances[0].report(*[execution(resolution_level="L1") for _ in range(4)]))
    archive.reports = reports
    return archive


def test_an_execution_has_all_members_and_the_newest_comes_first(archive):
    page = archive.api.history(limit=200)
    assert page["total"] == 30 and page["next_cursor"] is None
    for entry in page["executions"]:
        for member in MEMBERS:
            assert member in entry, member
        assert entry["created_at"].endswith("Z")
    moments = [entry["created_at"] for entry in page["executions"]]
    assert moments == sorted(moments, reverse=True)


def test_the_history_is_filtered(archive):
    api = archive.api
    assert api.history(site_id=archive.annex.site_id)["total"] == 4
    assert api.history(level="L1", site_id=archive.main.site_id)["total"] == 9
    assert api.history(success="false", site_id=archive.main.site_id)["total"] == sum(
        1 for report in archive.reports if not report["success"])
    assert api.history(runbook_id="LIN-DISK-001")["total"] == 13
    assert api.history(pattern_signature=archive.pattern)["total"] == 3


@pytest.mark.parametrize("limit", [1, 7, 29, 30, 31])
def test_p34_pages_of_executions_give_every_row_once(archive, limit):
    rows, _ = every_page(archive.api, LEARNING + "/execution-history", "executions", limit=limit)
    ids = [entry["execution_id"] for entry in rows]
    assert len(ids) == len(set(ids)) == 30


def test_p34_new_executions_do_not_shift_the_next_page(partner):
    appliance = partner.main.appliances[0]
    expect_accepted(appliance.report(*[execution(completed_at=ago(days=2, seconds=n)) for n in range(20)]))
    first = partner.api.history(limit=10)
    expect_accepted(appliance.report(*[execution(completed_at=ago(days=1, seconds=n)) for n in range(5)]))
    second = partner.api.history(limit=10, cursor=first["next_cursor"])
    ids = [entry["execution_id"] for entry in first["executions"] + second["executions"]]
    assert len(set(ids)) == 20


@pytest.mark.parametrize("query", [{"level": "L4"}, {"level": "L1' OR '1'='1"}, {"success": "maybe"}, {"limit": "500"},
                                   {"cursor": "x"}, {"days": "3"}])
def test_p33_wrong_parameters_are_400(archive, query):
    expect(400, archive.api.get(LEARNING + "/execution-history", **query))


def test_p35_an_execution_that_says_almost_nothing_does_not_break_the_list(partner):
    bare = {"execution_id": unique("bare")}
    expect_accepted(partner.main.appliances[0].report(bare))
    entries = partner.api.history()["executions"]
    assert [entry["execution_id"] for entry in entries] == [bare["execution_id"]]
    assert entries[0]["runbook_id"] is None and entries[0]["resolution_level"] is None


def test_a_history_that_has_not_changed_is_304(archive):
    tag = expect(200, archive.api.get(LEARNING + "/execution-history")).headers["ETag"]
    expect(304, archive.api.call("GET", LEARNING + "/execution-history", headers={"If-None-Match": tag}))
