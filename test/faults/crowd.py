"""Several clients at once who keep trying, and what must be true of what they were told."""

import queue
import threading
import time

import requests

from house.client import LEARNING, Caller, expect
from house.world import expect_accepted, pattern

CLIENTS = 8
PATIENCE_S = 45


def new_candidates(partner, count):
    """The ids of that many fresh candidates of a site with two appliances."""
    patterns = [pattern() for _ in range(count)]
    for start in range(0, count, 100):
        expect_accepted(partner.main.appliances[0].push(*patterns[start:start + 100]))
    found, cursor = [], {}
    while True:
        page = partner.api.candidates(limit=200, **cursor)
        found += [candidate["id"] for candidate in page["candidates"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert len(found) == count
    return found


class Crowd:
    """Clients that approve candidates, each with an Idempotency-Key, and try again until they are told."""

    def __init__(self, server, key, ids, pause):
        self.server, self.key, self.pause = server, key, pause
        self.answered, self.statuses, self.errors = {}, set(), []
        self.left = queue.Queue()
        for candidate in ids:
            self.left.put(candidate)
        self.threads = [threading.Thread(target=self.work) for _ in range(CLIENTS)]

    def work(self):
        caller = Caller(self.server, key=self.key)
        while not self.errors:
            try:
                candidate = self.left.get_nowait()
            except queue.Empty:
                return
            try:
                self.approve(caller, candidate)
            except Exception as error:  # noqa: BLE001  # told by the test's own thread
                self.errors.append(error)
            self.pause()

    def approve(self, caller, candidate):
        deadline = time.monotonic() + PATIENCE_S
        path = f"{LEARNING}/candidates/{candidate}/approve"
        while True:
            try:
                answer = caller.post(path, {}, headers={"Idempotency-Key": "once-" + candidate})
                self.statuses.add(answer.status)
                if answer.status == 200:
                    self.answered[candidate] = answer.json()
                    return
                in_use = answer.status == 409 and answer["type"].endswith(":idempotency-key-in-use")
                assert answer.status == 503 or in_use, answer
            except requests.exceptions.ConnectionError:
                pass
            assert time.monotonic() < deadline, f"{candidate} was not approved in {PATIENCE_S} s"
            time.sleep(0.05)

    def run(self, disturb):
        """Lets them work while `disturb` is called over and over; once at least."""
        for thread in self.threads:
            thread.start()
        disturb()
        while any(thread.is_alive() for thread in self.threads):
            disturb()
        for thread in self.threads:
            thread.join()
        assert not self.errors, self.errors[0]


HALF = """
    SELECT 'approved without a rule' AS what, c.id::text AS which FROM learning_promotion_candidates c
     WHERE c.approval_status = 'approved' AND NOT EXISTS (SELECT FROM promoted_rules r
        WHERE (r.site_id, r.pattern_signature) = (c.site_id, c.pattern_signature))
    UNION ALL SELECT 'a rule of what is not approved', r.id::text FROM promoted_rules r
     WHERE NOT EXISTS (SELECT FROM learning_promotion_candidates c WHERE c.approval_status = 'approved'
        AND (r.site_id, r.pattern_signature) = (c.site_id, c.pattern_signature))
    UNION ALL SELECT 'a rule that is not its newest version', r.id::text FROM promoted_rules r
     WHERE NOT EXISTS (SELECT FROM promoted_rule_versions v WHERE v.promoted_rule_id = r.id
        AND v.version = r.version AND v.rule_yaml = r.rule_yaml AND v.rule_json = r.rule_json)
    UNION ALL SELECT 'a rule sent to too many or too few', r.id::text FROM promoted_rules r
     WHERE r.deployment_count <> (SELECT count(*) FROM promoted_rule_deployments d
        WHERE (d.site_id, d.rule_id) = (r.site_id, r.rule_id))
    UNION ALL SELECT 'a change without its entry in the log', c.id::text FROM learning_promotion_candidates c
     WHERE c.approval_status IN ('approved', 'rejected') AND NOT EXISTS (SELECT FROM promotion_audit_log a
        WHERE a.action = 'candidate.' || c.approval_status AND a.pattern_signature = c.pattern_signature
          AND a.site_id = c.site_id)
    UNION ALL SELECT 'a rule without its entry in the log', r.id::text FROM promoted_rules r
     WHERE NOT EXISTS (SELECT FROM promotion_audit_log a WHERE a.action IN ('rule.created', 'rule.regenerated')
        AND a.rule_id = r.rule_id AND a.site_id = r.site_id)
    UNION ALL SELECT 'an approval that came twice into the log', min(a.id)::text FROM promotion_audit_log a
     WHERE a.action = 'rule.created' GROUP BY a.site_id, a.rule_id HAVING count(*) > 1
    UNION ALL SELECT 'an answer that was never finished', key FROM idempotency_keys WHERE status IS NULL"""

WHOLE = """
    SELECT r.rule_id, r.rule_yaml, r.status, v.rule_yaml AS kept, c.approval_status,
           (SELECT count(*) FROM promoted_rule_deployments d
             WHERE (d.site_id, d.rule_id) = (r.site_id, r.rule_id)) AS deployments,
           (SELECT count(*) FROM promotion_audit_log a WHERE a.site_id = c.site_id
               AND a.pattern_signature = c.pattern_signature AND a.action = 'candidate.approved') AS approvals,
           (SELECT count(*) FROM promotion_audit_log a WHERE a.site_id = c.site_id
               AND a.pattern_signature = c.pattern_signature AND a.action = 'rule.created') AS creations
      FROM learning_promotion_candidates c
      JOIN promoted_rules r USING (site_id, pattern_signature)
      JOIN promoted_rule_versions v ON v.promoted_rule_id = r.id AND v.version = r.version
     WHERE (c.site_id, c.pattern_signature) = (%s, %s)"""


def nothing_is_half(database):
    assert database.rows(HALF) == []


def all_is_whole(database, crowd):
    """What was answered 200 is there with all its parts, as it was told, and once."""
    for told in crowd.answered.values():
        row = database.row(WHOLE, told["site_id"], told["pattern_signature"])
        assert row["rule_yaml"] == row["kept"] == told["rule_yaml"]
        assert (row["rule_id"], row["approval_status"], row["status"]) == (told["rule_id"], "approved", "active")
        assert row["deployments"] == told["deployed_to"] == 2
        assert (row["approvals"], row["creations"]) == (1, 1)


def serves(server):
    """Whether each kind of request is answered: one that asks nothing of the database, a read, and the decisions."""
    caller = Caller(server)
    try:
        return caller.get("/readyz").status == 200
    except requests.exceptions.ConnectionError:
        return False


def reads(caller):
    try:
        return expect(200, caller.get(LEARNING + "/stats"))
    except (AssertionError, requests.exceptions.ConnectionError):
        return None
