"""The files in promoted/: whole or not at all, put right when somebody changed them, and finished later when they cannot be
written now."""

import os
import shutil
import subprocess

import pytest

from conftest import eventually, rule
from linked import Linked, box, server  # noqa: F401  (fixtures)

A, B = "L1-PROMOTED-A", "L1-PROMOTED-B"
FIREWALL = {"check_type": "firewall"}

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")


@pytest.fixture
def settled(box, server):
    server.put(A)
    box.sync()
    box.sync()
    server.forget()
    return box


# ---- changed by somebody else ----------------------------------------------------------------------------------------

def test_P25_an_edited_file_is_put_back_and_told(settled, server):
    path = settled.rules.promoted / f"{A}.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("firewall", "everything"), encoding="utf-8")
    done = settled.sync()
    assert settled.has(A) and f"{A}.yaml: this file was changed" in done.stderr
    [ack] = server.acks
    assert [error["file"] for error in ack["engine_errors"]] == [f"{A}.yaml"] and "changed" in ack["engine_errors"][0]["error"]
    settled.sync()
    assert len(server.acks) == 1, "told once"


def test_P25_what_was_wrong_is_told_even_when_the_server_is_away_at_the_time(settled, server):
    path = settled.rules.promoted / f"{A}.yaml"
    path.write_text("", encoding="utf-8")
    address = settled.settings["server"]
    settled.configure(server="http://127.0.0.1:9")
    settled.sync_fails("no answer")
    assert settled.has(A), "put right without the server"
    settled.configure(server=address)
    settled.sync()
    assert [error["file"] for error in server.acks[-1]["engine_errors"]] == [f"{A}.yaml"]


def test_a_deleted_file_is_put_back_and_told(settled, server):
    (settled.rules.promoted / f"{A}.yaml").unlink()
    settled.sync()
    assert settled.has(A) and "missing" in server.acks[-1]["engine_errors"][0]["error"]


def test_a_deleted_folder_is_made_again(settled, server):
    shutil.rmtree(settled.rules.promoted)
    settled.sync()
    assert settled.has(A) and "missing" in server.acks[-1]["engine_errors"][0]["error"]


def test_P25_a_file_that_the_server_did_not_send_is_set_aside_and_told(settled, server):
    settled.rules.put("L1-PROMOTED-Z.yaml", rule("L1-PROMOTED-Z"), promoted=True)
    settled.rules.put("other.yml", rule("OTHER"), promoted=True)
    settled.rules.put(f"{A}.yml", rule(A), promoted=True)
    settled.sync()
    assert settled.has(A)
    assert {path.name for path in settled.rules.promoted.iterdir()} == {
        f"{A}.yaml", "L1-PROMOTED-Z.yaml.set-aside", "other.yml.set-aside", f"{A}.yml.set-aside"}
    assert {error["file"] for error in server.acks[-1]["engine_errors"]} == {"L1-PROMOTED-Z.yaml", "other.yml", f"{A}.yml"}


def test_names_that_are_no_text_can_be_told(settled, server):
    for folder in (settled.rules.promoted, settled.rules.path):
        with open(bytes(folder) + b"/caf\xe9\n\x1b[31m.yaml", "wb") as file:
            file.write(b"id: [")
    done = settled.sync()
    assert "\x1b" not in done.stderr
    errors = server.acks[-1]["engine_errors"]
    assert len(errors) == 2 and all("caf\ufffd" in error["file"] for error in errors)
    assert settled.status()["last_error"] is None


def test_links_and_folders_in_place_of_files(settled, server, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("not to be touched", encoding="utf-8")
    path = settled.rules.promoted / f"{A}.yaml"
    path.unlink()
    path.symlink_to(victim)
    (settled.rules.promoted / "link.yaml").symlink_to(victim)
    (settled.rules.promoted / ".installing").symlink_to(victim)
    settled.sync()
    assert settled.has(A) and not path.is_symlink()
    assert victim.read_text(encoding="utf-8") == "not to be touched"
    path.unlink()
    path.mkdir()
    settled.sync_fails("cannot write")
    assert server.acks[-1]["applied"] == [] and server.acks[-1]["failed"][0]["rule_id"] == A
    path.rmdir()
    settled.sync()
    assert settled.has(A) and server.acks[-1]["applied"] == [A]


def test_other_files_are_never_touched(settled, server):
    settled.rules.put("own.yaml", rule("OWN"))
    before = {}
    for folder, name in ((settled.rules.path, "own.yaml"), (settled.rules.path, "notes.txt"), (settled.rules.promoted, "README"),
                         (settled.rules.promoted, ".hidden.yaml")):
        path = folder / name
        if not path.exists():
            path.write_text("mine", encoding="utf-8")
        before[path] = (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino)
    server.put(B)
    settled.sync()
    server.withdraw(A)
    settled.sync()
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) for path in before} == before


def test_P32_an_operators_broken_file_is_told_until_it_is_mended(settled, server):
    settled.rules.put("broken.yaml", "id: [")
    settled.rules.put("fine.yaml", rule("FINE"))
    settled.sync()
    assert [error["file"].rsplit("/", 1)[1] for error in server.acks[-1]["engine_errors"]] == ["broken.yaml"]
    settled.sync()
    assert len(server.acks) == 1
    settled.rules.put("broken.yaml", rule("MENDED"))
    settled.sync()
    assert server.acks[-1]["engine_errors"] == []


def test_an_operators_rule_with_the_same_id_comes_first_until_it_is_gone(settled, server):
    settled.rules.put("own.yaml", rule(A, action="escalate"))
    server.put(B, check_type="backup")
    settled.sync_fails("a file of the operator has a rule with the id L1-PROMOTED-A")
    assert settled.files.keys() == {f"{B}.yaml"}
    assert server.acks[-1]["applied"] == [B] and [failed["rule_id"] for failed in server.acks[-1]["failed"]] == [A]
    assert settled.match(FIREWALL, state=True)[0][0]["action"] == "escalate"
    count = len(server.acks)
    settled.sync_fails("comes first")
    assert len(server.acks) == count, "told once"
    (settled.rules.path / "own.yaml").unlink()
    settled.sync()
    assert settled.has(A, B) and server.acks[-1]["failed"] == [] and server.acks[-1]["applied"] == [A, B]
    assert server.acks[-1]["engine_errors"] == []


def test_P21_a_withdrawn_rule_that_a_file_of_the_operator_keeps_in_force_is_not_gone(settled, server):
    """Such as one that an agent from before has written there."""
    old = settled.rules.put(f"{A}.yaml", server.rules[A]["yaml"])
    settled.sync_fails("comes first")
    server.withdraw(A)
    settled.sync_fails(f"rule {A} was withdrawn; a file of the operator has its id")
    assert [failed["rule_id"] for failed in server.acks[-1]["failed"]] == [A] and server.acks[-1]["removed"] == []
    assert settled.match(FIREWALL, state=True)[0][0]["rule_id"] == A
    count = len(server.acks)
    settled.sync_fails("stays in force")
    assert len(server.acks) == count, "told once"
    old.unlink()
    settled.sync()
    assert server.acks[-1]["removed"] == [A] and server.acks[-1]["failed"] == []
    assert settled.match(FIREWALL, state=True)[0][0]["rule_id"] is None


# ---- nowhere to write ------------------------------------------------------------------------------------------------

@pytest.fixture
def mounted(tmp_path):
    """mounted(PATH, OPTIONS): a small file system there, until the test ends."""
    paths = []

    def mount(path, options):
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)], capture_output=True, check=False)
        if done.returncode != 0:
            pytest.skip("mounting is not possible here: " + done.stderr.decode())
        paths.append(path)

    yield mount
    for path in reversed(paths):
        subprocess.run(["umount", "-l", str(path)], check=False)


def remount(path, options):
    subprocess.run(["mount", "-o", f"remount,{options}", str(path)], check=True)


@as_root
def test_a_full_disk_leaves_the_old_rules_and_the_next_sync_finishes(box, server, mounted):
    mounted(box.rules.promoted, "size=64k")
    server.put(A)
    box.sync()
    old = box.files[f"{A}.yaml"]
    (box.rules.promoted / "ballast").write_bytes(b"x" * 56 * 1024)
    for turn in range(12):
        server.put(f"L1-PROMOTED-N{turn:02}", description="y" * 6000)
    server.put(A, priority=3)
    server.forget()
    box.sync_fails("No space left on device")
    files = box.files
    assert files[f"{A}.yaml"] in (old, server.rules[A]["yaml"])
    assert all(files[name] == server.rules[name[:-5]]["yaml"] for name in files if name != f"{A}.yaml"), "no file in part"
    ack = server.acks[-1]
    assert {name[:-5] for name in files} == set(ack["applied"]), "only what is on the disk is called installed"
    assert ack["failed"] and all("No space left" in failed["error"] for failed in ack["failed"])
    assert {failed["rule_id"] for failed in ack["failed"]} | set(ack["applied"]) == set(server.rules)
    (box.rules.promoted / "ballast").unlink()
    remount(box.rules.promoted, "size=1m")
    box.sync()
    assert box.has(*server.rules)
    assert sorted(server.acks[-1]["applied"]) == sorted(server.rules) and server.acks[-1]["failed"] == []
    assert not (box.rules.promoted / ".installing").exists()


@as_root
def test_a_folder_that_cannot_be_written_leaves_the_old_rules_and_the_next_sync_finishes(box, server, mounted):
    mounted(box.rules.promoted, "size=1m")
    server.put(A)
    server.put(B, check_type="backup")
    box.sync()
    remount(box.rules.promoted, "ro")
    server.withdraw(A)
    server.put(B, check_type="backup", priority=9)
    server.put("L1-PROMOTED-C", check_type="patching")
    box.sync_fails("Read-only file system")
    assert box.files.keys() == {f"{A}.yaml", f"{B}.yaml"}
    ack = server.acks[-1]
    assert ack["applied"] == [] and {failed["rule_id"] for failed in ack["failed"]} == {A, B, "L1-PROMOTED-C"}
    assert ack["removed"] == [], "the file of A is still there"
    count = len(server.acks)
    box.sync_fails("Read-only file system")
    assert len(server.acks) == count, "told once"
    remount(box.rules.promoted, "rw")
    box.sync()
    assert box.has(B, "L1-PROMOTED-C")
    assert server.acks[-1]["removed"] == [A] and server.acks[-1]["applied"] == [B, "L1-PROMOTED-C"]


@as_root
def test_a_state_file_without_space_changes_nothing(box, server, mounted):
    server.put(A)
    box.sync()
    place = box.folder / "small"
    place.mkdir()
    mounted(place, "size=256k")
    for path in box.folder.glob("state.db*"):
        shutil.move(path, place / path.name)
    box.state = place / "state.db"
    box.configure(state_file=box.state)
    box.sync()
    (place / "ballast").write_bytes(b"x" * (shutil.disk_usage(place).free - 49152))
    for turn in range(40):
        server.put(f"L1-PROMOTED-N{turn:02}", description="y" * 6000)
    box.sync_fails("cannot use the state file")
    assert box.files.keys() == {f"{A}.yaml"} and server.acks[-1]["error"], "the server is told"
    (place / "ballast").unlink()
    remount(place, "size=8m")
    box.sync()
    assert box.has(*server.rules) and server.acks[-1]["error"] is None


def test_a_missing_rules_folder_is_told_and_mended(settled, server):
    away = settled.folder / "away"
    settled.rules.path.rename(away)
    settled.sync_fails("cannot read the rules in")
    assert server.acks[-1]["applied"] == [] and server.acks[-1]["failed"][0]["rule_id"] == A
    away.rename(settled.rules.path)
    settled.sync()
    assert settled.has(A) and server.acks[-1]["applied"] == [A]


# ---- killed ----------------------------------------------------------------------------------------------------------

def test_killed_at_any_moment_each_file_is_the_old_or_the_new_one(tmp_path, server):
    """A coarse net; test/loop kills at every single step."""
    box = Linked(tmp_path / "box", server)
    server.put(A, priority=1)
    box.sync()
    texts = {A: {server.rules[A]["yaml"]}}
    for turn in range(25):
        server.put(A, priority=10 + turn)
        server.put(f"L1-PROMOTED-T{turn % 5}", priority=10 + turn)
        for rule_id, sent in server.rules.items():
            texts.setdefault(rule_id, set()).add(sent["yaml"])
        process = box.start("sync")
        try:
            process.wait(timeout=0.004 * turn)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for name, text in box.files.items():
            assert text in texts[name[:-5]], "neither old nor new"
    box.sync()
    assert box.has(*server.rules)
    assert sorted(server.acks[-1]["applied"]) == sorted(server.rules)
    assert all(ack["engine_errors"] == [] for ack in server.acks), "what a crash leaves behind is nobody's doing"
