"""Answers that must not be believed: the old rules stay, the exit status is 1, and the server is told why."""

import base64
import gzip
import json
import random
import time
from datetime import datetime, timedelta, timezone

import pytest

from fake_server import ACK, EXECUTIONS, PATTERNS, RULES, Key, rule_yaml, text_of_time
from linked import Linked, box, server  # noqa: F401  (fixtures)

OLD = "L1-PROMOTED-OLD"


@pytest.fixture
def settled(box, server):
    """A box with one rule, and something new that it does not have yet."""
    server.put(OLD)
    box.sync()
    server.put("L1-PROMOTED-NEW", check_type="backup")
    server.put("L1-PROMOTED-SECOND", check_type="patching")
    server.forget()
    return box


def refused(box, server, *words):
    """One cycle that refuses the answer for this reason; and one with a good answer that mends all."""
    before = box.files
    box.sync_fails("refused", *words)
    after = box.status()
    assert box.files == before and [rule["rule_id"] for rule in after["rules"]] == [OLD], "the old rules stay in force"
    assert after["revision"] == 1
    for word in words:
        assert word in after["last_error"]
        assert word in server.acks[-1]["error"], "the server is told why"
    assert server.acks[-1]["applied"] == [OLD] and server.acks[-1]["revision"] == 1
    server.edit_answer = server.edit_signed = None
    server.instead.clear()
    box.sync()
    assert {name[:-5]: text for name, text in box.files.items()} == {name: rule["yaml"] for name, rule in server.rules.items()}
    assert server.acks[-1]["error"] is None, "and that it is over"


def signed_differently(change):
    def edit(answer):
        data = bytearray(base64.b64decode(answer["signed"]))
        change(data)
        answer["signed"] = base64.b64encode(bytes(data)).decode()
    return edit


def test_P25_a_signature_that_is_wrong(settled, server):
    server.edit_answer = lambda answer: answer.update(signature=base64.b64encode(bytes(64)).decode())
    settled.sync_fails("none of the keys")
    assert settled.rule_ids({"check_type": "firewall"}, {"check_type": "backup"}, state=True) == [OLD, None]
    refused(settled, server, "none of the keys")


def test_P25_the_signature_of_another_key(settled, server):
    right, server.key = server.key, Key()
    settled.sync_fails("none of the keys")
    assert settled.files.keys() == {OLD + ".yaml"} and "none of the keys" in server.acks[-1]["error"]
    server.key = right
    settled.sync()


@pytest.mark.parametrize("place", [0, 40, -1])
def test_P25_one_bit_of_what_was_signed(settled, server, place):
    def flip(data):
        data[place] ^= 1
    server.edit_answer = signed_differently(flip)
    refused(settled, server, "none of the keys")


def test_P24_what_is_meant_for_another_appliance(settled, server):
    server.edit_signed = lambda signed: signed.update(appliance_id="box-2")
    refused(settled, server, "box-2")


def test_P24_what_is_meant_for_another_site(settled, server):
    server.edit_signed = lambda signed: signed.update(site_id="site-b")
    refused(settled, server, "site-b")


@pytest.mark.parametrize("other", [{"site_id": "site-b"}, {"appliance_id": "box-2"}])
def test_P24_a_state_file_of_another_appliance_or_site(settled, server, other):
    """A machine that is carried to another site, or a copy of another's disk."""
    settled.configure(**other)
    settled.sync_fails("state.db is that of appliance box-1 of site site-a")
    assert server.requests == [] and settled.files.keys() == {OLD + ".yaml"}
    assert "site-a" in settled.status()["last_error"]
    done = settled.record({"execution_id": "e1", "resolution_level": "L1", "success": True})
    assert done.returncode == 1 and "box-1 of site site-a" in done.stderr
    settled.configure(site_id="site-a", appliance_id="box-1")
    settled.sync()


def test_who_had_another_name_by_mistake_needs_nothing_but_the_right_one(box, server):
    box.configure(site_id="site-b")
    server.instead[RULES] = lambda handler: handler.problem(403, "foreign-site", "not yours")
    box.sync_fails("403")
    server.instead.clear()
    box.configure(site_id="site-a")
    box.sync()


def test_an_older_revision(settled, server):
    server.edit_signed = lambda signed: signed.update(revision=0, full=True, since_revision=None)
    refused(settled, server, "older than the installed 1")


def test_P27_an_answer_from_before_the_rule_was_withdrawn(box, server):
    """Somebody in between keeps good answers and sends them again."""
    server.put("L1-PROMOTED-BAD")
    kept = server.rules_answer(None)[0]
    box.sync()
    server.withdraw("L1-PROMOTED-BAD")
    box.sync()
    server.instead[RULES] = lambda handler: handler.send(200, kept)
    box.sync_fails("older than the installed")
    assert box.files == {} and "older" in server.acks[-1]["error"]


def test_a_delta_sent_again_to_who_stands_elsewhere(box, server):
    """The change from 1 to 4, shown to an appliance at 3, would hide what changed up to 3."""
    server.put("L1-PROMOTED-A")
    box.sync()
    server.put("L1-PROMOTED-B")
    server.put("L1-PROMOTED-A")
    box.sync()
    server.put("L1-PROMOTED-C")
    kept = server.rules_answer(1)[0]
    server.instead[RULES] = lambda handler: handler.send(200, kept)
    box.sync_fails("what changed since revision 1; asked was since 3")
    assert box.status()["revision"] == 3
    server.instead.clear()
    box.sync()


def test_changes_when_everything_was_asked_for(box, server):
    server.put("L1-PROMOTED-A")
    server.edit_signed = lambda signed: signed.update(full=False)
    box.sync_fails("everything was asked for")
    assert box.files == {} and server.acks[-1]["revision"] == 0 and "everything" in server.acks[-1]["error"]
    server.edit_signed = None
    box.sync()


def test_an_answer_that_has_expired(settled, server):
    def expire(signed):
        then = datetime.now(timezone.utc) - timedelta(hours=49)
        signed.update(issued_at=text_of_time(then), expires_at=text_of_time(then + timedelta(hours=48)))
    server.edit_signed = expire
    refused(settled, server, "it was good until", "the clock here says")


def edit_first(**members):
    return lambda answer: answer["rules"][0].update(members)


@pytest.mark.parametrize("edit, words", [
    (edit_first(rule_yaml=rule_yaml("L1-PROMOTED-NEW", check_type="everything")), "is not the one that was signed"),
    (edit_first(rule_yaml=None), "is not the one that was signed"),
    (edit_first(version=2), "another version or digest"),
    (edit_first(version="1"), "another version or digest"),
    (edit_first(digest="0" * 64), "another version or digest"),
    (edit_first(rule_id="L1-PROMOTED-ELSE"), "was signed and is not in the list"),
    (edit_first(rule_id=7), "without a rule_id"),
    (lambda answer: answer["rules"].append(answer["rules"][0]), "2 were signed"),
    (lambda answer: answer["rules"].pop(), "2 were signed"),
    (lambda answer: answer["rules"].__setitem__(1, answer["rules"][0]), "was signed and is not in the list"),
    (lambda answer: answer.update(rules=[]), "2 were signed"),
    (lambda answer: answer.update(rules={"L1-PROMOTED-NEW": 1, "b": 2}), "2 were signed"),
    (lambda answer: answer.pop("rules"), "2 were signed"),
    (lambda answer: answer["removed"].append({"rule_id": OLD, "removed_at": None}), "0 were signed"),
    (lambda answer: answer.pop("removed"), "0 were signed"),
    (lambda answer: answer.update(revision=99), "'revision' or 'full'"),
    (lambda answer: answer.update(full=True), "'revision' or 'full'"),
    (lambda answer: answer.update(signed=None), "must be base64"),
    (lambda answer: answer.update(signed=answer["signed"] + "!"), "must be base64"),
    (lambda answer: answer.update(signature="not base64"), "must be base64"),
    (lambda answer: answer.update(signature=""), "signed"),
    (lambda answer: answer.pop("signature"), "must be base64"),
    (lambda answer: answer.pop("signed"), "must be base64"),
])
def test_P25_a_body_that_is_not_what_was_signed(settled, server, edit, words):
    server.edit_answer = edit
    refused(settled, server, words)


def test_a_removal_that_is_left_out(settled, server):
    server.withdraw(OLD)
    server.edit_answer = lambda answer: answer["removed"].clear()
    settled.sync_fails("1 were signed")
    assert settled.files.keys() == {OLD + ".yaml"}
    server.edit_answer = lambda answer: answer["removed"][0].update(rule_id="L1-PROMOTED-NEW")
    settled.sync_fails("'removed' is not the one that was signed")
    server.edit_answer = None
    settled.sync()
    assert settled.has("L1-PROMOTED-NEW", "L1-PROMOTED-SECOND")


def test_another_order_is_the_same_list(settled, server):
    def shuffle(answer):
        random.Random(7).shuffle(answer["rules"])
        answer["rules"].reverse()
    server.edit_answer = shuffle
    settled.sync()
    assert settled.has(*server.rules)


@pytest.mark.parametrize("edit, words", [
    (lambda signed: signed["rules"].append(signed["rules"][0]), "twice"),
    (lambda signed: signed["removed"].append("L1-PROMOTED-NEW"), "twice"),
    (lambda signed: signed["rules"][0].update(rule_id="../../etc/passwd"), "id"),
    (lambda signed: signed["rules"][0].update(rule_id="A/../B"), "id"),
    (lambda signed: signed["rules"][0].update(rule_id=""), "id"),
    (lambda signed: signed["removed"].append("../other"), "id"),
    (lambda signed: signed.pop("expires_at"), "expires_at"),
    (lambda signed: signed.update(revision=-1), "revision"),
    (lambda signed: signed.update(revision="3"), "revision"),
    (lambda signed: signed.pop("rules"), "rules"),
])
def test_something_signed_that_makes_no_sense(settled, server, edit, words):
    server.edit_signed = edit
    refused(settled, server, words)


@pytest.mark.parametrize("body, words", [
    (b"", "no JSON"), (b"not JSON at all", "no JSON"), (b"[]", "no JSON object"), (b"null", "no JSON object"),
    (b"{}", "must be base64"), (b'{"rules": []', "no JSON"), (b"\xff\xfe{}", "no JSON"), (b'{"a":1,"a":2}', "no JSON"),
    (b"[" * 5000, "no JSON"), (b" " * (10 * 1024 * 1024), "no JSON"), (b" " * (17 * 1024 * 1024), "larger than"),
    (b'{"rules":[' + b"[]," * 600000 + b"[]]}", "must be base64"),
], ids=["empty", "text", "list", "null", "object", "cut", "bytes", "twice", "deep", "10 MiB", "17 MiB", "many values"])
def test_a_body_that_is_no_answer(settled, server, body, words):
    server.instead[RULES] = lambda handler: handler.send(200, body)
    refused(settled, server, words)


def test_a_truncated_answer(settled, server):
    def send(handler):
        data = json.dumps(server.rules_answer(1)[0]).encode()
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data[:len(data) // 2])
        handler.close_connection = True
        handler.connection.shutdown(2)
    server.instead[RULES] = send
    settled.sync_fails("no answer from the server")
    assert settled.files.keys() == {OLD + ".yaml"}
    server.instead.clear()
    settled.sync()


def test_an_answer_that_unpacks_to_too_much(settled, server):
    bomb = gzip.compress(b" " * (40 * 1024 * 1024), compresslevel=9)
    server.instead[RULES] = lambda handler: handler.send(200, bomb, Content_Encoding="gzip")
    refused(settled, server, "larger than")


def test_a_good_answer_may_be_packed(settled, server):
    def send(handler):
        asked = int(handler.request_seen.query["revision"])
        handler.send(200, gzip.compress(json.dumps(server.rules_answer(asked)[0]).encode()), Content_Encoding="gzip")
    server.instead[RULES] = send
    settled.sync()
    assert settled.has(*server.rules)


@pytest.mark.parametrize("status", [204, 206, 301, 302, 307, 308])
def test_a_status_that_nobody_asked_for(settled, server, status):
    stranger = f"{server.url}/elsewhere"
    server.instead[RULES] = lambda handler: handler.send(status, server.rules_answer(1)[0] if status != 204 else b"",
                                                         Location=stranger)
    refused(settled, server, f"the server answered {status}")
    assert not [request for request in server.requests if request.path == "/elsewhere"], "no redirect is followed"


def test_not_modified_that_nobody_asked_for(settled, server):
    settled.query("DELETE FROM meta WHERE key = 'etag'")
    server.instead[RULES] = lambda handler: handler.send(304)
    refused(settled, server, "304")


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 502, 503])
def test_a_refused_request_leaves_everything_as_it_is(settled, server, status):
    server.instead[RULES] = lambda handler: handler.problem(status, "test", "said\nthe \x1b[31mserver")
    done = settled.sync_fails(f"the server answered {status}: said")
    assert "\x1b" not in done.stderr and "\nthe" not in done.stderr
    assert settled.files.keys() == {OLD + ".yaml"} and settled.status()["revision"] == 1
    assert server.acks == [], "there was no answer that could have been refused"
    server.instead.clear()
    settled.sync()


def test_a_server_that_hangs(tmp_path, server):
    box = Linked(tmp_path / "box", server)
    box.configure(timeout_seconds=1)
    server.put("L1-PROMOTED-A")
    server.instead[RULES] = lambda handler: time.sleep(4)
    box.sync_fails("no answer from the server")
    assert server.asked(ACK), "the other steps went on"
    server.instead.clear()
    box.sync()


def test_a_server_that_drips(tmp_path, server):
    box = Linked(tmp_path / "box", server)
    box.configure(timeout_seconds=1)

    def drip(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        for _ in range(30):
            handler.wfile.write(b" ")
            time.sleep(0.1)
    server.instead[RULES] = drip
    box.sync_fails("no answer from the server")


def test_a_server_that_is_away_is_asked_once_a_cycle(box, server):
    server.close()
    done = box.sync_fails("no answer from the server")
    assert done.stderr.count("no answer") == 1
    assert box.status()["last_error"].startswith("rules: no answer")


@pytest.mark.parametrize("keys, words", [("", "key"), ("not base64\n", "key"), (None, "rules.pub")])
def test_P25_nothing_is_installed_without_a_key(box, server, keys, words):
    server.put("L1-PROMOTED-A")
    if keys is None:
        (box.folder / "rules.pub").unlink()
    else:
        (box.folder / "rules.pub").write_text(keys, encoding="ascii")
    box.sync_fails("nothing can be verified", words)
    assert box.files == {} and "nothing can be verified" in server.acks[-1]["error"]


# ---- one rule of several -------------------------------------------------------------------------------------------

BAD_TEXTS = {
    "no conditions": rule_yaml("L1-PROMOTED-BAD", conditions=[]),
    "an unknown operator": rule_yaml("L1-PROMOTED-BAD", conditions=[{"field": "a", "operator": "like", "value": "b"}]),
    "an action outside the list": rule_yaml("L1-PROMOTED-BAD", action="format_disk"),
    "a bad expression": rule_yaml("L1-PROMOTED-BAD", conditions=[{"field": "a", "operator": "regex", "value": "(["}]),
    "another id": rule_yaml("L1-PROMOTED-OTHER"),
    "an id that is a path": rule_yaml("../../../tmp/x"),
    "too large": rule_yaml("L1-PROMOTED-BAD", description="x" * 9000),
    "no YAML": "\x01{[",
    "empty": "",
    "a list under rules": "rules: [" + json.dumps({"id": "L1-PROMOTED-BAD", "action": "escalate", "conditions": [
        {"field": "a", "operator": "eq", "value": "b"}]}) + "]\n",
}


@pytest.mark.parametrize("text", BAD_TEXTS.values(), ids=BAD_TEXTS.keys())
def test_P25_a_rule_that_the_engine_refuses(settled, server, text):
    server.put("L1-PROMOTED-BAD", text=text)
    settled.sync_fails("rule L1-PROMOTED-BAD is refused")
    assert settled.files.keys() == {OLD + ".yaml", "L1-PROMOTED-NEW.yaml", "L1-PROMOTED-SECOND.yaml"}
    ack = server.acks[-1]
    [failed] = ack["failed"]
    assert failed["rule_id"] == "L1-PROMOTED-BAD" and failed["error"]
    assert "L1-PROMOTED-BAD" not in ack["applied"] and len(ack["applied"]) == 3
    assert ack["revision"] == server.revision, "the others were installed"
    count = len(server.acks)
    settled.sync_fails("rule L1-PROMOTED-BAD is refused")
    assert len(server.acks) == count, "told once"
    server.put("L1-PROMOTED-BAD")
    settled.sync()
    assert settled.has(*server.rules) and server.acks[-1]["failed"] == []
    assert "L1-PROMOTED-BAD" in server.acks[-1]["applied"]


def test_the_version_before_stays_when_the_next_one_is_refused(settled, server):
    old = settled.files[OLD + ".yaml"]
    server.put(OLD, text=rule_yaml(OLD, action="format_disk"))
    settled.sync_fails("is refused")
    assert settled.files[OLD + ".yaml"] == old
    assert [failed["rule_id"] for failed in server.acks[-1]["failed"]] == [OLD]
    assert OLD not in server.acks[-1]["applied"], "the server would take it for the new version"
    server.withdraw(OLD)
    settled.sync()
    assert OLD + ".yaml" not in settled.files and server.acks[-1]["removed"] == [OLD]


def test_a_refused_rule_is_asked_for_again_when_the_signature_grows_old(settled, server):
    """A newer agent may accept it."""
    server.put("L1-PROMOTED-BAD", text=BAD_TEXTS["an action outside the list"])
    settled.sync_fails("is refused")
    server.forget()
    settled.sync_fails("is refused")
    assert "revision" in server.asked(RULES)[0].query
    settled.query("UPDATE meta SET value = 1 WHERE key = 'signed_until'")
    server.forget()
    settled.sync_fails("is refused")
    assert "revision" not in server.asked(RULES)[0].query
    assert len(settled.files) == 3


def test_all_requests_stay_within_the_api(settled, server):
    settled.record({"execution_id": "e1", "pattern_signature": "p1", "resolution_level": "L1", "success": True})
    settled.sync()
    assert {request.path for request in server.requests} == {RULES, ACK, EXECUTIONS, PATTERNS}
