"""Many at once: reports, approvals and changes of status on the same rows neither block, nor break, nor get lost."""

import hashlib
import socket
from urllib.parse import urlparse

from house.client import LEARNING, Caller, expect
from house.owner import Owner
from house.world import execution, expect_accepted, pattern
from test_approve import in_parallel


def test_p4_reports_and_decisions_on_the_same_patterns_at_once_all_succeed(partner, server):
    one, two = partner.main.appliances
    patterns = [pattern() for _ in range(40)]
    expect_accepted(one.push(*patterns))
    ids = [candidate["id"] for candidate in partner.api.candidates(limit=200)["candidates"]]
    approving, rejecting = Caller(server, key=partner.api.key), Caller(server, key=partner.api.key)

    def push(appliance):
        return [appliance.push(*patterns[::-1 if turn % 2 else 1]).status for turn in range(12)]

    def report():
        return [one.caller.report(partner.main.site_id, *[
            execution(pattern_signature=stats["pattern_signature"]) for stats in patterns]).status for _ in range(12)]

    work = [lambda: push(one), lambda: push(two), report,
            lambda: [approving.approve(candidate).status for candidate in ids[0::2]],
            lambda: [rejecting.reject(candidate).status for candidate in ids[1::2][::-1]]]
    for statuses in in_parallel(len(work), lambda index: work[index]()):
        assert set(statuses) <= {200, 201}, statuses
    stats = partner.api.stats()
    assert (stats["pending_candidates"], stats["active_promoted_rules"]) == (0, 20)
    assert stats["total_executions_30d"] == 12 * 40
    assert all(candidate["total_occurrences"] == 30 for candidate in partner.api.candidates(limit=200)["candidates"])


def test_p4_changes_of_status_at_once_form_one_chain_in_the_audit_log(partner, server, database):
    rule, candidate = partner.new_rule()
    callers = [Caller(server, key=partner.api.key) for _ in range(3)]

    def toggle(who):
        return [callers[who].set_status(rule["rule_id"], ("disabled", "active")[(turn + who) % 2]).status
                for turn in range(12)]

    for statuses in in_parallel(3, toggle):
        assert set(statuses) == {200}
    changes = [row["action"] for row in database.audit(candidate["pattern_signature"])
               if row["action"] in ("rule.disabled", "rule.enabled")]
    expected = ["rule.disabled" if number % 2 == 0 else "rule.enabled" for number in range(len(changes))]
    assert changes == expected, "a change was logged that did not happen, or happened without being logged"
    final = partner.api.rule(rule["rule_id"])["status"]
    assert final == ("active" if len(changes) % 2 == 0 else "disabled")


def test_the_audit_log_names_the_request(acme, database):
    candidate = acme.new_candidate()
    answer = acme.api.post(f"{LEARNING}/candidates/{candidate['id']}/approve", {},
                           headers={"X-Request-Id": "audited-" + candidate["id"]})
    expect(200, answer)
    assert {row["request_id"] for row in database.audit(candidate["pattern_signature"])} == {
        "audited-" + candidate["id"]}


def test_the_row_keeps_the_digest_of_the_yamls_bytes(acme, database):
    answer, _ = acme.new_rule(check_type="print_spooler")
    row = database.row("SELECT yaml_digest, rule_yaml FROM promoted_rules WHERE site_id = %s AND rule_id = %s",
                       acme.main.site_id, answer["rule_id"])
    assert row["yaml_digest"] == hashlib.sha256(answer["rule_yaml"].encode()).hexdigest()


def test_p21_the_next_version_of_a_rule_is_queued_anew_for_every_appliance(acme, database):
    answer, candidate = acme.new_rule()
    expect(200, acme.api.set_status(answer["rule_id"], "archived"))
    again = expect(200, acme.api.approve(candidate["id"]))
    assert again["deployed_to"] == 2
    rows = database.rows("SELECT rule_version, deployment_status FROM promoted_rule_deployments WHERE site_id = %s "
                         "AND rule_id = %s", acme.main.site_id, answer["rule_id"])
    assert [(row["rule_version"], row["deployment_status"]) for row in rows] == [(2, "pending")] * 2


def test_p38_an_idempotency_key_is_forgotten_after_a_day(acme, database, quickstart):
    candidate = acme.new_candidate()
    path = f"{LEARNING}/candidates/{candidate['id']}/reject"
    headers = {"Idempotency-Key": "day-" + candidate["id"]}
    expect(200, acme.api.post(path, {"reason": "The first of two days"}, headers=headers))
    expect(422, acme.api.post(path, {"reason": "Another reason, same key"}, headers=headers))
    Owner(quickstart).run("UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = %s",
                          headers["Idempotency-Key"])
    expect(200, acme.api.post(path, {"reason": "Another reason, same key"}, headers=headers))


def test_p38_a_client_that_hangs_up_and_tries_again_makes_one_change(acme, server, database):
    """The connection breaks before the answer; with the same key the retry gets the answer that was lost."""
    where = urlparse(server.url)
    for _ in range(10):
        candidate = acme.new_candidate()
        path = f"{LEARNING}/candidates/{candidate['id']}/approve"
        with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
            connection.sendall((f"POST {path} HTTP/1.1\r\nHost: {where.netloc}\r\nX-API-Key: {acme.api.key}\r\n"
                                f"Idempotency-Key: lost-{candidate['id']}\r\nContent-Type: application/json\r\n"
                                "Content-Length: 2\r\n\r\n{}").encode())
        answer = expect(200, acme.api.post(path, {}, headers={"Idempotency-Key": "lost-" + candidate["id"]}))
        assert acme.api.rule(answer["rule_id"])["deployment_count"] == 2
        actions = [row["action"] for row in database.audit(candidate["pattern_signature"])]
        assert actions.count("candidate.approved") == actions.count("rule.created") == 1


def test_signing_out_takes_the_cookie_back(acme):
    answer = acme.sign_in("viewer").post("/api/partner-auth/logout")
    assert "flywheel_session=;" in answer.set_cookie.replace('""', "")
    assert "Max-Age=0" in answer.set_cookie or "1970" in answer.set_cookie


def test_p9_the_preview_follows_the_named_check_type_and_its_digest_is_approved(acme):
    candidate = acme.new_candidate(check_type=None)
    assert acme.api.candidate(candidate["id"])["proposed_rule"] is None
    preview = acme.api.candidate(candidate["id"], check_type="print_spooler")
    assert preview["proposed_rule"]["conditions"][0]["value"] == "print_spooler"
    other = acme.api.candidate(candidate["id"], check_type="windows_service")
    assert other["rule_digest"] != preview["rule_digest"]
    expect(409, acme.api.approve(candidate["id"], check_type="windows_service", rule_digest=preview["rule_digest"]))
    expect(200, acme.api.approve(candidate["id"], check_type="print_spooler", rule_digest=preview["rule_digest"]))
