"""The processes of an instance, to be ended, frozen, starved and started again; only those that belong to it."""

import contextlib
import os
import random
import secrets
import signal
import subprocess
import time
from pathlib import Path

from psycopg2 import extensions

TOP = Path(__file__).resolve().parents[2]
RUN_BY_HAND = """set -euo pipefail
. {top}/deploy/lib/common.sh
for part in instance build postgres mount servers; do . {top}/deploy/lib/$part.sh; done
instance_locate {folder}
"""


def soon():
    """The five seconds within which everything goes on; as much more as others keep the processors busy."""
    return 5 * max(1, os.getloadavg()[0] / os.cpu_count())


def wait_until(seconds, condition, what):
    """Looks again and again; what the condition gave in the end."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds:.1f} s: {what}"
        time.sleep(0.05)


def fields(pid):
    """(name, state, parent) of a process; None when there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return None
    name, _, rest = text.partition("(")[2].rpartition(")")
    state, parent = rest.split()[:2]
    return name, state, int(parent)


def children(pid):
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            process = fields(entry.name)
            if process is not None and process[2] == pid and process[1] != "Z":
                found[int(entry.name)] = process[0]
    return found


def command_line(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
    except OSError:
        return ""


def send(pid, number):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


class Machine:
    def __init__(self, folder, quickstart):
        self.folder = folder
        self.instance = Path(quickstart["instance_dir"])
        self.sockets = Path(extensions.parse_dsn(quickstart["database_url"])["host"])
        self.seed = int(os.environ.get("FLYWHEEL_SEED") or secrets.randbelow(1_000_000))
        self.random = random.Random(self.seed)

    def by_hand(self, *lines, **environment):
        """Runs lines of shell with deploy's own functions, as whoever keeps the servers running would."""
        script = RUN_BY_HAND.format(top=TOP, folder=self.folder) + "\n".join(lines)
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=120, check=False,
                              env={**os.environ, **environment})
        assert done.returncode == 0, done.stderr
        return done.stdout

    # ---- handlers ----

    def supervisor(self):
        return int((self.instance / "run" / "supervisor.pid").read_text().split()[0])

    def handlers(self):
        """pid → program of those that run."""
        return {pid: Path(command_line(pid).split(" ")[0]).name for pid in children(self.supervisor())}

    def handler(self, program):
        found = [pid for pid, name in self.handlers().items() if name == program]
        return found[0] if found else None

    def descriptors(self):
        """(program, open descriptors, threads) of each handler."""
        found = {}
        for pid, program in self.handlers().items():
            with contextlib.suppress(OSError):
                found[program] = (len(os.listdir(f"/proc/{pid}/fd")), len(os.listdir(f"/proc/{pid}/task")))
        return found

    # ---- PostgreSQL ----

    def postmaster(self):
        return int((self.instance / "pg" / "postmaster.pid").read_text().split()[0])

    def postmaster_that_answers(self):
        """None while it recovers, or while a dead one's successor is not there yet."""
        asked = subprocess.run(["/usr/bin/pg_isready", "--quiet", "--host", self.sockets], check=False)
        return self.postmaster() if asked.returncode == 0 else None

    def backends(self):
        """The processes that serve handlers."""
        return [pid for pid in children(self.postmaster()) if command_line(pid).startswith("postgres: flywheel_")]

    def start_postgres(self):
        """What `quickstart` does when it is stopped."""
        self.by_hand("pg_start")

    def start_postgres_with(self, **environment):
        """The same, with something in its environment."""
        words = " ".join(f"{name}={value}" for name, value in environment.items())
        self.by_hand(f'as_server env {words} "$(pg_programs)/pg_ctl" start --silent --wait --timeout 60 '
                     '--pgdata "$instance/pg" --log "$instance/log/postgresql.log" >/dev/null')

    def stop_postgres(self):
        self.by_hand("pg_stop")

    def restart_postgres(self):
        self.by_hand('as_server "$(pg_programs)/pg_ctl" restart --silent --wait --timeout 60 --mode fast '
                     '--pgdata "$instance/pg" --log "$instance/log/postgresql.log" >/dev/null')

    @contextlib.contextmanager
    def postgres_is_away(self):
        self.stop_postgres()
        try:
            yield
        finally:
            self.start_postgres()

    @contextlib.contextmanager
    def postgres_is_frozen(self):
        """It is there and says nothing, as on a machine that has stopped answering."""
        postmaster = self.postmaster()
        frozen = [postmaster, *children(postmaster)]
        for pid in frozen:
            send(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in frozen:
                send(pid, signal.SIGCONT)

    def pause(self, shortest, longest):
        time.sleep(self.random.uniform(shortest, longest))
