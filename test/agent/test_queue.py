"""Sending executions and counters: each once, none lost without a word, none for ever (P28)."""

import json
import time

import pytest

from conftest import eventually
from fake_server import EXECUTIONS, PATTERNS, RULES
from linked import Linked, box, server  # noqa: F401  (fixtures)


def execution(number, **members):
    return {"execution_id": f"e{number}", "incident_type": "firewall", "check_type": "firewall", "resolution_level": "L2",
            "success": True, "runbook_id": "L2-restore_firewall_baseline", "duration_seconds": 1.5,
            "completed_at": "2026-11-22T12:00:00Z", **members}


def record(box, *numbers, **members):
    done = box.record(*(execution(number, **members) for number in numbers))
    assert done.returncode == 0, done.stderr


def sizes(server):
    return [len(request.json["executions"]) for request in server.asked(EXECUTIONS)]


def test_executions_are_sent_in_their_order_and_leave_the_queue(box, server):
    record(box, *range(250))
    box.sync()
    assert sizes(server) == [100, 100, 50]
    assert list(server.executions) == [f"e{number}" for number in range(250)]
    [first, *_] = server.executions.values()
    assert first["appliance_id"] == "box-1" and first["pattern_signature"] == "6c4a6b5b711abb80"
    body = server.asked(EXECUTIONS)[0].json
    assert body["site_id"] == "site-a" and body["reported_at"].endswith("Z")
    assert box.status()["queue_length"] == 0
    server.forget()
    box.sync()
    assert server.asked(EXECUTIONS) == []


def test_a_request_has_at_most_a_mebibyte(box, server):
    record(box, *range(30), error_message="x" * 100_000)
    box.sync()
    assert len(server.executions) == 30
    assert max(len(request.body) for request in server.asked(EXECUTIONS)) <= 1024 * 1024 + 4096
    assert len(server.asked(EXECUTIONS)) >= 3


def test_P26_P38_what_was_recorded_and_not_answered_is_sent_again_and_counts_once(box, server):
    record(box, 1, 2)

    def take_and_hang_up(handler):
        for item in handler.request_seen.json["executions"]:
            server.executions[item["execution_id"]] = item
        handler.close_connection = True
        handler.connection.shutdown(2)
    server.instead[EXECUTIONS] = take_and_hang_up
    box.sync_fails("executions: no answer")
    assert box.status()["queue_length"] == 2
    server.instead.clear()
    box.sync()  # both are duplicates
    assert box.status()["queue_length"] == 0 and box.status()["dropped_executions"] == 0


def test_P28_what_the_server_rejects_is_dropped_counted_and_told(box, server):
    record(box, *range(5))
    server.reject = {"e1", "e3"}
    done = box.sync()
    assert "execution e1" in done.stderr and "execution e3" in done.stderr
    assert set(server.executions) == {"e0", "e2", "e4"}
    assert box.status()["queue_length"] == 0 and box.status()["dropped_executions"] == 2
    assert server.acks[-1]["dropped_executions"] == 2


def test_P28_one_that_poisons_a_request_holds_up_no_other_and_is_given_up_after_five_tries(box, server):
    record(box, *range(100))
    server.poison = {"e41"}
    box.sync_fails("execution e41 stays, refused 1 times of 5")
    assert len(server.executions) == 99
    assert len(sizes(server)) <= 16, "halves, not one by one"
    for tries in (2, 3, 4):
        record(box, 1000 + tries)
        server.forget()
        box.sync_fails(f"execution e41 stays, refused {tries} times of 5")
        assert f"e{1000 + tries}" in server.executions
        assert sizes(server) == [1, 1], "it travels alone"
    done = box.sync()
    assert "execution e41, which is dropped" in done.stderr
    status = box.status()
    assert status["queue_length"] == 0 and status["dropped_executions"] == 1
    server.forget()
    box.sync()
    assert server.asked(EXECUTIONS) == []


def test_poison_at_both_ends_and_side_by_side(box, server):
    record(box, *range(8))
    server.poison = {"e0", "e3", "e4", "e7"}
    box.sync_fails("e0 stays", "e3 stays", "e4 stays", "e7 stays")
    assert set(server.executions) == {"e1", "e2", "e5", "e6"}
    server.poison = set()
    box.sync()
    assert len(server.executions) == 8


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_what_is_wrong_with_the_server_is_not_blamed_on_an_execution(box, server, status):
    record(box, *range(3))
    server.put("L1-PROMOTED-A")
    server.instead[EXECUTIONS] = lambda handler: handler.problem(status, "test", "no")
    for _ in range(6):
        server.forget()
        box.sync_fails(f"executions: the server answered {status}")
        assert len(server.asked(EXECUTIONS)) == 1, "one request a cycle"
    assert box.has("L1-PROMOTED-A"), "the other steps go on"
    server.instead.clear()
    box.sync()
    assert len(server.executions) == 3 and box.status()["dropped_executions"] == 0


@pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b'{"results": []}', b'{"results": [{"index": 0, "status": "eaten"}]}',
                                    b'{"results": [{"index": -1, "status": "recorded"}, {"index": 99, "status": "recorded"}]}',
                                    b'{"results": [{"status": "recorded"}]}', b'{"results": [{"index": "0", "status": "recorded"}]}'])
def test_an_answer_that_settles_nothing_loses_nothing(box, server, answer):
    record(box, 1)
    server.instead[EXECUTIONS] = lambda handler: handler.send(200, answer)
    box.sync_fails("settles 0 of 1")
    server.instead.clear()
    box.sync()
    assert set(server.executions) == {"e1"}


def test_an_answer_that_settles_a_part_keeps_the_rest(box, server):
    record(box, *range(4))
    server.instead[EXECUTIONS] = lambda handler: handler.send(
        200, {"results": [{"index": 2, "status": "recorded"}, {"index": 0, "status": "duplicate"}]})
    box.sync_fails("settles 2 of 4")
    server.instead.clear()
    box.sync()
    assert set(server.executions) == {"e1", "e3"}


def test_P28_the_queue_is_bounded_and_what_it_loses_is_counted(box, server):
    box.configure(queue_limit=10)
    server.instead[EXECUTIONS] = lambda handler: handler.problem(503, "unavailable", "later")
    for start in range(0, 30, 5):
        record(box, *range(start, start + 5))
    assert box.status()["queue_length"] <= 10
    server.instead.clear()
    box.sync()
    assert set(server.executions) == {f"e{number}" for number in range(20, 30)}, "the oldest go first"
    assert server.acks[-1]["dropped_executions"] == 20 == box.status()["dropped_executions"]


def test_what_is_recorded_while_a_request_is_under_way_stays(box, server):
    record(box, 1)

    def record_more(handler):
        if "e2" not in server.executions:
            server.instead.clear()
            record(box, 2)
        server.serve_executions(handler)
    server.instead[EXECUTIONS] = record_more
    box.sync()
    box.sync()
    assert set(server.executions) == {"e1", "e2"}


# ---- counters --------------------------------------------------------------------------------------------------------

def test_counters_are_sent_when_they_changed_and_only_then(box, server):
    record(box, 1, 2)
    box.sync()
    [request] = server.asked(PATTERNS)
    assert request.json["site_id"] == "site-a" and request.json["appliance_id"] == "box-1"
    [pattern] = request.json["pattern_stats"]
    assert pattern["pattern_signature"] == "6c4a6b5b711abb80" and pattern["check_type"] == "firewall"
    assert pattern["total_occurrences"] == 2 and pattern["l2_resolutions"] == 2 and pattern["success_count"] == 2
    assert pattern["total_resolution_time_ms"] == 3000 and pattern["last_seen"].endswith("Z")
    assert set(pattern) <= {"pattern_signature", "total_occurrences", "l1_resolutions", "l2_resolutions", "l3_resolutions",
                            "success_count", "total_resolution_time_ms", "last_seen", "recommended_action", "check_type",
                            "incident_type"}
    server.forget()
    box.sync()
    assert server.asked(PATTERNS) == []
    record(box, 3)
    box.sync()
    assert server.patterns["6c4a6b5b711abb80"]["total_occurrences"] == 3


def test_counters_that_change_under_way_are_sent_again(box, server):
    record(box, 1)

    def count_more(handler):
        server.instead.clear()
        record(box, 2)
        server.serve_patterns(handler)
    server.instead[PATTERNS] = count_more
    box.sync()
    assert server.patterns["6c4a6b5b711abb80"]["total_occurrences"] == 1
    box.sync()
    assert server.patterns["6c4a6b5b711abb80"]["total_occurrences"] == 2


def test_many_patterns_travel_in_several_requests(box, server):
    box.record(*(execution(number, pattern_signature=f"p{number:05}") for number in range(2500)))
    server.instead[EXECUTIONS] = lambda handler: handler.problem(503, "unavailable", "not now")
    box.sync_fails("executions")
    assert [len(request.json["pattern_stats"]) for request in server.asked(PATTERNS)] == [1000, 1000, 500]
    assert len(server.patterns) == 2500


@pytest.mark.parametrize("answer", [lambda handler: handler.problem(422, "invalid", "no"), lambda handler: handler.send(200, b"?"),
                                    lambda handler: handler.send(200, []), lambda handler: handler.problem(500, "x", "y")])
def test_counters_that_were_not_taken_are_sent_again(box, server, answer):
    record(box, 1)
    server.instead[PATTERNS] = answer
    box.sync_fails("patterns")
    server.instead.clear()
    box.sync()
    assert server.patterns["6c4a6b5b711abb80"]["total_occurrences"] == 1


def test_a_pattern_that_the_server_refuses_is_told_and_waits_for_its_next_change(box, server):
    record(box, 1, 2)
    server.reject = {"6c4a6b5b711abb80"}
    box.sync_fails("does not take pattern 6c4a6b5b711abb80")
    server.forget()
    box.sync()
    assert server.asked(PATTERNS) == []
    record(box, 3)
    box.sync_fails("does not take pattern")
