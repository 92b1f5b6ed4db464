"""Stands in for systemd where that is not process 1: does what the installed units say, as far as they are told apart here.

usage: run_units.py UNIT_FOLDER STATUS_FILE LOG_FILE

Makes the sockets of flywheel.socket and keeps them, starts flywheel.service (Type=notify, LISTEN_FDS) and
flywheel-nginx.service as their users, and writes "ready" into STATUS_FILE. SIGUSR1 restarts flywheel.service as
`systemctl restart` would; SIGTERM stops everything.
"""
import grp
import os
import pwd
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time

FOLDER, STATUS, LOG = sys.argv[1:]
FIRST = 3


def unit(name):
    """{key: [value…]} of a unit."""
    found = {}
    for line in open(os.path.join(FOLDER, name), encoding="utf-8"):
        key, separator, value = line.strip().partition("=")
        if separator and not key.startswith(("#", "[")):
            found.setdefault(key, []).append(value)
    return found


def become(told):
    """The unit's user, groups and mask, when this is root."""
    os.umask(int(told.get("UMask", ["0022"])[0], 8))
    if os.getuid() != 0:
        return
    user = pwd.getpwnam(told["User"][0])
    os.setgroups([grp.getgrnam(name).gr_gid for name in told.get("SupplementaryGroups", [])])
    os.setgid(grp.getgrnam(told["Group"][0]).gr_gid)
    os.setuid(user.pw_uid)


def make_sockets(told):
    sockets = []
    for path in told["ListenStream"]:
        if os.path.exists(path):
            os.unlink(path)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        os.chmod(path, int(told["SocketMode"][0], 8))
        if os.getuid() == 0:
            os.chown(path, pwd.getpwnam(told["SocketUser"][0]).pw_uid, grp.getgrnam(told["SocketGroup"][0]).gr_gid)
        listener.listen(int(told["Backlog"][0]))
        sockets.append(listener)
    return sockets


def start_notify(told, sockets):
    """Starts a unit of Type=notify with the sockets, and waits for its READY=1."""
    place = tempfile.mkdtemp()
    os.chmod(place, 0o755)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(place + "/notify")
    os.chmod(place + "/notify", 0o666)
    words = shlex.split(told["ExecStart"][0])
    pid = os.fork()
    if pid == 0:
        kept = [os.dup2(os.dup(s.fileno()), 200 + i) for i, s in enumerate(sockets)]
        log = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(log, 1)
        os.dup2(log, 2)
        for i, fd in enumerate(kept):
            os.dup2(fd, FIRST + i, inheritable=True)
        os.closerange(FIRST + len(kept), 256)
        become(told)
        environment = {"PATH": "/usr/bin:/bin", "NOTIFY_SOCKET": place + "/notify"}
        environment.update(LISTEN_FDS=str(len(kept)), LISTEN_PID=str(os.getpid()))
        os.execve(words[0], words, environment)
    listener.settimeout(float(told["TimeoutStartSec"][0]))
    while b"READY=1" not in listener.recv(4096):
        pass
    return pid


def stop(pid, number, seconds=45):
    os.kill(pid, number)
    for _ in range(seconds * 20):
        if os.waitpid(pid, os.WNOHANG)[0]:
            return
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def start_nginx(told):
    for words in (*told["ExecStartPre"],):
        subprocess.run(shlex.split(words), check=True, preexec_fn=lambda: become(told))
    return subprocess.Popen(shlex.split(told["ExecStart"][0]), preexec_fn=lambda: become(told)).pid


def main():
    wanted = {signal.SIGUSR1, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
    service, front = unit("flywheel.service"), unit("flywheel-nginx.service")
    sockets = make_sockets(unit("flywheel.socket"))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, wanted)
    state = {}

    def restart(_number, _frame):
        stop(state["supervisor"], signal.SIGTERM)
        state["supervisor"] = start_notify(service, sockets)
        tell("restarted")

    def end(_number, _frame):
        if "nginx" in state:
            stop(state["nginx"], getattr(signal, front["KillSignal"][0]), 10)
        stop(state["supervisor"], signal.SIGTERM)
        for path in unit("flywheel.socket")["ListenStream"]:
            os.unlink(path)
        sys.exit(0)

    def tell(text):
        with open(STATUS + ".new", "w", encoding="utf-8") as out:
            out.write(f"{text} {state['supervisor']} {state['nginx']}\n")
        os.rename(STATUS + ".new", STATUS)

    state["supervisor"] = start_notify(service, sockets)
    state["nginx"] = start_nginx(front)
    signal.signal(signal.SIGUSR1, restart)
    signal.signal(signal.SIGTERM, end)
    tell("ready")
    while True:
        signal.pause()


main()
