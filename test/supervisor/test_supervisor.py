"""The supervisor with handlers that are a few lines of Python: start, crash, takeover, and what does not start."""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

FAKE = pathlib.Path(__file__).with_name("fake_handler.py").read_text(encoding="utf-8")
PROGRAM = os.environ["FLYWHEEL_SUPERVISOR"]


def handler_text(version, start="ready", hold=0.0):
    return (
        FAKE.replace('VERSION = "one"', f'VERSION = "{version}"')
        .replace('START = "ready"', f'START = "{start}"')
        .replace("HOLD_SECONDS = 0.0", f"HOLD_SECONDS = {hold}")
    )


def eventually(question, seconds=10):
    """Waits until question() is true and returns what it said; fails when it never is."""
    end = time.monotonic() + seconds
    while True:
        result = question()
        if result:
            return result
        assert time.monotonic() < end, f"never true: {question}"
        time.sleep(0.02)


class Instance:
    """A mount, a run folder and a supervisor over them."""

    def __init__(self, folder):
        self.folder = folder
        self.handlers = folder / "handlers"
        self.run = folder / "run"
        self.handlers.mkdir()
        self.run.mkdir()
        (folder / "flywheel.conf").write_text("")
        self.log = open(folder / "log", "ab")
        self.process = None

    def put(self, name="echo", version="one", **settings):
        """Into the mount as `cp -f` does it: the file that is there is overwritten in place."""
        target = self.handlers / name
        with open(target, "w", encoding="utf-8") as file:
            file.write(handler_text(version, **settings))
            os.fchmod(file.fileno(), 0o755)

    def put_library(self, text):
        (self.handlers / "libflywheel.so").write_text(text)

    def start(self, *options):
        self.process = subprocess.Popen(
            [PROGRAM, "--handlers", self.handlers, "--sockets", self.run, "--run", self.run]
            + ["--config", self.folder / "flywheel.conf", "--ready-timeout", "1500", "--settle", "100"]
            + ["--stop-timeout", "3000", *options],
            stderr=self.log,
        )

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            return self.process.wait(10)
        return None

    def state(self, name="echo"):
        try:
            document = json.loads((self.run / "supervisor.json").read_text())
        except FileNotFoundError:
            return {}
        return document["programs"].get(name, {})

    def serves(self, version, name="echo"):
        state = self.state(name)
        return state.get("state") == "serving" and state["build_id"] == f"build-{version}" and state

    def ask(self, word="hello", name="echo"):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(self.run / f"{name}.sock"))
            connection.sendall(word.encode() + b"\n")
            return connection.recv(200).decode().strip()

    def log_text(self):
        return (self.folder / "log").read_text()


@pytest.fixture(name="instance")
def fixture_instance(tmp_path):
    instance = Instance(tmp_path)
    yield instance
    instance.stop()
    instance.log.close()


def children(pid):
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def test_starts_every_program_of_the_mount_on_a_private_socket(instance):
    instance.put("echo")
    instance.put("other", version="two")
    (instance.handlers / "README.txt").write_text("not a program")
    instance.start()
    eventually(lambda: instance.serves("one") and instance.serves("two", "other"))
    assert instance.ask().startswith("one ")
    assert instance.ask(name="other").startswith("two ")
    socket_file = instance.run / "echo.sock"
    assert socket_file.is_socket()
    assert socket_file.stat().st_mode & 0o777 == 0o660
    assert sorted(json.loads((instance.run / "supervisor.json").read_text())["programs"]) == ["echo", "other"]


def test_runs_a_staged_copy_so_that_overwriting_the_mount_touches_nobody(instance):
    instance.put()
    instance.put_library("library one")
    instance.start()
    state = eventually(lambda: instance.serves("one"))
    command = pathlib.Path(f"/proc/{state['pid']}/cmdline").read_text()
    assert f"{instance.run}/live/echo-{state['running_sha256'][:16]}/echo" in command
    assert "library one" in instance.ask()


def test_a_process_that_is_killed_is_started_again(instance):
    instance.put()
    instance.start()
    first = eventually(lambda: instance.serves("one"))
    os.kill(first["pid"], signal.SIGKILL)
    begin = time.monotonic()
    assert instance.ask().startswith("one "), "the connection waits in the queue of the socket"
    assert time.monotonic() - begin < 2
    second = eventually(lambda: instance.serves("one"))
    assert second["pid"] != first["pid"]
    assert second["restarts"] == 1
    assert "signal 9" in second["last_failure"]["what"]


def test_a_program_that_crashes_again_and_again_is_started_ever_more_rarely(instance):
    instance.put()
    instance.start()
    eventually(lambda: instance.serves("one"))
    begin = time.monotonic()
    for count in range(1, 5):
        try:
            assert instance.ask("crash") == ""
        except ConnectionResetError:
            pass
        eventually(lambda count=count: (instance.serves("one") or {}).get("restarts") == count)
    assert time.monotonic() - begin > 0.1 + 0.2 + 0.4 + 0.8
    assert instance.ask().startswith("one ")


def test_a_new_version_takes_over_without_losing_a_connection(instance):
    instance.put(hold=0.005)
    instance.start()
    eventually(lambda: instance.serves("one"))
    answers, failures, done = [], [], threading.Event()

    def load():
        while not done.is_set():
            try:
                answers.append(instance.ask().split()[0])
            except OSError as error:
                failures.append(repr(error))
            if answers and answers[-1] == "":
                failures.append("closed without an answer")

    clients = [threading.Thread(target=load) for _ in range(4)]
    for client in clients:
        client.start()
    for version in ("two", "three", "four"):
        instance.put(version=version, hold=0.005)
        eventually(lambda version=version: instance.serves(version))
        time.sleep(0.2)
    done.set()
    for client in clients:
        client.join()
    assert not failures
    assert {"one", "two", "three", "four"} <= set(answers)


def test_p43_a_program_that_is_being_copied_is_not_started_before_it_is_whole(instance):
    instance.put()
    instance.start()
    eventually(lambda: instance.serves("one"))
    text = handler_text("two")
    with open(instance.handlers / "echo", "w", encoding="utf-8") as file:
        for part in range(0, len(text), 200):
            file.write(text[part : part + 200])
            file.flush()
            time.sleep(0.02)
        assert instance.state()["restarts"] == 0
        assert instance.ask().startswith("one ")
    eventually(lambda: instance.serves("two"))
    assert instance.state()["last_failure"] is None


def test_p42_a_version_that_does_not_start_leaves_the_old_one_serving_and_is_recorded(instance):
    instance.put()
    instance.start()
    old = eventually(lambda: instance.serves("one"))
    instance.put(version="two", start="fail")
    state = eventually(lambda: instance.state().get("last_failure") and instance.state())
    assert "ended with status 1 before it was ready" in state["last_failure"]["what"]
    assert state["state"] == "serving-old"
    assert state["pid"] == old["pid"]
    assert state["file_sha256"] != state["running_sha256"]
    assert instance.ask().startswith("one ")
    instance.put(version="three")
    eventually(lambda: instance.serves("three"))


def test_a_version_that_hangs_in_its_check_is_killed_and_the_old_one_serves(instance):
    instance.put()
    instance.start()
    eventually(lambda: instance.serves("one"))
    instance.put(version="two", start="hang")
    state = eventually(lambda: instance.state().get("last_failure") and instance.state())
    assert "not ready in time" in state["last_failure"]["what"]
    assert instance.ask().startswith("one ")


def test_when_the_old_one_crashes_beside_a_bad_file_the_old_one_is_started_again(instance):
    instance.put()
    instance.start()
    old = eventually(lambda: instance.serves("one"))
    instance.put(version="two", start="fail")
    eventually(lambda: instance.state().get("last_failure"))
    os.kill(old["pid"], signal.SIGKILL)
    assert instance.ask().startswith("one ")


def test_a_new_library_alone_renews_every_program(instance):
    instance.put("echo")
    instance.put("other")
    instance.put_library("library one")
    instance.start()
    eventually(lambda: instance.serves("one") and instance.serves("one", "other"))
    before = {instance.state(name)["pid"] for name in ("echo", "other")}
    instance.put_library("library two")
    eventually(lambda: "library two" in instance.ask() and "library two" in instance.ask(name="other"))
    eventually(lambda: instance.serves("one") and instance.serves("one", "other"))
    assert not before & {instance.state(name)["pid"] for name in ("echo", "other")}


def test_a_file_renamed_into_the_mount_and_one_made_executable_late_are_seen(instance):
    instance.put()
    instance.start()
    eventually(lambda: instance.serves("one"))
    hidden = instance.handlers / ".echo.new"
    hidden.write_text(handler_text("two"))
    hidden.chmod(0o755)
    hidden.rename(instance.handlers / "echo")
    eventually(lambda: instance.serves("two"))
    source = instance.folder / "source"
    source.write_text(handler_text("three"))
    subprocess.run(["install", "-m", "755", source, instance.handlers / "echo"], check=True)
    eventually(lambda: instance.serves("three"))


def test_the_same_content_again_restarts_nothing(instance):
    instance.put()
    instance.start()
    first = eventually(lambda: instance.serves("one"))
    instance.put()
    time.sleep(0.5)
    assert instance.serves("one")["pid"] == first["pid"]


def test_a_removed_file_leaves_its_process_and_is_told(instance):
    instance.put()
    instance.start()
    eventually(lambda: instance.serves("one"))
    (instance.handlers / "echo").unlink()
    eventually(lambda: instance.state()["file_sha256"] is None)
    assert instance.ask().startswith("one ")


def test_old_staged_copies_are_removed(instance):
    instance.put()
    instance.put_library("library one")
    instance.start()
    eventually(lambda: instance.serves("one"))
    for version in ("two", "three"):
        instance.put(version=version)
        instance.put_library(f"library {version}")
        eventually(lambda version=version: instance.serves(version))
    eventually(lambda: len(os.listdir(instance.run / "live")) == 2)


def test_sighup_gives_every_program_a_fresh_process(instance):
    instance.put()
    instance.start()
    first = eventually(lambda: instance.serves("one"))
    instance.process.send_signal(signal.SIGHUP)
    eventually(lambda: (instance.serves("one") or first)["pid"] != first["pid"])


def test_sigterm_lets_what_is_in_flight_finish_and_leaves_no_process_and_no_socket(instance):
    instance.put(hold=0.5)
    instance.start()
    pid = eventually(lambda: instance.serves("one"))["pid"]
    answers = []
    client = threading.Thread(target=lambda: answers.append(instance.ask()))
    client.start()
    time.sleep(0.2)
    assert instance.stop() == 0
    client.join()
    assert answers and answers[0].startswith("one ")
    assert not os.path.exists(f"/proc/{pid}")
    assert not (instance.run / "echo.sock").exists()


def test_a_process_that_does_not_stop_is_killed(instance):
    stubborn = handler_text("one").replace("    stopping = True", "    return")
    (instance.handlers / "echo").write_text(stubborn)
    (instance.handlers / "echo").chmod(0o755)
    instance.start("--stop-timeout", "300")
    pid = eventually(lambda: instance.serves("one"))["pid"]
    begin = time.monotonic()
    assert instance.stop() == 0
    assert 0.2 < time.monotonic() - begin < 3
    assert not os.path.exists(f"/proc/{pid}")


def test_a_killed_supervisor_takes_its_handlers_with_it_and_can_be_started_again(instance):
    instance.put()
    instance.start()
    pid = eventually(lambda: instance.serves("one"))["pid"]
    instance.process.kill()
    instance.process.wait()
    eventually(lambda: not os.path.exists(f"/proc/{pid}"))
    instance.start()
    eventually(lambda: instance.state().get("pid") not in (None, pid) and instance.serves("one"))
    assert instance.ask().startswith("one ")


def test_a_second_supervisor_on_the_same_folder_is_refused(instance):
    instance.put()
    instance.start()
    eventually(lambda: instance.serves("one"))
    second = subprocess.run(instance.process.args, capture_output=True, text=True, timeout=10, check=False)
    assert second.returncode == 1
    assert "another supervisor" in second.stderr
    assert instance.ask().startswith("one ")


def test_a_folder_too_deep_for_a_socket_is_told_and_nothing_else_breaks(instance):
    deep = instance.folder / ("d" * 120)
    shutil.move(instance.run, deep)
    instance.run = deep
    instance.put()
    instance.start()
    eventually(lambda: "File name too long" in instance.log_text())
    assert instance.process.poll() is None


def test_nothing_is_done_while_nothing_happens(instance):
    instance.put()
    instance.start()
    eventually(lambda: instance.serves("one"))
    time.sleep(0.3)
    before = pathlib.Path(f"/proc/{instance.process.pid}/stat").read_text().split()[13:15]
    written = (instance.run / "supervisor.json").stat().st_mtime_ns
    time.sleep(1)
    assert pathlib.Path(f"/proc/{instance.process.pid}/stat").read_text().split()[13:15] == before
    assert (instance.run / "supervisor.json").stat().st_mtime_ns == written
    assert len(children(instance.process.pid)) == 1
