"""match --state and status: promoted rules are what the server signed, whatever their files say."""

import hashlib
import json
import os
import pathlib

import pytest

from conftest import AGENT, Appliance, condition, rule, run_agent

FIREWALL = {"check_type": "firewall"}
CHANGED = rule("L1-PROMOTED-A", action="escalate")


def install(appliance, made):
    return appliance.install(made)[0]


def the_answer(appliance):
    answers, told = appliance.match(FIREWALL, state=True, cooldown=False)
    return answers[0], told


def test_rules_that_are_as_they_were_signed_match_without_a_word(appliance):
    install(appliance, rule("L1-PROMOTED-A"))
    answer, told = the_answer(appliance)
    assert (answer["rule_id"], answer["action"], told) == ("L1-PROMOTED-A", "restore_firewall_baseline", "")


def edit(path):
    path.write_text(json.dumps(CHANGED), encoding="utf-8")


def replace_by_link(path):
    target = path.parent.parent / "elsewhere"
    target.write_text(json.dumps(CHANGED), encoding="utf-8")
    path.unlink()
    path.symlink_to(target)


def replace_by_link_to_the_same(path):
    path.rename(path.parent.parent / "elsewhere")
    path.symlink_to(path.parent.parent / "elsewhere")


def replace_by_folder(path):
    path.unlink()
    path.mkdir()


def make_large(path):
    path.write_bytes(path.read_bytes() + b" " * 2_000_000)


@pytest.mark.parametrize("spoil", [edit, replace_by_link, replace_by_link_to_the_same, replace_by_folder, make_large, lambda path: path.write_bytes(b""),
                                   lambda path: path.write_bytes(path.read_bytes() + b"\n")],
                         ids=["edited", "a link", "a link to the same", "a folder", "large", "emptied", "one byte more"])
def test_p25_an_edited_promoted_file_is_told_and_the_verified_copy_is_used(appliance, spoil):
    spoil(install(appliance, rule("L1-PROMOTED-A")))
    answer, told = the_answer(appliance)
    assert answer["action"] == "restore_firewall_baseline"
    assert len(told.splitlines()) == 1 and "promoted/L1-PROMOTED-A.yaml: this is not what the server signed" in told
    assert [one["on_disk"] for one in appliance.status()["rules"]] == ["edited"]


def test_p25_a_file_edited_while_it_runs_is_told_and_does_not_count(appliance, start):
    path = install(appliance, rule("L1-PROMOTED-A"))
    match = start("match", "--rules", appliance.rules.path, "--state", appliance.state, "--no-cooldown")
    assert match.ask(FIREWALL)["action"] == "restore_firewall_baseline"
    edit(path)
    assert match.ask(FIREWALL)["action"] == "restore_firewall_baseline"
    assert "is not what the server signed" in match.told()


def test_p25_a_promoted_file_that_the_server_never_sent_is_passed_over(appliance):
    install(appliance, rule("L1-PROMOTED-A", condition("check_type", "eq", "backup")))
    for name in ("foreign.yaml", "foreign.yml", "L1-PROMOTED-A.yml"):
        appliance.rules.put(name, rule("X-1"), promoted=True)
    answer, told = the_answer(appliance)
    assert answer["rule_id"] is None
    assert told.count("the server has not sent this") == 3


def test_before_the_first_answer_of_a_server_the_files_count_as_they_are(appliance):
    appliance.rules.put("L1-PROMOTED-A.yaml", rule("L1-PROMOTED-A"), promoted=True)
    answer, told = the_answer(appliance)
    assert (answer["rule_id"], told) == ("L1-PROMOTED-A", "")
    appliance.query("INSERT INTO meta VALUES ('revision', 0)")
    answer, told = the_answer(appliance)
    assert answer["rule_id"] is None and "the server has not sent this" in told


def test_a_promoted_file_that_is_missing_is_told_and_the_verified_copy_is_used(appliance):
    install(appliance, rule("L1-PROMOTED-A")).unlink()
    answer, told = the_answer(appliance)
    assert answer["rule_id"] == "L1-PROMOTED-A" and told.count("installed rules have no file here") == 1
    assert [one["on_disk"] for one in appliance.status()["rules"]] == ["missing"]
    appliance.rules.promoted.rmdir()
    assert the_answer(appliance)[0]["rule_id"] == "L1-PROMOTED-A"


def test_p25_a_copy_in_the_state_file_that_was_changed_is_not_in_force(appliance):
    install(appliance, rule("L1-PROMOTED-A"))
    appliance.query("UPDATE installed SET yaml = ?", json.dumps(CHANGED).encode())
    answer, told = the_answer(appliance)
    assert answer["rule_id"] is None and "damaged" in told


def test_a_rule_that_is_installed_while_it_runs_matches(appliance, start):
    appliance.install()
    match = start("match", "--rules", appliance.rules.path, "--state", appliance.state, "--no-cooldown")
    assert match.ask(FIREWALL)["rule_id"] is None
    install(appliance, rule("L1-PROMOTED-A"))
    assert match.ask(FIREWALL)["rule_id"] == "L1-PROMOTED-A"
    appliance.query("DELETE FROM installed")
    (appliance.rules.promoted / "L1-PROMOTED-A.yaml").unlink()
    assert match.ask(FIREWALL)["rule_id"] is None
    assert match.told() == ""


def test_an_operators_rule_with_the_same_id_wins_and_it_is_told(appliance):
    install(appliance, rule("L1-PROMOTED-A"))
    appliance.rules.put("own.yaml", CHANGED)
    answer, told = the_answer(appliance)
    assert answer["action"] == "escalate" and "promoted/L1-PROMOTED-A.yaml" in told


# ---- status ----


def test_status_of_an_agent_that_has_done_nothing(appliance):
    assert appliance.status() == {"revision": None, "acknowledged_revision": None, "rules": [], "queue_length": 0,
                                  "dropped_executions": 0, "patterns": 0, "last_success": None, "last_error": None, "last_error_at": None}


def test_status_tells_what_is_installed_and_how_the_last_cycle_went(appliance):
    path = install(appliance, rule("L1-PROMOTED-A"))
    appliance.record({"execution_id": "e1", "incident_type": "firewall"})
    for key, value in {"revision": 7, "acknowledged_revision": 6, "last_success": 1795348800000000, "last_error_at": 1795348860500000,
                       "last_error": "the server is away"}.items():
        appliance.query("INSERT OR REPLACE INTO meta VALUES (?, ?)", key, value)
    assert appliance.status() == {
        "revision": 7, "acknowledged_revision": 6, "queue_length": 1, "dropped_executions": 0, "patterns": 1,
        "last_success": "2026-11-22T12:00:00.000000Z", "last_error": "the server is away", "last_error_at": "2026-11-22T12:01:00.500000Z",
        "rules": [{"rule_id": "L1-PROMOTED-A", "version": 2, "digest": hashlib.sha256(path.read_bytes()).hexdigest(),
                   "installed_at": "2026-11-22T12:00:00.000000Z", "on_disk": "same"}]}


@pytest.mark.parametrize("key", ["server", "site_id", "appliance_id", "token_file", "rules_dir", "state_file", "server_public_key"])
def test_a_configuration_without_a_member_is_refused(appliance, key):
    appliance.configure(**{key: None})
    done = appliance.run("status")
    assert (done.returncode, done.stdout) == (1, "") and f"no line '{key} = …'" in done.stderr


@pytest.mark.parametrize("settings", [{"poll_seconds": 0}, {"poll_seconds": "soon"}, {"poll_seconds": 86401}, {"queue_limit": 0},
                                      {"queue_days": -1}, {"server": "ftp://x"}, {"server": "x"}, {"site_id": "s" * 256},
                                      {"rules_dir": "/" + "x" * 4096}])
def test_a_configuration_that_makes_no_sense_is_refused(appliance, settings):
    appliance.configure(**settings)
    done = appliance.run("status")
    assert done.returncode == 1 and next(iter(settings)) in done.stderr


def test_a_configuration_that_is_not_there_is_told():
    done = run_agent("status", "--config", "/nowhere/agent.conf")
    assert done.returncode == 1 and "/nowhere/agent.conf" in done.stderr


@pytest.mark.parametrize("content", [b"this is no database, but long enough to be looked at" * 100, b"SQLite format 3\0" + b"\xff" * 4000], ids=["a text", "damaged"])
def test_a_state_file_that_is_none_is_told_and_left_as_it_is(appliance, content):
    appliance.state.write_bytes(content)
    done = appliance.run("status")
    assert done.returncode == 1 and "cannot use the state file" in done.stderr
    assert appliance.state.read_bytes() == content


def test_a_state_file_of_a_newer_agent_is_left_alone(appliance):
    appliance.status()
    appliance.query("PRAGMA user_version = 2")
    done = appliance.run("status")
    assert done.returncode == 1 and "newer version of the agent" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="about what root leaves behind")
def test_what_root_makes_belongs_to_the_folders_owner(appliance, start):
    os.chown(appliance.folder, 65534, 65533)
    os.chown(appliance.rules.path, 65534, 65533)
    appliance.rules.promoted.rmdir()
    (appliance.folder / "rules.pub").write_text("x" * 43 + "=\n", encoding="ascii")
    appliance.run("sync")  # nobody answers
    match = start("match", "--rules", appliance.rules.path, "--state", appliance.state)
    assert match.ask({})["rule_id"] is None
    made = [appliance.rules.promoted, *appliance.folder.glob("state.db*")]
    assert [path.name for path in sorted(made)] == ["promoted", "state.db", "state.db-shm", "state.db-wal", "state.db.lock"]
    assert {(path.stat().st_uid, path.stat().st_gid) for path in made} == {(65534, 65533)}
    os.chown(appliance.state, 0, 0)
    appliance.status()
    assert appliance.state.stat().st_uid == 0  # what is there is not given away


def test_many_may_open_a_new_state_file_at_once(tmp_path, start):
    for number in range(5):
        appliance = Appliance(tmp_path / str(number))
        processes = [start("status", "--config", appliance.config) for _ in range(8)]
        assert [process.process.wait(timeout=60) for process in processes] == [0] * 8, [process.told() for process in processes]


# ---- memory ----


def many_rules(number):
    return [rule(f"L1-PROMOTED-{i:08X}", condition("check_type", "eq", f"check_{i}"), condition("details.service", "eq", f"service {i}"),
                 description="Promoted from L2 with 93% success rate over 15 occurrences", hipaa_controls=["164.308(a)(5)(ii)(B)"],
                 action="run_windows_runbook", action_params={"runbook_id": "RB-WIN-SERVICES-001", "phases": ["remediate", "verify"]})
            for i in range(number)]


def proportional_kib(process):
    lines = pathlib.Path(f"/proc/{process.process.pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def as_files(appliance, rules):
    for one in rules:
        appliance.rules.put(one["id"] + ".yaml", one, promoted=True)


def as_lists(appliance, rules):
    for first in range(0, len(rules), 1500):
        part = rules[first:first + 1500]
        assert appliance.rules.put(f"{first}.yaml", {"rules": part}).stat().st_size <= 1024 * 1024


def as_verified(appliance, rules):
    appliance.install(*rules)


@pytest.mark.skipif("asan" in AGENT, reason="the sanitizers need memory of their own")
@pytest.mark.parametrize(("lay_out", "words"), [(as_files, []), (as_lists, []), (as_verified, ["--state"])], ids=["files", "lists", "verified"])
def test_ten_thousand_rules_take_at_most_20_mb(appliance, start, lay_out, words, capsys):
    rules = many_rules(10000)
    lay_out(appliance, rules)
    match = start("match", "--rules", appliance.rules.path, *words, *([appliance.state] if words else []))

    def ask(number):
        return match.ask({"check_type": f"check_{number}", "details": {"service": f"service {number}"}})["rule_id"]

    assert ask(9999) == "L1-PROMOTED-0000270F"
    loaded = proportional_kib(match)
    appliance.rules.put("own.yaml", rule("OWN-1"))
    assert match.ask(FIREWALL)["rule_id"] == "OWN-1" and match.told() == ""
    reloaded = proportional_kib(match)
    with capsys.disabled():
        print(f"\n    10,000 rules ({lay_out.__name__}): {loaded} KiB, after a reload {reloaded} KiB")
    assert max(loaded, reloaded) <= 20 * 1024
