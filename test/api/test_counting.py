"""A report is counted by a handful of statements, however much it holds, and never the dearer for its size."""

import re
from pathlib import Path

import pytest

from house.client import ago
from house.owner import Owner
from house.world import execution, expect_accepted, pattern, unique


@pytest.fixture(name="statements_of")
def fixture_statements_of(quickstart):
    """How many statements the agents' programs send while something is done: PostgreSQL's log has each of them."""
    owner, log = Owner(quickstart), Path(quickstart["instance_dir"]) / "log" / "postgresql.log"

    def logged():
        return len(re.findall(rb"duration: [0-9.]+ ms  execute ", log.read_bytes()))

    def statements_of(work):
        work()  # connects, and prepares what it needs
        before = logged()
        work()
        return logged() - before

    owner.run("ALTER ROLE flywheel_agent SET log_min_duration_statement = 0")
    owner.run("ALTER ROLE flywheel_agent SET log_parameter_max_length = 0")
    owner.end_handlers_connections()
    yield statements_of
    owner.run("ALTER ROLE flywheel_agent RESET log_min_duration_statement")
    owner.run("ALTER ROLE flywheel_agent RESET log_parameter_max_length")
    owner.end_handlers_connections()


def test_five_thousand_patterns_are_as_few_statements_as_one(partner, statements_of, database):
    box = partner.main.appliances[0]
    one = statements_of(lambda: expect_accepted(box.push(pattern())))
    many = statements_of(lambda: expect_accepted(box.push(*[pattern() for _ in range(5000)])))
    assert 0 < many <= one <= 12, (one, many)
    assert database.row("SELECT count(*) FROM aggregated_pattern_stats WHERE site_id = %s", partner.main.site_id)["count"] == 10002


def test_a_thousand_executions_are_as_few_statements_as_one(partner, statements_of):
    box = partner.main.appliances[0]
    one = statements_of(lambda: expect_accepted(box.report(execution())))
    many = statements_of(lambda: expect_accepted(box.report(*[execution() for _ in range(1000)])))
    assert 0 < many <= one <= 12, (one, many)
    assert partner.api.stats()["total_executions_30d"] == 2 * 1000 + 2


def test_a_thousand_rules_are_as_few_statements_as_one_to_pull_and_to_acknowledge(partner, statements_of):
    box = partner.main.appliances[0]
    pull = statements_of(lambda: expect_accepted(box.pull()))
    one = statements_of(lambda: expect_accepted(box.acknowledge(0, [unique("L1")])))
    many = statements_of(lambda: expect_accepted(box.acknowledge(0, [unique("L1") for _ in range(1000)])))
    assert pull == 2, "who is calling, and what there is for it"
    assert 0 < many <= one <= 10, (one, many)


def test_p17_p18_counters_in_any_order_and_from_several_appliances_end_in_the_same_sums(partner):
    """Pushes overtake each other and come twice; the newest of each appliance counts."""
    one, two = partner.main.appliances
    name = pattern()["pattern_signature"]

    def pushed(box, total):
        expect_accepted(box.push(pattern(name, total_occurrences=total, l2_resolutions=total - 1, l3_resolutions=0,
                                         success_count=total - 1, last_seen=ago(minutes=60 - total))))

    for box, total in ((one, 7), (two, 20), (one, 12), (one, 9), (two, 5), (one, 12), (two, 20)):
        pushed(box, total)
    found = partner.find(name)
    assert (found["total_occurrences"], found["l2_resolutions"]) == (32, 30)
    assert found["success_rate"] == 30 / 32
