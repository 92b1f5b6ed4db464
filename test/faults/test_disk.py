"""A full disk: the database's is 503 for what needs room and nothing for what does not; a log's stops nobody."""

import contextlib
import os
import subprocess
from pathlib import Path

import pytest

from crowd import new_candidates, nothing_is_half
from house.client import LEARNING, expect
from house.world import execution, expect_accepted
from machine import soon, wait_until

SOURCE = Path(__file__).with_name("full_disk.c")


@pytest.fixture(scope="module")
def disk(machine):
    """A function that gives a context in which the database's disk is full."""
    library, full = machine.instance / "tmp" / "full_disk.so", machine.instance / "tmp" / "disk-is-full"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, SOURCE, "-ldl"], check=True)
    library.chmod(0o755)
    machine.stop_postgres()
    machine.start_postgres_with(LD_PRELOAD=library, FULL_DISK=full)

    @contextlib.contextmanager
    def is_full():
        full.touch()
        try:
            yield
        finally:
            full.unlink()

    yield is_full
    machine.stop_postgres()
    machine.start_postgres()


def test_p37_a_full_disk_of_the_database_is_503_and_later_it_works(server, partner, database, machine, disk):
    candidates = new_candidates(partner, 20)
    appliance = partner.main.appliances[0]
    reports = [[execution(error_message="x" * 1500) for _ in range(100)] for _ in range(6)]
    log = machine.instance / "log" / "postgresql.log"
    wait_until(10, lambda: partner.api.get(LEARNING + "/stats").status == 200, "it serves")
    before = log.stat().st_size
    with disk():
        refused = [appliance.report(*batch) for batch in reports]
        decided = [partner.api.approve(candidate).status for candidate in candidates]
        assert partner.api.get(LEARNING + "/stats").status == 200, "reading needs no room"
        assert partner.api.get(LEARNING + "/candidates").status == 200
    assert {answer.status for answer in refused} <= {200, 201, 503}
    assert 503 in {answer.status for answer in refused}, "600 executions of 1.5 kB had room on a full disk"
    assert set(decided) <= {200, 503}
    assert "No space left on device" in log.read_text(errors="replace")[before:]
    nothing_is_half(database)
    wait_until(soon(), lambda: server and partner.api.get("/readyz").status == 200, "serving goes on by itself")
    for batch in reports:
        expect_accepted(appliance.report(*batch))
    for candidate, status in zip(candidates, decided):
        assert partner.api.approve(candidate).status == (409 if status == 200 else 200)
    assert partner.api.history()["total"] == 600
    nothing_is_half(database)


@pytest.fixture
def full_log_disk(machine):
    """Every log of the handlers, the supervisor and nginx goes to a device that takes nothing."""
    folder = machine.instance / "log"
    names = ["handlers.log", "nginx-access.log", "nginx-error.log"]
    restart = ["! pid=$(supervisor_pid) || stop_process \"$pid\" 45 TERM", "supervisor_start", "handlers_wait",
               "kill -USR1 \"$(nginx_pid)\""]
    for name in names:
        if (folder / name).exists():
            os.rename(folder / name, folder / (name + ".aside"))
        os.symlink("/dev/full", folder / name)
    try:
        machine.by_hand(*restart)
        yield
    finally:
        for name in names:
            os.unlink(folder / name)
            if (folder / (name + ".aside")).exists():
                os.rename(folder / (name + ".aside"), folder / name)
        machine.by_hand(*restart)


def test_a_full_disk_of_the_logs_stops_nobody(partner, machine, full_log_disk):
    before = machine.handlers()
    for candidate in new_candidates(partner, 20):
        rule = expect(200, partner.api.approve(candidate))
        expect(200, partner.api.set_status(rule["rule_id"], "disabled"))
        expect(200, partner.api.get(f"{LEARNING}/candidates/{candidate}"))
        expect(400, partner.api.get(LEARNING + "/candidates", limit="no"))
    expect_accepted(partner.main.appliances[0].report(execution()))
    assert (machine.instance / "log" / "handlers.log").is_symlink(), "the log went to the full device all the time"
    assert machine.handlers() == before


@pytest.fixture
def no_room_for_bodies(machine):
    """nginx cannot put aside what is too large for its memory."""
    folder = machine.instance / "tmp" / "nginx-body"
    mode = folder.stat().st_mode
    folder.chmod(0o500)
    try:
        yield
    finally:
        folder.chmod(mode)


def test_a_full_disk_of_nginx_is_503_and_later_it_works(partner, machine, no_room_for_bodies):
    appliance, reports = partner.main.appliances[0], [execution(error_message="x" * 1500) for _ in range(200)]
    refused = expect(503, appliance.report(*reports))
    assert refused["type"] == "urn:flywheel:problem:unavailable"
    expect_accepted(appliance.report(*reports[:10]))
    (machine.instance / "tmp" / "nginx-body").chmod(0o700)
    expect_accepted(appliance.report(*reports))
