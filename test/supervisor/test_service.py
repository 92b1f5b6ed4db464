"""The supervisor as a service: sockets that it is handed, what it tells systemd, a log that is opened anew."""
import os
import shutil
import signal
import socket
import subprocess

import pytest
from test_supervisor import PROGRAM, Instance, eventually


@pytest.fixture(name="instance")
def fixture_instance(tmp_path):
    instance = Instance(tmp_path)
    yield instance
    instance.stop()


def start_with(instance, sockets, environment=(), options=()):
    """Starts the supervisor with listening sockets from descriptor 3 on, as systemd does."""

    def hand_over():
        for number, listener in enumerate(sockets):
            os.dup2(listener.fileno(), 3 + number, inheritable=True)
        os.environ.update({"LISTEN_FDS": str(len(sockets)), "LISTEN_PID": str(os.getpid()), **dict(environment)})
        words = [PROGRAM, "--handlers", instance.handlers, "--sockets", instance.run, "--run", instance.run]
        words += ["--config", instance.folder / "flywheel.conf", "--settle", "100", *options]
        os.dup2(instance.log.fileno(), 2)
        os.execv(PROGRAM, [str(word) for word in words])

    instance.process = subprocess.Popen(["/bin/false"], preexec_fn=hand_over, close_fds=False)


def listener_at(path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(100)
    return listener


def test_a_socket_that_was_handed_over_is_used_and_outlives_the_supervisor(instance):
    path = instance.run / "echo.sock"
    stranger = listener_at(instance.folder / "other.sock")
    with listener_at(path) as listener, stranger:
        inode = path.stat().st_ino
        instance.put()
        start_with(instance, [stranger, listener])
        eventually(lambda: instance.serves("one"))
        assert "one" in instance.ask()
        assert instance.stop() == 0
        assert path.stat().st_ino == inode
        with socket.socket(socket.AF_UNIX) as waiting:  # nobody serves: it waits in the queue
            waiting.settimeout(20)
            waiting.connect(str(path))
            waiting.sendall(b"patient\n")
            start_with(instance, [stranger, listener])
            assert "one" in waiting.recv(200).decode()


def test_a_program_without_a_socket_of_its_own_gets_one(instance):
    with listener_at(instance.run / "echo.sock") as listener:
        instance.put("echo")
        instance.put("other")
        start_with(instance, [listener])
        eventually(lambda: instance.serves("one", "echo") and instance.serves("one", "other"))
        assert "one" in instance.ask(name="other")
        instance.stop()
        assert (instance.run / "echo.sock").exists() and not (instance.run / "other.sock").exists()


def test_sockets_meant_for_another_process_are_left_alone(instance):
    with listener_at(instance.run / "echo.sock") as listener:
        inode = (instance.run / "echo.sock").stat().st_ino
        instance.put()
        start_with(instance, [listener], {"LISTEN_PID": "1"})
        eventually(lambda: instance.serves("one"))
        assert (instance.run / "echo.sock").stat().st_ino != inode


def test_systemd_is_told_when_everything_serves_and_the_handlers_cannot_speak_in_its_name(instance):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(instance.folder / "notify"))
        systemd.settimeout(10)
        instance.put()
        instance.put("bad", start="fail")
        start_with(instance, [], {"NOTIFY_SOCKET": str(instance.folder / "notify")})
        assert systemd.recv(100) == b"READY=1"
        state = instance.serves("one")
        assert state
        with open(f"/proc/{state['pid']}/environ", "rb") as environment:
            assert b"NOTIFY_SOCKET" not in environment.read()
        instance.process.terminate()
        assert systemd.recv(100) == b"STOPPING=1"


@pytest.mark.skipif(not shutil.which("systemd-socket-activate"), reason="systemd is not installed")
def test_systemd_itself_can_hand_the_socket_over(instance):
    instance.put()
    path = instance.run / "echo.sock"
    instance.process = subprocess.Popen(
        ["systemd-socket-activate", "-l", path, PROGRAM, "--handlers", instance.handlers, "--sockets", instance.run]
        + ["--run", instance.run, "--config", instance.folder / "flywheel.conf"],
        stderr=instance.log,
    )
    eventually(path.exists)
    inode = path.stat().st_ino

    def answered():
        try:
            return instance.ask()
        except ConnectionRefusedError:
            return None  # bound, but not listening yet

    assert "one" in eventually(answered)
    eventually(lambda: instance.serves("one"))
    assert path.stat().st_ino == inode


def test_the_log_is_opened_anew_by_the_supervisor_and_every_handler(instance):
    log = instance.folder / "handlers.log"
    instance.put()
    instance.start("--log", str(log))
    old = eventually(lambda: instance.serves("one"))["pid"]
    moved = log.rename(instance.folder / "handlers.log.1")
    instance.process.send_signal(signal.SIGUSR1)
    eventually(lambda: instance.serves("one") and instance.serves("one")["pid"] != old)
    assert "program-started" in moved.read_text() and "program-serves" in log.read_text()
    new = instance.serves("one")["pid"]
    assert os.readlink(f"/proc/{new}/fd/2") == str(log)
    assert os.readlink(f"/proc/{instance.process.pid}/fd/2") == str(log)
