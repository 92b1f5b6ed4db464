"""An appliance of its own for each test: a folder of rules, a configuration, a state file, and the agent to run on them.

FLYWHEEL_AGENT names the program; else it is the one in FLYWHEEL_BUILD, else in build/.
"""

import hashlib
import json
import os
import pathlib
import select
import sqlite3
import subprocess
import time

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("FLYWHEEL_BUILD", TOP / "build"))
AGENT = os.environ.get("FLYWHEEL_AGENT", str(BUILD / "bin" / "flywheel-agent"))
WAIT = 60  # seconds for what happens at once on a machine that has nothing else to do


def run_agent(*words, stdin=b"", env=None, timeout=300):
    """The finished process; its output as text."""
    if isinstance(stdin, str):
        stdin = stdin.encode()
    done = subprocess.run([AGENT, *map(str, words)], input=stdin, capture_output=True, timeout=timeout, check=False,
                          env={**os.environ, **(env or {})})
    done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode(errors="replace")
    return done


def json_lines(items):
    return "".join(json.dumps(item) + "\n" for item in items)


def eventually(what, seconds=WAIT):
    """What `what` gives once that is true."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "this did not happen in time"
        time.sleep(0.02)
    return found


def condition(field, operator, value):
    return {"field": field, "operator": operator, "value": value}


def rule(rule_id, *conditions, **members):
    """A rule as a dictionary; without conditions, one for the check type `firewall`."""
    made = {"id": rule_id, "name": rule_id, "conditions": list(conditions) or [condition("check_type", "eq", "firewall")],
            "action": "restore_firewall_baseline", "action_params": {"phases": ["remediate", "verify"]}}
    return {**made, **members}


class Rules:
    """A folder of rules; files are written as JSON, which is YAML too."""

    def __init__(self, path):
        self.path, self.promoted = path, path / "promoted"
        self.promoted.mkdir(parents=True)

    def put(self, name, content, promoted=False):
        """A file whose content is a rule, or a text; under its name at once, as a program installs it."""
        folder = self.promoted if promoted else self.path
        text = content if isinstance(content, (str, bytes)) else json.dumps(content)
        new = folder / f".{name}.new"
        new.write_bytes(text.encode() if isinstance(text, str) else text)
        new.rename(folder / name)
        return folder / name

    def add(self, *rules):
        """Each in a file of its own."""
        for one in rules:
            self.put(one["id"] + ".yaml", one)


class Appliance:
    """What one appliance has on its disk."""

    def __init__(self, folder, **settings):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.rules = Rules(folder / "rules")
        self.state, self.config = folder / "state.db", folder / "agent.conf"
        (folder / "token").write_text("fwa_test\n", encoding="ascii")
        (folder / "token").chmod(0o600)
        self.settings = {"server": "http://127.0.0.1:9", "site_id": "site-1", "appliance_id": "box-1",
                         "token_file": folder / "token", "rules_dir": self.rules.path, "state_file": self.state,
                         "server_public_key": folder / "rules.pub", "poll_seconds": 1}
        self.configure(**settings)

    def configure(self, **settings):
        """Writes the configuration with these members changed; None leaves one away."""
        self.settings.update(settings)
        lines = [f"{key} = {value}\n" for key, value in self.settings.items() if value is not None]
        self.config.write_text("".join(lines), encoding="utf-8")

    def run(self, word, **options):
        return run_agent(word, "--config", self.config, **options)

    def record(self, *executions):
        return self.run("record", stdin=json_lines(executions))

    def status(self):
        done = self.run("status")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def query(self, sql, *values):
        """Rows of the state file as dictionaries; writes too."""
        database = sqlite3.connect(self.state, timeout=20)
        database.row_factory = sqlite3.Row
        with database:
            found = [dict(row) for row in database.execute(sql, values)]
        database.close()
        return found

    def install(self, *rules):
        """Promoted rules as sync installs them: verified copies in the state file, and files."""
        self.status()
        texts = [(one["id"], json.dumps(one)) for one in rules]
        with sqlite3.connect(self.state, timeout=20) as database:
            database.executemany("INSERT INTO installed (rule_id, version, digest, pattern_signature, yaml, installed_at) "
                                 "VALUES (?, 2, ?, 'sig', ?, 1795348800000000)",
                                 [(rule_id, hashlib.sha256(text.encode()).hexdigest(), text.encode()) for rule_id, text in texts])
            database.execute("INSERT OR IGNORE INTO meta VALUES ('revision', 1)")
        database.close()
        return [self.rules.put(rule_id + ".yaml", text, promoted=True) for rule_id, text in texts]

    def match(self, *incidents, state=False, cooldown=True):
        """(answers, what was told) of one run of match."""
        words = ["--rules", self.rules.path, *(["--state", self.state] if state else []), *([] if cooldown else ["--no-cooldown"])]
        done = run_agent("match", *words, stdin=json_lines(incidents))
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()], done.stderr

    def rule_ids(self, *incidents, **options):
        """Which rule acts on each."""
        return [answer["rule_id"] for answer in self.match(*incidents, **options)[0]]


class Running:
    """The agent while it runs: `match` answers a line at a time."""

    def __init__(self, *words, program=AGENT, **options):
        self.process = subprocess.Popen([program, *map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, bufsize=0, **options)
        self._output, self._told = b"", b""
        os.set_blocking(self.process.stderr.fileno(), False)

    def ask(self, incident):
        """The answer to one incident."""
        self.process.stdin.write(json_lines([incident]).encode())
        end = time.monotonic() + WAIT
        while b"\n" not in self._output:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            assert ready, "no answer in time"
            got = os.read(self.process.stdout.fileno(), 65536)
            assert got, "the agent has ended: " + self.told()
            self._output += got
        line, _, self._output = self._output.partition(b"\n")
        return json.loads(line)

    def told(self):
        """What it has written to standard error so far."""
        while got := self.process.stderr.read(65536):
            self._told += got
        return self._told.decode(errors="replace")

    def end(self):
        """Closes its input; the exit status."""
        self.process.stdin.close()
        return self.process.wait(timeout=WAIT)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(timeout=WAIT)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()


@pytest.fixture
def appliance(tmp_path):
    return Appliance(tmp_path / "appliance")


@pytest.fixture
def start():
    """start(WORD…): the agent running beside the test, killed at its end."""
    started = []

    def begin(*words, **options):
        started.append(Running(*words, **options))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
