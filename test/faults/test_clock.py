"""The machine's clock jumps by days, forth and back, under handlers that serve. What is dated or expires goes by the
database's clock, what waits goes by one that never jumps."""

import base64
import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from fastcgi import Connection, request
from house.client import LEARNING, ago, expect
from house.control import control
from house.world import execution
from machine import wait_until

LIBRARY = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
JUMPS = ["+400d", "-400d", "+1d", "-1d", "+0"]


class Jumping:
    """One handler program of the instance on a socket of its own, with a clock that can be set."""

    def __init__(self, folder, instance, program):
        library = LIBRARY if LIBRARY.exists() else next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        self.clock, self.socket, self.log = folder / f"{program}.clock", folder / f"{program}.sock", folder / f"{program}.log"
        self.set("+0")
        self.process = subprocess.Popen(
            [instance / "handlers" / program, "--config", instance / "etc" / "flywheel.conf", "--socket", self.socket],
            stdin=subprocess.DEVNULL, stderr=self.log.open("w"), env={
                **os.environ, "LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(self.clock),
                "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"})
        wait_until(10, lambda: "serving" in self.log.read_text(), f"{program} serves")
        self.connection = Connection(self.socket)

    def set(self, offset):
        self.clock.write_text(offset + "\n")

    def ask(self, method, path, body=None, **params):
        """By the kept connection, through all jumps."""
        data = b"" if body is None else json.dumps(body).encode()
        if body is not None:
            params["CONTENT_TYPE"] = "application/json"
        status, headers, answer = self.connection.ask(method, path, data, **params)
        return status, headers, json.loads(answer)

    def last_line(self):
        return json.loads(self.log.read_text().splitlines()[-1])

    def stop(self):
        self.connection.close()
        self.process.terminate()
        assert self.process.wait(timeout=20) == 0


@pytest.fixture
def start(tmp_path, machine):
    started = []

    def start_program(program):
        started.append(Jumping(tmp_path, machine.instance, program))
        return started[-1]

    yield start_program
    for one in started:
        one.stop()


def clock_says_otherwise(handler):
    """The jump has reached the handler: its log goes by the machine's clock."""
    logged = time.mktime(time.strptime(handler.last_line()["time"][:19], "%Y-%m-%dT%H:%M:%S"))
    return abs(logged - time.mktime(time.gmtime())) > 3600


def test_p40_keys_open_and_expire_by_the_databases_clock(partner, start):
    handler = start("learning-stats")
    expired = partner.new_key("read", expires="1s")
    time.sleep(1.2)
    for jump in JUMPS:
        handler.set(jump)
        assert handler.ask("GET", LEARNING + "/stats", HTTP_X_API_KEY=partner.api.key)[0] == 200, jump
        assert clock_says_otherwise(handler) == (jump != "+0"), "the clock has not jumped"
        assert handler.ask("GET", LEARNING + "/stats", HTTP_X_API_KEY=expired.key)[0] == 401, jump


def test_p40_sessions_go_by_the_databases_clock(partner, start):
    handler = start("account")
    email, password = partner.new_user("viewer")
    cookies = []
    for jump in JUMPS:
        handler.set(jump)
        status, headers, _ = handler.ask("POST", "/api/partner-auth/login", {"email": email, "password": password})
        assert status == 200, jump
        cookies.append(headers["Set-Cookie"].partition(";")[0])
        for cookie in cookies:
            assert handler.ask("GET", "/api/partner-auth/me", HTTP_COOKIE=cookie)[0] == 200, jump


def test_p38_idempotency_keys_go_by_the_databases_clock(partner, start):
    handler = start("learning-reject")
    candidate = partner.new_candidate()
    path = f"{LEARNING}/candidates/{candidate['id']}/reject"
    who = {"HTTP_X_API_KEY": partner.api.key, "HTTP_IDEMPOTENCY_KEY": "jump-" + candidate["id"]}
    first = handler.ask("POST", path, {"reason": "Said once"}, **who)
    assert first[0] == 200 and "Idempotent-Replayed" not in first[1]
    for jump in JUMPS:
        handler.set(jump)
        again = handler.ask("POST", path, {"reason": "Said once"}, **who)
        assert (again[0], again[1].get("Idempotent-Replayed"), again[2]) == (200, "true", first[2]), jump


def test_what_appliances_report_is_dated_by_the_databases_clock(partner, start, database):
    handler = start("agent-reports")
    appliance = partner.main.appliances[0]
    who = {"HTTP_AUTHORIZATION": "Bearer " + appliance.caller.token}
    for jump in JUMPS:
        handler.set(jump)
        report = execution(started_at=ago(hours=3), completed_at=ago(hours=2))
        body = {"site_id": partner.main.site_id, "execution": report}
        status, _, answer = handler.ask("POST", "/api/agent/executions", body, **who)
        assert status in (200, 201), (jump, answer)
        pushed = handler.ask("POST", "/api/agent/sync/pattern-stats", {"pattern_stats": []}, **who)[2]
        for moment in (answer["server_time"], pushed["server_time"]):
            row = database.row("SELECT abs(extract(epoch FROM clock_timestamp() - %s::timestamptz)) AS off", moment)
            assert row["off"] < 60, (jump, moment)
        found = [entry for entry in partner.api.history()["executions"] if entry["execution_id"] == report["execution_id"]]
        assert found[0]["created_at"][:19] == report["completed_at"][:19], jump


def test_waiting_goes_by_a_clock_that_does_not_jump(start):
    """Half a request is waited for, and a kept connection kept, whatever the time of day does."""
    handler = start("service")
    half = Connection(handler.socket)
    whole = request("GET", "/livez")
    half.send(whole[:40])
    for jump in JUMPS:
        handler.set(jump)
        assert handler.ask("GET", "/livez")[0] == 200, jump
        time.sleep(0.3)
    half.send(whole[40:])
    assert half.answer()[0] == 200
    half.close()


def test_p40_a_revoked_key_is_refused_whatever_the_time(partner, start):
    handler, key = start("learning-candidates"), partner.new_key("read")
    expect(200, key.get(LEARNING + "/candidates"))
    control("key", "revoke", "--key", key.key_id)
    for jump in JUMPS:
        handler.set(jump)
        assert handler.ask("GET", LEARNING + "/candidates", HTTP_X_API_KEY=key.key)[0] == 401, jump


def test_what_appliances_are_given_is_dated_and_good_by_the_databases_clock(partner, start, database):
    handler = start("agent-rules")
    appliance = partner.main.appliances[0]
    for jump in JUMPS:
        handler.set(jump)
        status, _, answer = handler.ask("GET", "/api/agent/sync/promoted-rules", HTTP_AUTHORIZATION="Bearer " + appliance.caller.token)
        signed = json.loads(base64.b64decode(answer["signed"]))
        assert status == 200 and signed["issued_at"] == answer["server_time"]
        row = database.row("SELECT abs(extract(epoch FROM clock_timestamp() - %s::timestamptz)) AS off, "
                           "extract(epoch FROM %s::timestamptz - %s::timestamptz) AS good", answer["server_time"],
                           signed["expires_at"], signed["issued_at"])
        assert row["off"] < 60 and row["good"] == 48 * 3600, jump
