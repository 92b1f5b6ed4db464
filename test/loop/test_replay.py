"""Somebody between the server and the agent: recorded answers replayed elsewhere and later, and answers with a bit changed.

Each is refused as a whole, the old rules stay in force, the server is told why, and the next honest answer is taken."""

import base64
import json

import pytest

from between import PULL, Between


@pytest.fixture
def between(quickstart):
    made = Between(quickstart["url"])
    yield made
    made.stop()


@pytest.fixture
def one(clinic, between):
    """An appliance that has a rule, and to whom somebody else brings the server's answers."""
    box = clinic.boxes[0]
    box.talk_to(between.url)
    box.kept = clinic.new_rule()
    box.sync()
    return box


def expect_refusal(box, deliveries):
    """The answer that comes now is refused; the files and the revision are what they were, and the server knows why."""
    before = box.files(), box.status()["revision"]
    done = box.try_sync()
    assert done.returncode == 1, "it was taken"
    assert done.stderr.strip(), "without a word"
    assert (box.files(), box.status()["revision"]) == before
    assert len(deliveries.at(box.appliance_id)["last_error"]) > 10


def expect_recovery(box, between, deliveries, *patterns):
    """An honest answer brings these patterns' rules, and the error is history."""
    between.be_honest()
    box.sync()
    assert box.files() == {pattern.rule_id: pattern.yaml for pattern in patterns}
    assert deliveries.at(box.appliance_id)["last_error"] is None


def answer_to(box, between, revision):
    """What the server says to that appliance when it stands at this revision, or (None) has nothing yet."""
    query = "" if revision is None else f"?revision={revision}"
    return between.ask("GET", PULL + query, b"", {"Authorization": "Bearer " + box.appliance.caller.token})


# ---- replayed ----


def test_an_answer_to_one_appliance_is_nothing_to_its_neighbour(clinic, one, between, deliveries):
    two = clinic.boxes[1]
    two.talk_to(between.url)
    two.sync()
    pattern = clinic.new_rule()
    one.sync()
    between.replay(between.pulled[-1])
    expect_refusal(two, deliveries)
    assert two.heals(pattern.incident) is None
    expect_recovery(two, between, deliveries, one.kept, pattern)


def test_an_answer_to_another_site_is_nothing_here(neighbour, one, between, deliveries):
    stranger = neighbour.boxes[0]
    stranger.talk_to(between.url)
    pattern = neighbour.new_rule()
    stranger.sync()
    between.replay(between.pulled[-1])
    expect_refusal(one, deliveries)
    assert one.heals(pattern.incident) is None
    expect_recovery(one, between, deliveries, one.kept)


@pytest.mark.parametrize("everything", [True, False], ids=["everything", "changes"])
def test_an_older_answer_does_not_bring_back_what_was_withdrawn(clinic, one, between, deliveries, everything):
    withdrawn = clinic.new_rule()
    with_it = answer_to(one, between, None if everything else one.status()["revision"])
    assert with_it.json()["full"] is everything
    one.sync()
    withdrawn.make("disabled")
    one.sync()
    between.replay(with_it)
    expect_refusal(one, deliveries)
    assert one.heals(withdrawn.incident) is None
    expect_recovery(one, between, deliveries, one.kept)


def test_p22_a_delta_for_one_who_stands_further_is_not_taken_by_one_who_stands_behind(clinic, one, between, deliveries):
    """It leaves out what was delivered in between."""
    first = clinic.new_rule()
    answer_to(one, between, one.status()["revision"])
    further = deliveries.revision(clinic.site_id)
    second = clinic.new_rule()
    without_the_first = answer_to(one, between, further)
    assert [rule["rule_id"] for rule in without_the_first.json()["rules"]] == [second.rule_id]
    between.replay(without_the_first)
    expect_refusal(one, deliveries)
    expect_recovery(one, between, deliveries, one.kept, first, second)


def test_an_answer_that_has_expired_is_not_taken(clinic, one, between, deliveries):
    """By the appliance's clock it comes two days later."""
    pattern = clinic.new_rule()
    between.replay(answer_to(one, between, one.status()["revision"]))
    done = one.command("sync", "--config", one.config, before=("faketime", "-f", "+49h"))
    assert done.returncode == 1 and one.heals(pattern.incident) is None
    assert "good until" in deliveries.at(one.appliance_id)["last_error"]
    one.sync()
    assert one.heals(pattern.incident) == pattern.rule_id, "today it is good"


def test_somebody_who_says_that_nothing_has_changed_is_not_believed_unasked(clinic, between):
    """A 304 to a question without If-None-Match."""
    fresh = clinic.boxes[1]
    fresh.talk_to(between.url)
    pattern = clinic.new_rule()
    between.forge = lambda real: type(real)(304, {}, b"")
    assert fresh.try_sync().returncode == 1
    between.be_honest()
    fresh.sync()
    assert fresh.heals(pattern.incident) == pattern.rule_id


# ---- changed ----


def flip(text):
    """Base64 with one bit of what it stands for changed."""
    raw = bytearray(base64.b64decode(text))
    raw[len(raw) // 2] ^= 1
    return base64.b64encode(bytes(raw)).decode()


def signed_with(change):
    """An answer whose signed list was changed, and not signed anew."""
    def forge(answer):
        listed = json.loads(base64.b64decode(answer["signed"]))
        change(listed)
        answer["signed"] = base64.b64encode(json.dumps(listed, sort_keys=True, separators=(",", ":")).encode()).decode()
    return forge


def other_yaml(answer):
    answer["rules"][0]["rule_yaml"] = answer["rules"][0]["rule_yaml"].replace("enabled: true", "enabled: false")


def other_name(answer):
    answer["rules"][0]["rule_id"] = "L1-PROMOTED-ANOTHER"


def another_rule(answer):
    text = answer["rules"][0]["rule_yaml"]
    answer["rules"].append({**answer["rules"][0], "rule_id": "L1-PROMOTED-ANOTHER",
                            "rule_yaml": text.replace(answer["rules"][0]["rule_id"], "L1-PROMOTED-ANOTHER")})


FORGERIES = {
    "a_bit_of_the_signed_list": lambda answer: answer.update(signed=flip(answer["signed"])),
    "a_bit_of_the_signature": lambda answer: answer.update(signature=flip(answer["signature"])),
    "no_signature": lambda answer: answer.pop("signature"),
    "no_signed_list": lambda answer: answer.pop("signed"),
    "an_empty_signature": lambda answer: answer.update(signature=""),
    "a_signature_that_is_no_text": lambda answer: answer.update(signature=7),
    "another_appliance": signed_with(lambda listed: listed.update(appliance_id="another")),
    "a_later_end": signed_with(lambda listed: listed.update(expires_at="2099-01-01T00:00:00Z")),
    "a_higher_revision": signed_with(lambda listed: listed.update(revision=listed["revision"] + 1)),
    "everything_instead_of_changes": signed_with(lambda listed: listed.update(full=True)),
    "a_bit_of_the_rule": other_yaml,
    "a_rule_under_another_name": other_name,
    "a_rule_left_out": lambda answer: answer["rules"].pop(),
    "a_rule_twice": lambda answer: answer["rules"].append(dict(answer["rules"][0])),
    "a_rule_more": another_rule,
    "another_version": lambda answer: answer["rules"][0].update(version=9),
    "another_digest": lambda answer: answer["rules"][0].update(digest="0" * 64),
    "a_removal_left_out": lambda answer: answer["removed"].pop(),
    "a_removal_more": lambda answer: answer["removed"].append({**answer["removed"][0], "rule_id": "L1-PROMOTED-OTHER"}),
    "rules_that_are_no_list": lambda answer: answer.update(rules={}),
    "no_removals": lambda answer: answer.pop("removed"),
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
def test_p25_an_answer_that_was_changed_on_the_way_is_refused(clinic, one, between, deliveries, forge):
    arriving, leaving = clinic.new_rule(), clinic.new_rule()
    one.sync()
    leaving.make("disabled")
    arriving.renew()

    def changed(said):
        if said.status != 200:
            return said
        answer = said.json()
        assert answer["rules"] and answer["removed"]
        forge(answer)
        return said.with_body(answer)
    between.forge = changed
    expect_refusal(one, deliveries)
    assert one.heals(leaving.incident) == leaving.rule_id, "the old rules stay in force"
    expect_recovery(one, between, deliveries, one.kept, arriving)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"<html>sign in to the hotel</html>", b'{"rules": []}'],
                         ids=ascii)
def test_a_page_of_somebody_else_is_no_answer(clinic, one, between, body):
    pattern = clinic.new_rule()
    between.forge = lambda said: said.with_body(body)
    assert one.try_sync().returncode == 1
    assert one.heals(one.kept.incident) == one.kept.rule_id
    between.be_honest()
    one.sync()
    assert one.heals(pattern.incident) == pattern.rule_id


@pytest.mark.parametrize("member, value", [("revision", 2**40), ("revision", 0), ("full", True)], ids=repr)
def test_what_stands_outside_the_signature_moves_nothing(clinic, one, between, deliveries, member, value):
    """Whether the agent refuses that or does not look at it: it neither removes a rule nor loses its place."""
    pattern = clinic.new_rule()

    def changed(said):
        answer = said.json()
        answer[member] = value
        return said.with_body(answer)
    between.forge = changed
    one.try_sync()
    assert one.heals(one.kept.incident) == one.kept.rule_id
    assert one.status()["revision"] <= deliveries.revision(clinic.site_id)
    expect_recovery(one, between, deliveries, one.kept, pattern)
