"""The server core, spoken to directly: kept, idle, slow and hostile FastCGI peers.

Needs no database: the program is `service`, of which /livez answers without one.
"""
import json
import os
import pathlib
import signal
import subprocess
import threading
import time

import pytest
from fastcgi import BEGIN, PARAMS, STDIN, Connection, pair, record, records, request

PROGRAMS = pathlib.Path(os.environ.get("FLYWHEEL_ASAN_BUILD") or os.environ["FLYWHEEL_BUILD"]) / "handlers"


class Server:
    """One handler program on a socket of its own, with two workers, so that starving it is easy."""

    def __init__(self, folder, program="service"):
        self.program, self.folder = program, folder
        self.socket, self.log = folder / "s.sock", folder / "log"
        nowhere = f"host={folder} dbname=flywheel user=nobody"
        self.config = folder / "flywheel.conf"
        self.config.write_text("threads = 2\n" + "".join(
            f"database_{role} = {nowhere}\n" for role in ("read", "decide", "agent", "account")))
        self.process = subprocess.Popen([PROGRAMS / program, "--config", self.config, "--socket", self.socket],
                                        stdin=subprocess.DEVNULL, stderr=self.log.open("w"))
        for _ in range(200):
            if self.socket.exists() and "serving" in self.log.read_text():
                return
            time.sleep(0.05)
        raise AssertionError("the program did not start: " + self.log.read_text())

    def connect(self, timeout=20):
        return Connection(self.socket, timeout)

    def answers(self):
        """A fresh connection is served, and within a bound that starvation would miss."""
        connection = self.connect(timeout=5)
        status, _, body = connection.ask("GET", "/livez", keep=False)
        connection.close()
        return status == 200 and json.loads(body)["status"] == "alive"

    def descriptors(self):
        """How many it has open."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self):
        """Ends it as a supervisor does; the exit status, which a sanitizer's finding would spoil."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path)
    yield server
    if server.process.poll() is None:
        assert server.stop() == 0, server.log.read_text()


def test_a_kept_connection_serves_request_after_request(server):
    connection = server.connect()
    for _ in range(50):
        assert connection.ask("GET", "/livez")[0] == 200
    connection.close()


def test_without_keep_the_connection_is_closed_after_the_answer(server):
    connection = server.connect()
    assert connection.ask("GET", "/livez", keep=False)[0] == 200
    assert connection.is_closed()


@pytest.mark.parametrize("size", [10, 8000, 70_000, 2_000_000])
def test_a_body_that_nobody_reads_never_becomes_a_request(server, size):
    """A forged request inside the body of a POST that is refused before its body is looked at."""
    forged = request("GET", "/api/version", FORGED="yes")
    body = (forged * (size // len(forged) + 1))
    connection = server.connect()
    assert connection.ask("POST", "/livez", body)[0] == 405
    assert connection.ask("GET", "/readyz")[0] == 503, "the next answer belongs to the next request"
    connection.send(request("GET", "/livez"))
    assert json.loads(connection.answer()[2]) == {"status": "alive"}
    assert '"getVersion"' not in server.log.read_text()
    connection.close()


def test_P36_idle_kept_connections_hold_no_worker(server):
    idle = [server.connect() for _ in range(64)]
    for connection in idle:
        assert connection.ask("GET", "/livez")[0] == 200
    assert server.answers()
    assert all(connection.ask("GET", "/livez")[0] == 200 for connection in idle)
    for connection in idle:
        connection.close()


def slowly(connections, data, stop):
    """Sends `data` on each connection, one byte a second, until it is told to stop."""
    for connection in connections:
        connection.socket.setblocking(False)  # with a time-out, Python waits until little is queued
    for byte in (data[i:i + 1] for i in range(len(data))):
        for connection in connections:
            try:
                connection.send(byte)
            except OSError:
                pass  # closed by the server, as it may
        if stop.wait(1):
            return


def in_background(function, *arguments):
    stop = threading.Event()
    thread = threading.Thread(target=function, args=(*arguments, stop))
    thread.start()
    return lambda: (stop.set(), thread.join())


def test_P36_kept_silent_half_and_slow_peers_together_starve_nobody(server):
    whole = request("GET", "/livez")
    kept, halves, slow = ([server.connect() for _ in range(count)] for count in (64, 40, 10))
    for connection in kept:
        assert connection.ask("GET", "/livez")[0] == 200
    for number, connection in enumerate(halves):
        connection.send(whole[:1 + number % (len(whole) - 1)])
    end = in_background(slowly, slow, whole)
    try:
        for _ in range(8):
            assert server.answers()
            assert all(connection.ask("GET", "/livez")[0] == 200 for connection in kept)
            time.sleep(0.5)
        for number, connection in enumerate(halves):
            connection.send(whole[1 + number % (len(whole) - 1):])
            assert connection.answer()[0] == 200
    finally:
        end()
    for connection in kept + halves + slow:
        connection.close()


def test_P36_large_bodies_that_arrive_slowly_leave_half_of_the_workers_and_are_cut_off(tmp_path):
    """Each of ten peers sends its parameters and most of a body at once, and then a byte a second."""
    server = Server(tmp_path, "account")
    whole = request("POST", "/api/partner-auth/login", b"[" + b" " * 70_000, CONTENT_TYPE="application/json")
    slow = [server.connect(timeout=60) for _ in range(10)]
    for connection in slow:
        connection.send(whole[:66_000])
    end = in_background(slowly, slow, whole[66_000:])
    try:
        began, cut = time.monotonic(), False
        while not cut and time.monotonic() - began < 60:
            connection = server.connect(timeout=5)
            assert connection.ask("GET", "/api/partner-auth/nothing", keep=False)[0] == 404
            connection.close()
            cut = "request-too-slow" in server.log.read_text()
            time.sleep(0.5)
        assert cut
    finally:
        end()
    for connection in slow:
        connection.close()
    assert server.stop() == 0, server.log.read_text()


@pytest.mark.parametrize("size", [20, 5_000, 60_000])
def test_a_peer_that_sends_half_a_request_and_goes_leaves_no_descriptor(server, size):
    """Not even for the ten seconds that one has who is still there."""
    whole = request("POST", "/livez", b"x" * 60_000)
    assert server.answers()
    before = server.descriptors()
    for _ in range(30):
        connection = server.connect()
        connection.send(whole[:size])
        connection.close()
    for _ in range(40):
        if server.descriptors() <= before:
            return
        time.sleep(0.1)
    raise AssertionError(f"{server.descriptors() - before} descriptors are left open")


def test_parameters_without_end_are_refused(server):
    """libfcgi reads parameters to their end, however long that takes, and ends the process when lengths are absurd."""
    connection = server.connect()
    begin = record(BEGIN, b"\x00\x01\x01" + b"\x00" * 5)
    filler = pair("HTTP_X_FILLER", "x" * 30_000)
    try:
        connection.send(begin + record(PARAMS, filler) * 3)
        assert connection.is_closed()
    except BrokenPipeError:
        pass
    assert server.answers()


FORGED = "forged-inside-a-body"


def early_exits():
    """Requests with a body that are refused before anybody is asked who is calling, one for each reason."""
    login, json_type = "/api/partner-auth/login", {"CONTENT_TYPE": "application/json"}
    cookie = {"HTTP_COOKIE": "flywheel_session=x"}
    return {
        "404": ("POST", "/api/partner-auth/nothing", json_type, 404),
        "405": ("DELETE", login, json_type, 405),
        "400 query": ("POST", login, {**json_type, "QUERY_STRING": "a=1"}, 400),
        "400 header twice": ("POST", login, {**json_type, "HTTP_COOKIE": "a=1", "HTTP_cookie": ""}, 400),
        "403": ("POST", login, {**json_type, **cookie}, 403),
        "413": ("POST", login, json_type, 413),
        "415": ("POST", login, {"CONTENT_TYPE": "text/plain"}, 415),
        "logout": ("POST", "/api/partner-auth/logout", json_type, 400),
        "no method": ("", login, json_type, 405),
    }


@pytest.mark.parametrize("reason", early_exits())
@pytest.mark.parametrize("size", [300, 60_000, 2_000_000])
def test_P36_no_body_becomes_a_request_whatever_it_is_refused_for(tmp_path, reason, size):
    method, path, params, status = early_exits()[reason]
    forged = request("GET", "/api/partner-auth/nothing", FLYWHEEL_REQUEST_ID=FORGED)
    body = forged * (size // len(forged) + 1)
    server = Server(tmp_path, "account")
    connection = server.connect()
    answer = connection.ask(method, path, body, **params)
    assert answer[0] == status or (answer[0] == 413 and size > 65_536) or (answer[0] == 400 and size <= 65_536), answer
    connection.send(request("GET", "/api/partner-auth/nothing", FLYWHEEL_REQUEST_ID="after-it"))
    status, headers, _ = connection.answer()
    assert (status, headers["X-Request-Id"]) == (404, "after-it")
    connection.close()
    assert server.stop() == 0, server.log.read_text()
    assert FORGED not in server.log.read_text()


def test_P36_a_body_that_is_cut_in_the_middle_is_no_request(tmp_path):
    """What came of it would be read as an empty body, and an empty body means the defaults."""
    server = Server(tmp_path, "account")
    connection = server.connect()
    whole = request("POST", "/api/partner-auth/logout", b" " * 70_000 + b"{}", CONTENT_TYPE="application/json")
    connection.send(whole[:66_000])
    time.sleep(0.3)
    connection.close()
    assert server.stop() == 0, server.log.read_text()
    assert '"status":200' not in server.log.read_text()


def test_peers_that_connect_and_say_nothing_hold_no_worker(server):
    silent = [server.connect() for _ in range(64)]
    assert server.answers()
    for connection in silent:
        connection.close()


def test_peers_that_send_half_a_request_hold_no_worker(server):
    whole = request("GET", "/livez")
    halves = [server.connect() for _ in range(40)]
    for number, connection in enumerate(halves):
        connection.send(whole[:1 + number % (len(whole) - 1)])
    time.sleep(0.2)
    assert server.answers()
    for number, connection in enumerate(halves):
        connection.send(whole[1 + number % (len(whole) - 1):])
        assert connection.answer()[0] == 200, "the other half may still come"
        connection.close()


def test_a_peer_that_stops_in_the_middle_is_closed_in_the_end(server):
    connection = server.connect(timeout=30)
    connection.send(request("GET", "/livez")[:20])
    assert connection.is_closed()


@pytest.mark.parametrize("garbage", [
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x00" * 64,
    record(STDIN, b"no beginning"),
    record(BEGIN, b"short") + record(99, b"?"),
    record(9, b""),
])
def test_a_peer_that_speaks_something_else_is_closed_and_harms_nobody(server, garbage):
    connection = server.connect()
    connection.send(garbage)
    assert connection.is_closed()
    assert server.answers()


def test_parameters_that_lie_about_their_length_harm_nobody(server):
    connection = server.connect()
    lie = b"\xff\xff\xff\xff\xff\xff\xff\xffREQUEST_METHOD"
    connection.send(record(BEGIN, b"\x00\x01\x01" + b"\x00" * 5) + records(PARAMS, lie) + record(STDIN))
    connection.close()
    assert server.answers()


def test_headers_cannot_be_forged_by_line_breaks_in_a_request_id(server):
    connection = server.connect()
    status, headers, _ = connection.ask("GET", "/livez", HTTP_X_REQUEST_ID="a\r\nSet-Cookie: x=1")
    assert status == 200 and "Set-Cookie" not in headers and "\r" not in headers["X-Request-Id"]
    connection.close()


def test_sigterm_answers_what_comes_on_kept_connections_and_exits_with_0(server):
    connection = server.connect()
    assert connection.ask("GET", "/livez")[0] == 200
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    assert connection.ask("GET", "/livez")[0] == 200
    assert connection.is_closed()
    assert server.process.wait(timeout=20) == 0


def test_a_database_that_is_away_is_a_503_with_retry_after_and_soon(server):
    connection = server.connect()
    begin = time.monotonic()
    status, headers, body = connection.ask("GET", "/readyz")
    assert status == 503 and int(headers["Retry-After"]) > 0
    assert json.loads(body)["type"] == "urn:flywheel:problem:database-unavailable"
    assert time.monotonic() - begin < 15
    connection.close()


def test_a_body_over_the_limit_is_413_and_the_connection_goes_on(tmp_path):
    server = Server(tmp_path, "account")
    connection = server.connect()
    big = b'{"email": "' + b"x" * 100_000 + b'"}'
    assert connection.ask("POST", "/api/partner-auth/login", big, CONTENT_TYPE="application/json")[0] == 413
    assert connection.ask("GET", "/api/partner-auth/nothing")[0] == 404
    connection.close()
    assert server.stop() == 0, server.log.read_text()


def test_a_handler_is_a_cgi_program_too(server):
    environment = {"REQUEST_METHOD": "GET", "REQUEST_URI": "/livez?y=", "QUERY_STRING": "y=", "PATH": os.environ["PATH"]}
    run = subprocess.run([PROGRAMS / "service", "--config", server.config], env=environment,
                         stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=True)
    head, _, body = run.stdout.partition(b"\r\n\r\n")
    assert head.startswith(b"Status: 400") and b"application/problem+json" in head
    assert "'y'" in json.loads(body)["detail"]


def test_a_cgi_request_may_name_its_path_by_path_info(server):
    environment = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/api", "PATH_INFO": "/version", "PATH": os.environ["PATH"]}
    run = subprocess.run([PROGRAMS / "service", "--config", server.config], env=environment,
                         stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=True)
    assert run.stdout.startswith(b"Status: 200") and b'"name":"flywheel"' in run.stdout


@pytest.mark.parametrize("mode, told", [(0o600, False), (0o640, False), (0o604, True), (0o644, True)])
def test_p41_a_configuration_that_everybody_can_read_is_told(server, mode, told):
    server.config.chmod(mode)
    environment = {"REQUEST_METHOD": "GET", "REQUEST_URI": "/livez", "PATH": os.environ["PATH"]}
    run = subprocess.run([PROGRAMS / "service", "--config", server.config], env=environment,
                         stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=True)
    assert run.stdout.startswith(b"Status: 200") and (b'"configuration-open"' in run.stderr) == told


def test_without_a_socket_or_a_cgi_environment_it_says_what_to_do(tmp_path):
    run = subprocess.run([PROGRAMS / "service", "--config", tmp_path / "none"], stdin=subprocess.DEVNULL,
                         capture_output=True, timeout=30, check=False)
    assert run.returncode == 1 and b"cannot open" in run.stderr


@pytest.mark.parametrize("length", ["", "1", "40000", "65537", "-1", "0x10", "99999999999999999999999"])
def test_a_body_is_read_whole_whatever_its_announced_length_is(tmp_path, length):
    """The length is a hint for how much room to make; nginx sends the true one."""
    server = Server(tmp_path, "account")
    connection = server.connect()
    body = b'{"email": "kim@example.com", "password": "' + b"x" * 30_000 + b'", "last": 1}'
    status, _, answer = connection.ask("POST", "/api/partner-auth/login", body, CONTENT_TYPE="application/json",
                                       CONTENT_LENGTH=length)
    assert status == 422 and "/last" in {error["pointer"] for error in json.loads(answer)["errors"]}
    connection.close()
    assert server.stop() == 0, server.log.read_text()
