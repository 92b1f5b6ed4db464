"""The agent is killed at every step of a sync (kill_at.c), and never leaves anything but the old or the new.

A step is a call that changes something outside of the process. After each kill the files in promoted/ are whole, `match`
works with what is there, and the next sync that is left alone ends where it would have ended without the kill: the right
rules, the server told, every execution counted once."""

import contextlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from box import healed, incident_of, lines
from house.world import signature

SOURCE = Path(__file__).with_name("kill_at.c")
SAMPLE = 33  # about so many steps of each kind of sync that are about the state file, unless all are wanted


@pytest.fixture(scope="session")
def shim(tmp_path_factory):
    """The library that counts and kills."""
    library = tmp_path_factory.mktemp("shim") / "kill_at.so"
    subprocess.run(["cc", "-std=gnu17", "-D_GNU_SOURCE", "-O1", "-Wall", "-Wextra", "-Wshadow", "-Werror", "-shared", "-fPIC",
                    "-o", library, SOURCE], check=True)
    return library


class Patient:
    """An appliance with two rules: one that changes, and one that nothing may ever happen to."""

    def __init__(self, clinic, deliveries, database, shim):
        self.box, self.deliveries, self.database, self.shim = clinic.boxes[0], deliveries, database, shim
        self.site_id, self.changing, self.standing = clinic.site_id, clinic.new_rule(), clinic.new_rule()
        self.counted, self.recorded = signature(), 0
        self.log = self.box.folder.with_suffix(".steps")
        self.box.sync()

    def heal_once(self):
        """One more execution in the queue, and one more in a pattern's counters."""
        self.box.record(healed(incident_of("windows_service"), pattern_signature=self.counted))
        self.recorded += 1

    def under(self, *arguments, text="", **environment):
        """A command of the agent with the shim before it."""
        self.log.unlink(missing_ok=True)
        return self.box.command(*arguments, "--config", self.box.config, text=text, LD_PRELOAD=str(self.shim),
                                KILL_LOG=str(self.log), **environment)

    def sync_under(self, **environment):
        return self.under("sync", **environment)

    def steps(self):
        return self.log.read_text(encoding="utf-8").splitlines()

    def killed_at(self, step, half, command, text=""):
        """Whether it was: towards its end a command may need fewer steps than when they were counted."""
        done = self.under(command, text=text, KILL_AT=str(step), **({"KILL_HALF": "1"} if half else {}))
        assert done.returncode in (0, -signal.SIGKILL), f"it ended with {done.returncode}: {done.stderr}"
        return done.returncode != 0

    def check_whole(self, old, new):
        """`old` and `new` are the changing rule's text before and after; None where there was or is no rule."""
        files = self.box.files()
        assert files.pop(self.standing.rule_id) == self.standing.yaml
        assert files.pop(self.changing.rule_id, None) in (old, new)
        assert files == {}
        answers = self.box.match(self.standing.incident, self.changing.incident)
        assert answers[0]["rule_id"] == self.standing.rule_id
        assert answers[1]["rule_id"] in {self.changing.rule_id if text else None for text in (old, new)}

    def check_done(self, new):
        """Everything is as after a sync that was never disturbed."""
        wanted = {self.standing.rule_id: self.standing.yaml, **({self.changing.rule_id: new} if new else {})}
        status, told = self.box.status(), self.deliveries.at(self.box.appliance_id)
        assert self.box.files() == wanted and set(self.box.installed()) == set(wanted)
        assert not [file.name for file in self.box.promoted.iterdir() if file.suffix != ".yaml"], "something was left lying"
        assert (status["queue_length"], status["dropped_executions"], status["last_error"]) == (0, 0, None)
        assert status["revision"] == status["acknowledged_revision"] == told["acknowledged_revision"]
        assert told["acknowledged_revision"] == self.deliveries.revision(self.site_id) and told["last_error"] is None
        delivered = self.deliveries.of(self.site_id, self.changing.rule_id)[self.box.appliance_id]
        assert delivered == ("applied" if new else "removed")
        self.check_counts()

    def check_counts(self):
        executions = self.database.row("SELECT count(*) AS n, count(DISTINCT execution_id) AS ids FROM execution_telemetry "
                                       "WHERE site_id = %s", self.site_id)
        assert executions["n"] == executions["ids"] == self.recorded
        if not self.recorded:
            return
        counted = self.database.rows("SELECT total_occurrences, l2_resolutions, success_count FROM appliance_pattern_stats "
                                     "WHERE appliance_id = %s AND pattern_signature = %s", self.box.appliance_id, self.counted)
        assert [tuple(row.values()) for row in counted] == [(self.recorded,) * 3]


@pytest.fixture
def patient(clinic, deliveries, database, shim):
    return Patient(clinic, deliveries, database, shim)


# What each kind of sync finds on the server; each gives the changing rule's text before and after.


def install(patient):
    patient.changing.make("disabled")
    patient.box.sync()
    patient.changing.make("active")
    return None, patient.changing.yaml


def replace(patient):
    old = patient.changing.yaml
    patient.changing.renew()
    return old, patient.changing.yaml


def remove(patient):
    patient.changing.make("active")
    patient.box.sync()
    patient.changing.make("disabled")
    return patient.changing.yaml, None


def chosen(steps, everything):
    """The numbers of the steps to be killed at: all, or a sample that holds every one that is not about the state file."""
    numbers = range(1, len(steps) + 1)
    if everything or len(steps) <= SAMPLE:
        return list(numbers)
    apart = {number for number in numbers if ".db" not in steps[number - 1]}
    stride = max(1, len(steps) // SAMPLE)
    first = 1 + int(os.environ.get("FLYWHEEL_SEED") or 1) % stride
    return sorted(apart | set(range(first, len(steps) + 1, stride)))


@pytest.mark.parametrize("prepare", [install, replace, remove], ids=lambda prepare: f"a_sync_that_{prepare.__name__}s")
def test_killed_at_any_step_of(patient, prepare, everything):
    _, new = prepare(patient)
    patient.heal_once()
    assert patient.sync_under().returncode == 0
    patient.check_done(new)
    steps = patient.steps()
    assert {step.split()[0] for step in steps} >= {"open", "write", "connect", "send"}, steps

    killed = 0
    for number, half in kills(steps, everything):
        old, new = prepare(patient)
        patient.heal_once()
        killed += patient.killed_at(number, half, "sync")
        with at_step(patient, number, half):
            patient.check_whole(old, new)
            patient.box.sync()
            patient.check_done(new)
    assert killed >= 0.9 * min(len(steps), SAMPLE), f"only {killed} of {len(steps)} steps were killed at"


def test_killed_at_any_step_of_its_first_sync(patient, everything):
    """With an empty disk: neither a state file nor a folder for the rules is there yet."""
    new = patient.changing.yaml
    empty_disk(patient.box)
    assert patient.sync_under().returncode == 0
    patient.check_done(new)
    steps = patient.steps()
    for number, half in kills(steps, everything):
        empty_disk(patient.box)
        patient.killed_at(number, half, "sync")
        with at_step(patient, number, half):
            assert set(patient.box.files().values()) <= {patient.standing.yaml, new}
            patient.box.match(patient.standing.incident)
            patient.box.sync()
            patient.check_done(new)


def test_killed_at_any_step_of_recording(patient, everything):
    """The healer cannot know how far it came and hands the same executions over again."""
    def three():
        patient.recorded += 3
        return [healed(incident_of("windows_service"), pattern_signature=patient.counted) for _ in range(3)]

    assert patient.under("record", text=lines(three())).returncode == 0
    for number, half in kills(patient.steps(), everything):
        executions = three()
        patient.killed_at(number, half, "record", text=lines(executions))
        with at_step(patient, number, half):
            patient.box.record(*executions)
            assert patient.box.status()["queue_length"] == patient.recorded
    patient.box.sync()
    patient.check_counts()


def empty_disk(box):
    for file in box.folder.glob("state.db*"):
        file.unlink()
    shutil.rmtree(box.promoted, ignore_errors=True)


def kills(steps, everything):
    """(number, whether in its middle) of each step to be killed at."""
    return [(number, half) for number in chosen(steps, everything)
            for half in ((False, True) if everything else (number % 2 == 0,))]


@contextlib.contextmanager
def at_step(patient, number, half):
    """Says of a failure after which step it was."""
    try:
        yield
    except AssertionError as error:
        pytest.fail(f"killed {'in' if half else 'before'} step {number}, {patient.steps()[-1]!r}: {error}")
