"""P41: the program that signs refuses a key that others may have read, and says why; it starts with none but its own."""

import os
import subprocess
from pathlib import Path

import pytest


@pytest.fixture(name="check")
def fixture_check(quickstart, tmp_path):
    """Runs a program's self-check with the instance's configuration and another line for the key."""
    configured = (Path(quickstart["instance_dir"]) / "etc" / "flywheel.conf").read_text(encoding="utf-8")
    assert configured.count("\nsigning_key = ") == 1

    def check(signing_key, program="agent-rules"):
        lines = [line for line in configured.splitlines() if not line.startswith("signing_key")]
        config = tmp_path / "flywheel.conf"
        config.write_text("\n".join(lines + ([f"signing_key = {signing_key}"] if signing_key else [])) + "\n", encoding="utf-8")
        config.chmod(0o600)
        done = subprocess.run([str(Path(quickstart["handlers_dir"]) / program), "--config", str(config), "--check"],
                              capture_output=True, text=True, timeout=30, check=False)
        return done.returncode, done.stderr
    return check


@pytest.fixture(name="key")
def fixture_key(quickstart, tmp_path):
    """A copy of the instance's key."""
    path = tmp_path / "rules.key"
    path.write_bytes((Path(quickstart["instance_dir"]) / "etc" / "rules.key").read_bytes())
    path.chmod(0o600)
    return path


def test_its_own_key_is_taken(check, key):
    assert check(key) == (0, "")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o666, 0o601])
def test_p41_a_key_that_is_open_to_others_is_refused(check, key, mode):
    key.chmod(mode)
    status, said = check(key)
    assert status == 1 and "chmod 600" in said and str(key) in said
    assert key.read_text(encoding="ascii").strip() not in said


def test_p41_no_key_at_all_is_refused(check, tmp_path):
    for missing, reason in ((None, "lacks signing_key"), (tmp_path / "nowhere", "No such file"), (tmp_path, "not a regular file")):
        status, said = check(missing)
        assert status == 1 and reason in said, missing


@pytest.mark.parametrize("text", ["", "secret\n", "A" * 44 + "\n", "AAAA" * 10 + "AAA=\nsecond line\n"])
def test_p41_what_is_no_key_is_refused(check, key, text):
    key.write_text(text, encoding="ascii")
    status, said = check(key)
    assert status == 1 and "44 characters" in said and "AAAA" not in said


def test_the_other_programs_do_not_need_it(check):
    assert check(None, "agent-reports") == (0, "")


def test_p41_it_does_not_serve_without_its_key_either(quickstart, check, key, tmp_path):
    check(key)  # leaves a configuration with that key
    key.chmod(0o644)
    done = subprocess.run([str(Path(quickstart["handlers_dir"]) / "agent-rules"), "--config", str(tmp_path / "flywheel.conf"),
                           "--socket", str(tmp_path / "socket")], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1 and "chmod 600" in done.stderr
    assert not os.path.exists(tmp_path / "socket")
