"""What is decided on the server is so on the appliances soon after, whatever happened to them meanwhile."""

import contextlib
import json
import signal
import subprocess

from box import incident_of, lines, wait_until
from house.client import Caller, expect
from house.world import unique


# ---- within one poll ----


def test_p21_approving_disabling_and_enabling_reach_a_running_agent_within_a_poll(clinic, deliveries):
    one = clinic.boxes[0]
    with one.running():
        pattern = clinic.new_rule()
        wait_until(lambda: one.heals(pattern.incident) == pattern.rule_id, "the approved rule matches")
        wait_until(lambda: deliveries.of(clinic.site_id, pattern.rule_id)[one.appliance_id] == "applied", "it is told")
        pattern.make("disabled")
        wait_until(lambda: one.heals(pattern.incident) is None, "the disabled rule does not match any more")
        wait_until(lambda: deliveries.of(clinic.site_id, pattern.rule_id)[one.appliance_id] == "removed", "that is told")
        pattern.make("active")
        wait_until(lambda: one.heals(pattern.incident) == pattern.rule_id, "the enabled rule matches again")


def test_a_matcher_that_runs_for_long_uses_what_arrives_meanwhile(clinic):
    one = clinic.boxes[0]
    with one.running(), matcher(one) as ask:
        pattern = clinic.new_pattern()
        assert ask(pattern.incident) is None
        pattern.approve()
        wait_until(lambda: ask(pattern.incident) == pattern.rule_id, "the matcher has read the new rule")
        pattern.make("disabled")
        wait_until(lambda: ask(pattern.incident) is None, "the matcher has dropped it")


@contextlib.contextmanager
def matcher(box):
    """A `match` that stays; a function that asks it about an incident."""
    process = subprocess.Popen([box.agent, "match", "--rules", box.rules, "--no-cooldown"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)

    def ask(incident):
        process.stdin.write(lines([incident]))
        process.stdin.flush()
        return json.loads(process.stdout.readline())["rule_id"]
    try:
        yield ask
    finally:
        process.stdin.close()
        assert process.wait(timeout=30) == 0
        process.stdout.close()


# ---- versions, newcomers, absentees ----


def test_p21_a_rule_that_is_archived_and_approved_again_arrives_as_its_next_version(clinic):
    one = clinic.boxes[0]
    pattern = clinic.new_rule()
    one.sync()
    assert one.installed() == {pattern.rule_id: 1}
    first = pattern.yaml
    pattern.renew()
    one.sync()
    assert one.installed() == {pattern.rule_id: 2}
    assert one.files() == {pattern.rule_id: pattern.yaml} and pattern.yaml != first


def test_p21_an_archived_rule_is_gone_everywhere_and_stays_so(clinic, deliveries):
    pattern = clinic.new_rule()
    for box in clinic.boxes:
        box.sync()
    pattern.make("archived")
    for box in clinic.boxes:
        box.sync()
        assert box.files() == {} and box.heals(pattern.incident) is None
    assert set(deliveries.of(clinic.site_id, pattern.rule_id).values()) == {"removed"}


def test_an_appliance_that_is_added_later_gets_all_rules_of_its_site(clinic, deliveries):
    kept, gone = [clinic.new_rule() for _ in range(3)], clinic.new_rule()
    gone.make("disabled")
    late = clinic.add_box()
    assert {pattern.shown()["deployment_count"] for pattern in kept} == {3}
    late.sync()
    assert late.installed() == {pattern.rule_id: 1 for pattern in kept}
    assert all(deliveries.of(clinic.site_id, pattern.rule_id)[late.appliance_id] == "applied" for pattern in kept)


def test_p23_an_appliance_that_was_off_for_a_month_catches_up_in_one_pull(clinic, deliveries):
    one, two = clinic.boxes
    replaced, removed, kept, toggled = [clinic.new_rule() for _ in range(4)]
    one.sync()
    two.sync()
    for _ in range(3):
        replaced.renew()
        toggled.make("disabled")
        two.sync()
        toggled.make("active")
        two.sync()
    removed.make("archived")
    added = [clinic.new_rule() for _ in range(5)]
    added[0].make("disabled")
    two.sync()

    one.sync()
    assert one.installed() == two.installed()
    assert one.installed() == {replaced.rule_id: 4, kept.rule_id: 1, toggled.rule_id: 1,
                               **{pattern.rule_id: 1 for pattern in added[1:]}}
    assert deliveries.of(clinic.site_id, removed.rule_id) == {box.appliance_id: "removed" for box in clinic.boxes}


def test_p27_an_appliance_whose_disk_is_of_last_month_does_not_bring_back_what_was_withdrawn(clinic, deliveries):
    """Its state was set aside and put back, as a restored disk image does: it stands behind what it has acknowledged."""
    one = clinic.boxes[0]
    withdrawn, renewed = clinic.new_rule(), clinic.new_rule()
    one.sync()
    put_back = one.set_aside()
    withdrawn.make("disabled")
    renewed.renew()
    one.sync()
    put_back()
    assert one.heals(withdrawn.incident) == withdrawn.rule_id, "it cannot know yet"
    one.sync()
    assert one.installed() == {renewed.rule_id: 2}
    assert one.heals(withdrawn.incident) is None
    assert deliveries.of(clinic.site_id, withdrawn.rule_id)[one.appliance_id] == "removed"
    assert deliveries.of(clinic.site_id, renewed.rule_id)[one.appliance_id] == "applied"


def test_p27_a_rule_that_was_withdrawn_while_the_agent_was_dead_does_not_come_back_when_it_starts(clinic):
    one = clinic.boxes[0]
    pattern = clinic.new_rule()
    with one.running() as process:
        wait_until(lambda: one.heals(pattern.incident) == pattern.rule_id, "the rule matches")
        process.kill()
        process.wait()
        pattern.make("disabled")
    for _ in range(2):
        with one.running():
            one.wait_for_a_cycle()
            assert one.files() == {} and one.heals(pattern.incident) is None


def test_a_new_disk_gets_everything_again(clinic):
    one = clinic.boxes[0]
    pattern = clinic.new_rule()
    one.sync()
    for file in [*one.promoted.iterdir(), *one.folder.glob("state.db*")]:
        file.unlink()
    assert one.heals(pattern.incident) is None
    one.sync()
    assert one.installed() == {pattern.rule_id: 1} and one.heals(pattern.incident) == pattern.rule_id


# ---- a cursor that moves only with what is installed ----


def test_p22_a_rule_that_could_not_be_installed_comes_when_it_can_be(clinic, deliveries):
    one = clinic.boxes[0]
    pattern, other = clinic.new_rule(), clinic.new_rule()
    own = one.rules / "own.yaml"
    own.write_text(pattern.yaml, encoding="utf-8")
    one.try_sync()
    failed = deliveries.row(one.appliance_id, pattern.rule_id)
    assert failed["deployment_status"] == "failed" and failed["error"]
    assert own.read_text(encoding="utf-8") == pattern.yaml, "what an operator wrote is never touched"
    assert one.heals(other.incident) == other.rule_id, "the other rule is not held up"
    own.unlink()
    one.sync()
    assert one.heals(pattern.incident) == pattern.rule_id
    assert deliveries.of(clinic.site_id, pattern.rule_id)[one.appliance_id] == "applied"


# ---- only where it belongs ----


def test_p24_a_rule_never_reaches_another_site(clinic, neighbour, server):
    pattern = clinic.new_rule()
    stranger = neighbour.boxes[0]
    clinic.boxes[0].sync()
    stranger.sync()
    assert stranger.files() == {} and stranger.heals(pattern.incident) is None
    pull = "/api/agent/sync/promoted-rules"
    expect(403, stranger.appliance.caller.get(pull, site_id=clinic.site_id))
    expect(403, stranger.appliance.caller.get(pull, appliance_id=clinic.boxes[0].appliance_id))
    expect(403, stranger.appliance.caller.post("/api/agent/sync/ack", {
        "site_id": clinic.site_id, "appliance_id": stranger.appliance_id, "revision": 0, "applied": [pattern.rule_id]}))
    expect(401, Caller(server, token=unique("token")).get(pull))


def test_an_agent_that_names_another_site_than_its_tokens_installs_nothing(clinic, neighbour):
    one = clinic.boxes[0]
    pattern = neighbour.new_rule()
    one.site_id = neighbour.site_id
    one.talk_to(clinic.quickstart["url"])
    assert one.try_sync().returncode == 1
    assert one.files() == {} and one.heals(pattern.incident) is None


# ---- two agents, one of them stopped and brought back ----


def test_an_agent_that_is_stopped_and_goes_on_catches_up_while_the_other_never_noticed(clinic):
    one, two = clinic.boxes
    with one.running() as process, two.running():
        first = clinic.new_rule()
        wait_until(lambda: one.heals(first.incident) and two.heals(first.incident), "both have the first rule")
        process.send_signal(signal.SIGSTOP)
        second = clinic.new_rule()
        first.make("disabled")
        wait_until(lambda: two.heals(second.incident) and not two.heals(first.incident), "the other one has the changes")
        assert one.heals(first.incident) == first.rule_id and one.heals(second.incident) is None
        process.send_signal(signal.SIGCONT)
        wait_until(lambda: one.heals(second.incident) and not one.heals(first.incident), "the stopped one has them, too")
        wait_until(lambda: second.shown()["acknowledged_count"] == 2, "and both have told")


def test_an_agent_that_is_killed_and_started_again_catches_up(clinic):
    one, two = clinic.boxes
    with two.running():
        first = clinic.new_rule()
        with one.running() as process:
            wait_until(lambda: one.heals(first.incident) == first.rule_id, "the rule is there")
            process.kill()
            process.wait()
        second = clinic.new_rule()
        wait_until(lambda: two.heals(second.incident) == second.rule_id, "the other one goes on")
        assert one.heals(first.incident) == first.rule_id, "what it had heals on without the agent"
        with one.running():
            wait_until(lambda: one.heals(second.incident) == second.rule_id, "it has caught up")
            wait_until(lambda: second.shown()["acknowledged_count"] == 2, "and told")
            assert one.installed() == two.installed() == {first.rule_id: 1, second.rule_id: 1}


def test_a_decision_reaches_the_next_incident_and_no_other(clinic):
    """Nothing else of the site changes with it."""
    one = clinic.boxes[0]
    patterns = [clinic.new_rule() for _ in range(4)]
    one.sync()
    patterns[1].make("disabled")
    one.sync()
    answers = one.match(*[pattern.incident for pattern in patterns], incident_of("firewall"))
    assert [answer["rule_id"] for answer in answers] == [
        patterns[0].rule_id, None, patterns[2].rule_id, patterns[3].rule_id, None]
