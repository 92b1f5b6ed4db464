"""Chains of requests, as people make them: look, decide, change one's mind. After each the server says what a simple model
of the rules of decision says."""

import os

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from house.client import LEARNING, expect
from house.world import expect_accepted, pattern
from schemas import LETTERS

SEED = int(os.environ.get("FLYWHEEL_SEED", "1"))
EXAMPLES = int(os.environ.get("FLYWHEEL_EXAMPLES", "40"))
PATTERNS = 2
TEXT = st.text(LETTERS, min_size=1, max_size=60)
WHICH = st.integers(0, PATTERNS - 1)
STEPS = st.one_of(
    st.tuples(st.just("approve"), WHICH, st.fixed_dictionaries({}, optional={
        "custom_name": TEXT, "notes": TEXT, "deploy_immediately": st.booleans()})),
    st.tuples(st.just("approve"), WHICH, st.just({})),
    st.tuples(st.just("reject"), WHICH, TEXT),
    st.tuples(st.just("status"), WHICH, st.sampled_from(["active", "disabled", "archived"])),
    st.tuples(st.just("deploy"), WHICH, st.none()),
    st.tuples(st.just("look"), WHICH, TEXT),
    st.tuples(st.just("lists"), WHICH, st.integers(1, 5)))


class Case:
    """One pattern of one partner: what the model says of it."""

    def __init__(self, partner, candidate):
        self.api, self.partner, self.id, self.signature = partner.api, partner, candidate["id"], candidate["pattern_signature"]
        self.decision, self.rule, self.status, self.version, self.held = "not_submitted", None, None, 0, False

    def approve(self, body):
        shown = self.api.candidate(self.id, **({"custom_name": body["custom_name"]} if "custom_name" in body else {}))
        answer = self.api.approve(self.id, **body)
        if self.decision == "approved" and self.status != "archived":
            problem = expect(409, answer).json()
            assert (problem["rule_id"], problem["rule_status"]) == (self.rule, self.status)
            return
        made = expect(200, answer).json()
        self.version += 1
        assert made["version"] == self.version and made["rule_id"] == (self.rule or made["rule_id"])
        assert made["rule_yaml"] == shown["rule_yaml"]
        self.held = body.get("deploy_immediately") is False
        assert made["deployed_to"] == (0 if self.held else 2)
        self.decision, self.rule, self.status = "approved", made["rule_id"], "active"

    def reject(self, reason):
        answer = self.api.reject(self.id, reason)
        if self.decision == "approved":
            assert expect(409, answer)["rule_id"] == self.rule
        else:
            expect(200, answer)
            self.decision = "rejected"

    def set_status(self, status):
        answer = self.api.set_status(self.rule or "L1-PROMOTED-NONE", status)
        if self.rule is None:
            expect(404, answer)
        elif self.status == "archived" and status != "archived":
            expect(409, answer)
        else:
            assert expect(200, answer)["changed"] == (status != self.status)
            self.status = status

    def deploy(self, _):
        answer = self.api.deploy(self.rule or "L1-PROMOTED-NONE")
        if self.rule is None:
            expect(404, answer)
        elif self.status != "active":
            expect(409, answer)
        else:
            assert expect(200, answer)["deployed_to"] == 2
            assert answer["changed"] == self.held
            self.held = False

    def look(self, name):
        shown = self.api.candidate(self.id, custom_name=name)
        assert shown["candidate"]["approval_status"] == self.decision
        rule = self.api.rule(self.rule) if self.rule else None
        assert (rule is None) == (self.rule is None)
        if rule is not None:
            assert (rule["status"], rule["version"], rule["pattern_signature"]) == (self.status, self.version, self.signature)

    def lists(self, limit):
        """Page by page: each row once, and as many as are said."""
        for path, member in (("/candidates", "candidates"), ("/promoted-rules", "rules")):
            seen, cursor = [], {}
            while True:
                page = expect(200, self.api.get(LEARNING + path, limit=limit, q=self.signature[:4], **cursor)).json()
                seen += [row["id"] for row in page[member]]
                if page["next_cursor"] is None:
                    break
                cursor = {"cursor": page["next_cursor"]}
            assert len(seen) == len(set(seen)) == page["total"]


DO = {"approve": Case.approve, "reject": Case.reject, "status": Case.set_status, "deploy": Case.deploy, "look": Case.look,
      "lists": Case.lists}


@pytest.fixture
def begin(partner, database):
    """Fresh patterns, and what the log says of them."""

    def fresh():
        patterns = [pattern() for _ in range(PATTERNS)]
        expect_accepted(partner.main.appliances[0].push(*patterns))
        return [Case(partner, partner.find(one["pattern_signature"])) for one in patterns]

    return fresh


def test_p38_any_chain_of_decisions_does_what_the_rules_of_decision_say(begin, database):
    @seed(SEED)
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(STEPS, min_size=1, max_size=12))
    def holds(steps):
        cases = begin()
        for what, which, argument in steps:
            DO[what](cases[which], argument)
        for case in cases:
            case.look("Looked at in the end")
            created = [row["action"] for row in database.audit(case.signature) if row["action"] in (
                "rule.created", "rule.regenerated")]
            assert len(created) == case.version, "each version has one entry in the log, refusals have none"

    holds()
