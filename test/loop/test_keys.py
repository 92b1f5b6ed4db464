"""Keys and tokens are exchanged while appliances go on."""

import contextlib
import shutil

import pytest

from box import wait_until
from house.control import control


@pytest.fixture
def exchange():
    """An exchange of the signing key, ended whatever happens; the instance signs with the new one afterwards."""
    yield control
    with contextlib.suppress(Exception):
        control("signing-key", "retire")


def copy_of_the_key(box, quickstart):
    """The public-key file as a person copies it to an appliance."""
    box.key_file = box.folder / "rules.pub"
    shutil.copyfile(quickstart["public_key_file"], box.key_file)
    box.talk_to(quickstart["url"])


def test_the_signing_key_is_exchanged_and_no_appliance_that_knows_both_notices(clinic, quickstart, exchange, deliveries):
    told, forgotten = clinic.boxes
    for box in clinic.boxes:
        copy_of_the_key(box, quickstart)
    before = clinic.new_rule()
    for box in clinic.boxes:
        box.sync()

    exchange("signing-key", "next")
    copy_of_the_key(told, quickstart)
    between = clinic.new_rule()
    for box in clinic.boxes:
        box.sync()
        assert box.heals(between.incident) == between.rule_id

    exchange("signing-key", "switch")
    after = clinic.new_rule()
    told.sync()
    assert told.heals(after.incident) == after.rule_id
    assert forgotten.try_sync().returncode == 1
    assert forgotten.heals(after.incident) is None, "signed by a key that it does not know"
    assert forgotten.heals(before.incident) == before.rule_id, "what it had stays in force"
    assert "sign" in deliveries.at(forgotten.appliance_id)["last_error"]

    exchange("signing-key", "retire")
    for box in clinic.boxes:
        copy_of_the_key(box, quickstart)
        box.sync()
        assert box.heals(after.incident) == after.rule_id
    assert deliveries.at(forgotten.appliance_id)["last_error"] is None


def test_a_token_is_exchanged_while_the_agent_runs(clinic):
    """The old one is good until the file on the appliance has been replaced."""
    one = clinic.boxes[0]
    with one.running():
        first = clinic.new_rule()
        wait_until(lambda: one.heals(first.incident) == first.rule_id, "the first rule is there")
        made = control("appliance", "rotate-token", "--appliance-id", one.appliance_id, "--overlap", "7d")
        second = clinic.new_rule()
        wait_until(lambda: one.heals(second.incident) == second.rule_id, "the old token is still good")
        (one.folder / "token").write_text(made["token"] + "\n", encoding="ascii")
        third = clinic.new_rule()
        wait_until(lambda: one.heals(third.incident) == third.rule_id, "and so is the new one")


def test_a_revoked_appliance_gets_nothing_new_and_says_so(clinic):
    one, two = clinic.boxes
    pattern = clinic.new_rule()
    two.sync()
    control("appliance", "revoke", "--appliance-id", two.appliance_id)
    later = clinic.new_rule()
    done = two.try_sync()
    assert done.returncode == 1 and "401" in done.stderr
    assert two.heals(pattern.incident) == pattern.rule_id and two.heals(later.incident) is None
    assert two.status()["last_error"]
    one.sync()
    assert one.heals(later.incident) == later.rule_id
