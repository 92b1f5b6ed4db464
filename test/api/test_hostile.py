"""Input that nobody sends by mistake: bytes that are no text, names cut in the middle of a character."""

from urllib.parse import quote

import pytest

from house.client import LEARNING, expect, pointers
from house.control import Refused, control
from house.world import unique


@pytest.mark.parametrize("method, path", [("PATCH", "/promoted-rules/%FF/status?status=active"),
                                          ("POST", "/promoted-rules/%C3/deploy"),
                                          ("POST", "/candidates/%FF/reject"), ("GET", "/candidates/%FE%FF")])
def test_an_id_that_is_no_text_names_nothing(acme, method, path):
    body = {"reason": "no"} if path.endswith("reject") else None
    expect(404, acme.api.call(method, LEARNING + path, body))


def utf8(answer):
    """A problem document whose bytes are UTF-8: `json()` would fail on anything else."""
    return answer.json()


def test_a_name_that_is_cut_in_an_answer_stays_utf8(acme):
    """The messages show the start of what was sent; `ä` has two bytes, and the cut may fall between them."""
    for odd in ("", "a"):
        utf8(expect(400, acme.api.call("GET", f"{LEARNING}/candidates?{quote(odd + 'ä' * 60)}=1", undocumented=True)))
        body = '{"%s":1,"%s":2}' % ((odd + "ä" * 60,) * 2)
        path = f"{LEARNING}/candidates/{acme.new_candidate()['id']}/approve"
        json_type = {"Content-Type": "application/json"}
        utf8(expect(400, acme.api.call("POST", path, raw=body.encode(), headers=json_type)))
        utf8(expect(422, acme.api.call("POST", path, {odd + "ä" * 400: 1}, undocumented=True)))
        utf8(expect(422, acme.api.call("POST", path, {"check_type": odd + "ä" * 63})))


def test_a_refusal_with_a_cut_name_can_be_kept_for_its_idempotency_key(acme):
    path = f"{LEARNING}/candidates/{acme.new_candidate()['id']}/approve"
    headers = {"Idempotency-Key": unique("key")}
    for _ in range(2):
        answer = expect(422, acme.api.call("POST", path, {"check_type": "a" + "ä" * 63}, headers=headers))
        assert pointers(answer) == {"/check_type"}


def test_a_runbook_keeps_what_an_operator_does_not_name(database):
    runbook_id = unique("RB-TEST")
    tier = "SELECT title, risk_tier, hipaa_controls FROM runbooks WHERE runbook_id = %s"
    control("runbook", "add", "--runbook-id", runbook_id, "--title", "First", "--platform", "windows", "--risk", "R3",
            "--hipaa", "164.312(a)(1)")
    control("runbook", "add", "--runbook-id", runbook_id, "--title", "Second", "--platform", "windows")
    assert database.row(tier, runbook_id) == {"title": "Second", "risk_tier": "R3",
                                              "hipaa_controls": ["164.312(a)(1)"]}
    control("runbook", "add", "--runbook-id", runbook_id, "--risk", "R2")
    assert database.row(tier, runbook_id)["risk_tier"] == "R2"


@pytest.mark.parametrize("option, value", [("--action", "escalate"), ("--action", "reboot"), ("--check-types", "a,,b"),
                                           ("--check-types", "a" * 65), ("--title", "t" * 201), ("--risk", "R4"),
                                           ("--platform", "mac"), ("--hipaa", "a\tb")])
def test_a_bad_runbook_is_refused_with_the_reason(acme, option, value):
    options = {"--runbook-id": unique("RB-TEST"), "--title": "T", "--platform": "linux", option: value}
    with pytest.raises(Refused) as refused:
        control("runbook", "add", *(word for pair in options.items() for word in pair))
    assert "our side" not in str(refused.value)


@pytest.mark.parametrize("path, member", [("/api/agent/executions", "executions"),
                                          ("/api/agent/sync/pattern-stats", "pattern_stats")])
@pytest.mark.parametrize("element", [b"1", b'{"execution_id":"x","pattern_signature":"x"}'])
def test_a_report_of_more_elements_than_can_be_stored_at_once_is_413(acme, path, member, element):
    body = b'{"%s":[%s]}' % (member.encode(), b",".join([element] * 60000))
    answer = acme.main.appliances[0].caller.call("POST", path, raw=body, headers={"Content-Type": "application/json"})
    expect(413, answer)
