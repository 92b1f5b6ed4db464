"""match while the rules change under it: every way in which files come and go."""

import json
import os
import pathlib
import shutil
import signal
import tempfile

import pytest

from conftest import AGENT, condition, eventually, rule

FIREWALL = {"check_type": "firewall"}


def running(appliance, start, *words):
    return start("match", "--rules", appliance.rules.path, "--no-cooldown", *words)


def test_a_rule_that_is_renamed_into_place_matches_at_once(appliance, start):
    match = running(appliance, start)
    assert match.ask(FIREWALL)["rule_id"] is None
    appliance.rules.put("a.yaml", rule("R-1"))
    assert match.ask(FIREWALL)["rule_id"] == "R-1"
    appliance.rules.put("b.yaml", rule("R-0", priority=1), promoted=True)
    assert match.ask(FIREWALL)["rule_id"] == "R-0"
    assert match.end() == 0 and match.told() == ""


def test_a_file_edited_in_place_counts_when_it_is_closed(appliance, start):
    path = appliance.rules.put("a.yaml", rule("R-1"))
    match = running(appliance, start)
    assert match.ask(FIREWALL)["action"] == "restore_firewall_baseline"
    with path.open("w", encoding="utf-8") as file:
        file.write(json.dumps(rule("R-1", action="escalate")))
        file.flush()
    assert match.ask(FIREWALL)["action"] == "escalate"
    path.write_text("id: R-1", encoding="utf-8")
    assert match.ask(FIREWALL)["rule_id"] is None
    assert "a.yaml" in match.told()
    path.write_text(json.dumps(rule("R-1")), encoding="utf-8")
    assert match.ask(FIREWALL)["rule_id"] == "R-1"


def test_a_rule_that_is_removed_or_renamed_away_no_longer_matches(appliance, start):
    first = appliance.rules.put("a.yaml", rule("R-1"))
    second = appliance.rules.put("b.yaml", rule("R-2", priority=60), promoted=True)
    match = running(appliance, start)
    assert match.ask(FIREWALL)["rule_id"] == "R-1"
    first.unlink()
    assert match.ask(FIREWALL)["rule_id"] == "R-2"
    second.rename(second.with_suffix(".off"))
    assert match.ask(FIREWALL)["rule_id"] is None


def test_copied_and_linked_files_count(appliance, start):
    source = appliance.folder / "source"
    match = running(appliance, start)
    for number, install in enumerate((shutil.copy, os.link, os.symlink)):
        source.write_text(json.dumps(rule(f"R-{number}")), encoding="utf-8")
        target = appliance.rules.path / f"{number}.yaml"
        install(source, target)
        found = match.ask(FIREWALL)["rule_id"]
        assert found == f"R-{number}" or (install is os.symlink and found is None)  # only regular files are rules
        target.unlink()
    assert match.ask(FIREWALL)["rule_id"] is None


@pytest.mark.skipif(os.geteuid() != 0, reason="needs two accounts: one that may read and one that may not")
def test_p32_a_file_that_cannot_be_read_is_told_and_counts_once_it_can(appliance, start):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        shutil.copy(AGENT, folder / "agent")
        (folder / "a.yaml").write_text(json.dumps(rule("R-1")), encoding="utf-8")
        (folder / "a.yaml").chmod(0o600)
        match = start("match", "--rules", folder, "--no-cooldown", program=folder / "agent", user=65534)
        assert match.ask(FIREWALL)["rule_id"] is None
        assert f"{folder}/a.yaml: " in match.told()
        (folder / "a.yaml").chmod(0o644)
        assert match.ask(FIREWALL)["rule_id"] == "R-1"


def test_the_folder_promoted_may_come_and_go(appliance, start):
    appliance.rules.promoted.rmdir()
    match = running(appliance, start)
    assert match.ask(FIREWALL)["rule_id"] is None
    for _ in range(2):
        appliance.rules.promoted.mkdir()
        appliance.rules.put("a.yaml", rule("R-1"), promoted=True)
        assert match.ask(FIREWALL)["rule_id"] == "R-1"
        shutil.rmtree(appliance.rules.promoted)
        assert match.ask(FIREWALL)["rule_id"] is None


def test_the_whole_folder_may_be_exchanged(appliance, start):
    appliance.rules.put("a.yaml", rule("R-1"))
    match = running(appliance, start)
    assert match.ask(FIREWALL)["rule_id"] == "R-1"
    appliance.rules.path.rename(appliance.folder / "old")
    for _ in range(5):
        assert match.ask(FIREWALL)["rule_id"] == "R-1"  # what was loaded stays while there is no folder
    assert [line.rpartition(": ")[2] for line in match.told().splitlines()[1:]] == ["the rules that were loaded before stay in force"]
    appliance.rules.promoted.mkdir(parents=True)
    appliance.rules.put("a.yaml", rule("R-2"))
    assert match.ask(FIREWALL)["rule_id"] == "R-2"
    appliance.rules.put("a.yaml", rule("R-3"), promoted=True)
    appliance.rules.put("a.yaml", rule("R-0", condition("x", "exists", True)))
    assert match.ask(FIREWALL)["rule_id"] == "R-3"


def test_a_link_may_lead_to_another_folder(appliance, start):
    """Sets of rules side by side, of which a link names the one in force."""
    old, new = appliance.folder / "old", appliance.folder / "new"
    appliance.rules.put("a.yaml", rule("R-OLD"))
    appliance.rules.path.rename(old)
    shutil.copytree(old, new)
    (new / "a.yaml").write_text(json.dumps(rule("R-NEW")), encoding="utf-8")
    appliance.rules.path.symlink_to(old)
    match = running(appliance, start)
    for folder, rule_id in ((old, "R-OLD"), (new, "R-NEW"), (old, "R-OLD")):
        link = appliance.folder / "link"
        link.symlink_to(folder)
        link.rename(appliance.rules.path)
        assert match.ask(FIREWALL)["rule_id"] == rule_id
    assert match.end() == 0 and match.told() == ""


def test_p32_a_bad_file_is_told_without_waiting_for_a_line_and_once(appliance, start):
    appliance.rules.put("a.yaml", rule("R-1"))
    match = running(appliance, start)
    assert match.ask(FIREWALL)["rule_id"] == "R-1"
    appliance.rules.put("bad.yaml", "id: X-1")
    eventually(lambda: "bad.yaml" in match.told())
    for number in range(3):
        appliance.rules.put("b.yaml", rule("R-2", priority=number))
        assert match.ask(FIREWALL)["rule_id"] == "R-2"
    assert match.told().count("bad.yaml") == 1
    appliance.rules.put("bad.yaml", "id: X")
    assert match.ask(FIREWALL)["rule_id"] == "R-2"
    assert match.told().count("bad.yaml") == 2  # for another reason


def test_hundreds_of_changes_while_incidents_come(appliance, start):
    match = running(appliance, start)
    for number in range(300):
        appliance.rules.put("a.yaml", rule(f"R-{number}", priority=-number), promoted=number % 2 == 0)
        assert match.ask(FIREWALL)["rule_id"] == f"R-{number}"
    assert match.end() == 0


def test_more_events_than_the_kernel_keeps(appliance, start):
    """The queue of events holds 16,384; when it runs over, that is an event too."""
    match = running(appliance, start)
    assert match.ask(FIREWALL)["rule_id"] is None
    match.process.send_signal(signal.SIGSTOP)
    for number in range(9000):
        path = appliance.rules.path / f"{number % 7}.tmp"  # which nobody would look at
        path.touch()
        path.unlink()
    appliance.rules.put("a.yaml", rule("R-1"))
    match.process.send_signal(signal.SIGCONT)
    assert match.ask(FIREWALL)["rule_id"] == "R-1"


def test_rules_that_could_not_be_read_for_a_moment_are_read_again(appliance, start):
    """The state file is damaged when a rule is installed, and mended without any file being touched."""
    appliance.install(rule("R-1", priority=60))
    match = running(appliance, start, "--state", appliance.state)
    assert match.ask(FIREWALL)["rule_id"] == "R-1"
    appliance.query("ALTER TABLE installed RENAME TO hidden")
    appliance.rules.put("a.yaml", rule("R-2"))
    assert match.ask(FIREWALL)["rule_id"] == "R-1"
    assert "no such table" in match.told() and "stay in force" in match.told()
    appliance.query("ALTER TABLE hidden RENAME TO installed")
    assert match.ask(FIREWALL)["rule_id"] == "R-2"
