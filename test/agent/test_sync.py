"""A cycle with a server that answers well: what is asked, installed, removed and acknowledged."""

import fcntl
import subprocess
import threading
from datetime import datetime, timedelta, timezone

import pytest

from conftest import WAIT, eventually
from fake_server import ACK, EXECUTIONS, PATTERNS, RULES, FakeServer, Key
from linked import Linked, box, server  # noqa: F401  (fixtures)


def last_ack(server):
    return server.acks[-1]


def test_a_rule_is_installed_to_the_byte_and_acknowledged(box, server):
    server.put("L1-PROMOTED-AAAAAAAA", name='ä: "b" # c')
    box.sync()
    assert box.has("L1-PROMOTED-AAAAAAAA")
    [ack] = server.acks
    assert ack["revision"] == 1 and ack["applied"] == ["L1-PROMOTED-AAAAAAAA"]
    assert ack["failed"] == [] and ack["removed"] == [] and ack["error"] is None and ack["engine_errors"] == []
    assert ack["site_id"] == "site-a" and ack["appliance_id"] == "box-1" and ack["agent"].startswith("flywheel-agent/")
    status = box.status()
    assert status["revision"] == 1 and status["acknowledged_revision"] == 1 and status["last_error"] is None
    assert status["last_success"] is not None


def test_requests_say_who_asks(box, server):
    box.sync()
    [request] = server.asked(RULES)
    assert request.headers["Authorization"] == f"Bearer {server.token}"
    assert request.headers["User-Agent"].startswith("flywheel-agent/")
    assert "gzip" in request.headers["Accept-Encoding"]
    assert request.query == {"site_id": "site-a", "appliance_id": "box-1"}


def test_ids_are_escaped_in_the_address(tmp_path):
    server = FakeServer(appliance_id="00:15:5d:0a/%&x=1")
    try:
        Linked(tmp_path / "box", server).sync()
        assert server.asked(RULES)[0].query["appliance_id"] == "00:15:5d:0a/%&x=1"
    finally:
        server.close()


def test_a_slash_behind_the_address_does_no_harm(box, server):
    box.configure(server=server.url + "/")
    box.sync()


def test_P22_the_cursor_is_the_servers_revision_and_moves_only_with_the_install(box, server):
    server.put("L1-PROMOTED-A")
    box.sync()
    server.put("L1-PROMOTED-B")
    server.instead[RULES] = lambda handler: handler.problem(503, "unavailable", "later")
    box.sync_fails("503")
    del server.instead[RULES]
    server.edit_answer = lambda answer: answer.update(signature="AAAA")
    box.sync_fails("refused")
    server.edit_answer = None
    server.forget()
    box.sync()
    [request] = server.asked(RULES)
    assert request.query["revision"] == "1" and "since" not in request.query
    assert box.has("L1-PROMOTED-A", "L1-PROMOTED-B")


def test_P21_a_new_version_replaces_the_old_and_a_withdrawn_rule_goes(box, server):
    server.put("L1-PROMOTED-A")
    server.put("L1-PROMOTED-B")
    box.sync()
    server.put("L1-PROMOTED-A", priority=7)
    box.sync()
    assert box.has("L1-PROMOTED-A", "L1-PROMOTED-B")
    assert "priority: 7" in box.files["L1-PROMOTED-A.yaml"]
    server.withdraw("L1-PROMOTED-B")
    box.sync()
    assert box.has("L1-PROMOTED-A")
    assert last_ack(server)["removed"] == ["L1-PROMOTED-B"] and last_ack(server)["applied"] == ["L1-PROMOTED-A"]


def test_what_was_asked_for_as_changes_is_only_what_changed(box, server):
    for letter in "ABC":
        server.put(f"L1-PROMOTED-{letter}")
    box.sync()
    server.put("L1-PROMOTED-D")
    sizes = []
    server.edit_answer = lambda answer: sizes.append((len(answer["rules"]), answer["full"]))
    box.sync()
    assert sizes == [(1, False)] and box.has("L1-PROMOTED-A", "L1-PROMOTED-B", "L1-PROMOTED-C", "L1-PROMOTED-D")


def test_a_full_answer_removes_what_it_does_not_name(box, server):
    server.put("L1-PROMOTED-A")
    server.put("L1-PROMOTED-B")
    box.sync()
    # Restored from a back-up that never knew B; the revision jumped, and everybody gets everything.
    del server.rules["L1-PROMOTED-B"]
    server.revision += 1000
    server.edit_signed = lambda signed: signed.update(full=True, since_revision=None, rules=[
        {"rule_id": "L1-PROMOTED-A", "version": 1, "digest": box.status()["rules"][0]["digest"]}])
    box.sync()
    assert box.has("L1-PROMOTED-A")
    assert last_ack(server)["removed"] == ["L1-PROMOTED-B"] and last_ack(server)["revision"] == server.revision


def test_P27_a_removed_rule_does_not_come_back(box, server):
    server.put("L1-PROMOTED-A")
    box.sync()
    text = box.files["L1-PROMOTED-A.yaml"]
    server.withdraw("L1-PROMOTED-A")
    box.sync()
    for _ in range(3):  # each is a process of its own, as after a restart
        box.sync()
        assert box.files == {}
    box.rules.put("L1-PROMOTED-A.yaml", text, promoted=True)  # somebody's copy of the old folder
    box.sync()
    assert box.files == {} and box.status()["rules"] == []
    assert box.rule_ids({"check_type": "firewall"}) == [None]


def test_nothing_new_is_not_modified_and_says_nothing(box, server):
    server.put("L1-PROMOTED-A")
    box.sync()
    box.sync()  # the answer to what changed since 1 has another tag than the one before
    server.forget()
    box.sync()
    assert "If-None-Match" in server.asked(RULES)[0].headers
    assert server.asked(ACK) == [] and server.asked(EXECUTIONS) == [] and server.asked(PATTERNS) == []


def test_not_modified_will_not_do_when_half_of_the_signatures_life_is_over(box, server):
    server.put("L1-PROMOTED-A")
    box.sync()

    def left(hours):
        moment = datetime.now(timezone.utc) + timedelta(hours=hours)
        box.query("UPDATE meta SET value = ?1 WHERE key = 'signed_until'", int(moment.timestamp() * 1e6))
        server.forget()
        box.sync()
        return server.asked(RULES)[0].headers

    assert "If-None-Match" in left(25)
    assert "If-None-Match" not in left(23)
    assert "If-None-Match" not in left(-1)
    assert "If-None-Match" not in left(24 * 400), "a clock that was set back is no reason to believe for a year"
    server.forget()
    box.sync()
    assert "If-None-Match" in server.asked(RULES)[0].headers, "the new signature's life has begun"


def test_P26_a_lost_acknowledgement_is_sent_again_until_it_arrives(box, server):
    server.put("L1-PROMOTED-A")
    server.instead[ACK] = lambda handler: handler.problem(503, "unavailable", "later")
    box.sync_fails("acknowledgement", "503")
    assert box.has("L1-PROMOTED-A") and box.status()["acknowledged_revision"] is None
    server.withdraw("L1-PROMOTED-A")
    box.sync_fails("acknowledgement")
    assert box.files == {}
    del server.instead[ACK]
    server.forget()
    box.sync()
    [ack] = server.acks
    assert ack["revision"] == 2 and ack["applied"] == [] and ack["removed"] == ["L1-PROMOTED-A"]
    box.sync()
    assert len(server.acks) == 1 and box.status()["acknowledged_revision"] == 2


def test_P26_an_acknowledgement_whose_answer_was_lost_says_the_same_again(box, server):
    server.put("L1-PROMOTED-A")
    server.instead[ACK] = lambda handler: (server.acks.append(handler.request_seen.json), handler.connection.shutdown(2))
    box.sync_fails("acknowledgement")
    del server.instead[ACK]
    box.sync()
    assert len(server.acks) >= 2 and all(ack == server.acks[0] for ack in server.acks)


def test_an_acknowledgement_that_is_called_outdated_is_sent_again(box, server):
    server.put("L1-PROMOTED-A")
    server.instead[ACK] = lambda handler: handler.send(200, {"status": "outdated", "acknowledged": 0, "rejected": [],
                                                             "revision": 9})
    box.sync_fails("outdated")
    del server.instead[ACK]
    box.sync()
    assert last_ack(server)["applied"] == ["L1-PROMOTED-A"]


def test_P23_whoever_was_off_for_long_gets_everything_by_one_request(box, server):
    server.put("L1-PROMOTED-A")
    box.sync()
    for turn in range(40):
        server.put(f"L1-PROMOTED-N{turn}")
        server.put("L1-PROMOTED-A", priority=10 + turn)
    for turn in range(10):
        server.withdraw(f"L1-PROMOTED-N{turn}")
    box.query("UPDATE meta SET value = 1 WHERE key = 'signed_until'")  # since 1970
    server.forget()
    box.sync()
    assert len(server.asked(RULES)) == 1
    assert box.has("L1-PROMOTED-A", *(f"L1-PROMOTED-N{turn}" for turn in range(10, 40)))
    assert last_ack(server)["revision"] == server.revision


def test_keys_are_changed_over_with_two_of_them(box, server):
    old, new = server.key, Key()
    server.put("L1-PROMOTED-A")
    box.trust(old, new)
    box.sync()
    server.key = new
    server.put("L1-PROMOTED-B")
    box.sync()
    box.trust(new)
    server.put("L1-PROMOTED-C")
    box.sync()
    assert box.has("L1-PROMOTED-A", "L1-PROMOTED-B", "L1-PROMOTED-C")
    box.trust(old)
    server.put("L1-PROMOTED-D")
    box.sync_fails("none of the keys")
    assert box.has("L1-PROMOTED-A", "L1-PROMOTED-B", "L1-PROMOTED-C")


def test_a_server_without_since_revision_is_understood(box, server):
    server.edit_signed = lambda signed: signed.pop("since_revision")
    server.put("L1-PROMOTED-A")
    box.sync()
    server.put("L1-PROMOTED-B")
    box.sync()
    assert box.has("L1-PROMOTED-A", "L1-PROMOTED-B")


def test_two_syncs_at_once_take_turns(box, server):
    for turn in range(30):
        server.put(f"L1-PROMOTED-{turn:03}")
    processes = [box.start("sync") for _ in range(6)]
    assert [process.wait(timeout=120) for process in processes] == [0] * 6, box.told()
    assert box.has(*(f"L1-PROMOTED-{turn:03}" for turn in range(30)))
    assert len(server.acks) == 1


def test_a_sync_waits_for_the_lock(box, server):
    with open(str(box.state) + ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = box.start("sync")
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=0.5)
        assert server.requests == []
    assert process.wait(timeout=60) == 0


def test_a_server_that_forgot_is_told_all_counters_again(box, server):
    box.record({"execution_id": "e1", "pattern_signature": "p1", "resolution_level": "L2", "success": True})
    box.sync()
    assert set(server.patterns) == {"p1"}
    server.patterns.clear()
    server.put("L1-PROMOTED-A")
    server.edit_signed = lambda signed: signed.update(full=True, since_revision=None)
    box.sync()
    server.edit_signed = None
    box.sync()
    assert set(server.patterns) == {"p1"}


def test_certificates_are_verified(tmp_path):
    def certificate(host):
        key, crt = tmp_path / f"{host}.key", tmp_path / f"{host}.crt"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-days", "2", "-subj", "/CN=test", "-addext", f"subjectAltName={host}", "-keyout", key,
                        "-out", crt], check=True, capture_output=True)
        return crt, key

    good, other = certificate("IP:127.0.0.1"), certificate("DNS:elsewhere.test")
    server = FakeServer(tls=good)
    stranger = FakeServer(tls=other)
    try:
        box = Linked(tmp_path / "box", server)
        server.put("L1-PROMOTED-A")
        box.sync_fails("certificate")
        assert server.requests == []
        box.configure(ca_file=good[0])
        box.sync()
        assert box.has("L1-PROMOTED-A")
        box.configure(server=stranger.url, ca_file=other[0])  # trusted, but another host's
        box.sync_fails("no answer from the server")
        assert stranger.requests == []
    finally:
        server.close()
        stranger.close()


@pytest.mark.parametrize("token", ["", "two words", "line\nsecond", "x" * 600, "tök"])
def test_a_token_that_is_none_is_not_sent(box, server, token):
    (box.folder / "token").write_text(token, encoding="utf-8")
    box.sync_fails("holds no token")
    assert server.requests == []


def test_plain_text_over_the_network_is_told(box, server):
    assert "https" not in box.sync().stderr
    box.configure(server="http://flywheel.invalid", timeout_seconds=2)
    box.sync_fails("use https://")


def test_a_token_file_open_to_others_is_told_and_used(box):
    (box.folder / "token").chmod(0o644)
    assert "chmod 600" in box.sync().stderr


def test_a_token_is_read_anew_each_time_and_never_told(box, server):
    (box.folder / "token").write_text("fwa_wrong-one", encoding="ascii")
    assert "fwa_wrong-one" not in box.sync_fails("401").stderr
    (box.folder / "token").write_text(server.token, encoding="ascii")
    box.sync()


def test_status_and_match_work_while_a_sync_waits_for_the_server(box, server):
    server.put("L1-PROMOTED-A")
    box.sync()
    waited = threading.Event()
    server.instead[RULES] = lambda handler: (waited.wait(WAIT), handler.connection.shutdown(2))
    process = box.start("sync")
    eventually(lambda: server.asked(RULES)[1:])
    assert box.status()["revision"] == 1
    assert box.rule_ids({"check_type": "firewall"}, state=True) == ["L1-PROMOTED-A"]
    assert box.record({"execution_id": "e1", "pattern_signature": "p1", "resolution_level": "L1"}).returncode == 0
    waited.set()
    process.wait(timeout=60)


def test_the_state_file_may_be_lost(box, server):
    server.put("L1-PROMOTED-A")
    box.sync()
    for path in box.folder.glob("state.db*"):
        path.unlink()
    box.sync()
    assert box.has("L1-PROMOTED-A") and last_ack(server)["applied"] == ["L1-PROMOTED-A"]
