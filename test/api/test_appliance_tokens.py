"""Appliances' tokens in operators' hands: listed, rotated with overlap, never shown again."""

from datetime import datetime, timedelta, timezone

import pytest

from house.client import Caller, expect
from house.control import Refused, control

PUSH = "/api/agent/sync/pattern-stats"


@pytest.fixture(name="box")
def fixture_box(acme):
    return acme.new_site(1).appliances[0]


def rotate(box, *options):
    return control("appliance", "rotate-token", "--appliance-id", box.appliance_id, *options)


def listed(box):
    """The appliance as operators see it."""
    found = control("appliance", "list", "--site", box.site.site_id)["appliances"]
    return next(appliance for appliance in found if appliance["appliance_id"] == box.appliance_id)


def works(caller, box):
    answer = caller.push(box.site.site_id, box.appliance_id, [])
    assert answer.status in (200, 401), answer
    return answer.status == 200


def time_of(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def near(text, wanted):
    return abs(time_of(text) - wanted) < timedelta(minutes=2)


def test_a_rotated_token_works_beside_the_new_one_for_the_overlap(server, box):
    made = rotate(box, "--overlap", "1h")
    assert made["appliance_id"] == box.appliance_id and made["site_id"] == box.site.site_id
    assert made["old_tokens"] == 1
    assert near(made["old_tokens_until"], datetime.now(timezone.utc) + timedelta(hours=1))
    assert works(box.caller, box) and works(Caller(server, token=made["token"]), box)
    assert [token["expires_at"] for token in listed(box)["tokens"]] == [made["old_tokens_until"], None]


def test_without_saying_so_the_overlap_is_a_week(box):
    assert near(rotate(box)["old_tokens_until"], datetime.now(timezone.utc) + timedelta(days=7))


def test_without_overlap_the_old_tokens_are_refused_at_once(server, box):
    second = rotate(box)["token"]
    third = rotate(box, "--overlap", "0s")
    assert third["old_tokens"] == 2
    assert not works(box.caller, box) and not works(Caller(server, token=second), box)
    assert works(Caller(server, token=third["token"]), box)
    assert len(listed(box)["tokens"]) == 1


def test_a_later_rotation_gives_no_old_token_more_time(box):
    first = rotate(box, "--overlap", "1h")["old_tokens_until"]
    rotate(box, "--overlap", "30d")
    assert listed(box)["tokens"][0]["expires_at"] == first


def test_the_log_has_the_rotation_and_not_the_token(acme, box):
    token = rotate(box, "--overlap", "2h")["token"]
    log = expect(200, acme.api.get("/api/partners/me/learning/audit", limit=50))
    entry = next(entry for entry in log["entries"] if entry["action"] == "appliance.token_rotated")
    assert entry["site_id"] == box.site.site_id and entry["actor_kind"] == "operator"
    assert entry["after"]["old_tokens"] == 1 and near(entry["after"]["old_tokens_until"], datetime.now(timezone.utc) + timedelta(hours=2))
    assert token not in log.body.decode() and token not in str(listed(box))


@pytest.mark.parametrize("overlap", ["week", "-1h", "5", "1y", "", "99999d"])
def test_an_overlap_that_is_no_duration_is_refused_and_changes_nothing(box, overlap):
    before = listed(box)
    with pytest.raises(Refused, match="overlap is a number"):
        rotate(box, f"--overlap={overlap}")
    assert listed(box) == before


def test_only_an_active_appliance_of_that_site_gets_a_token(acme, box):
    with pytest.raises(Refused, match="no active appliance"):
        control("appliance", "rotate-token", "--appliance-id", "nobody")
    with pytest.raises(Refused, match="at the site " + acme.annex.site_id):
        rotate(box, "--site", acme.annex.site_id)
    control("appliance", "revoke", "--appliance-id", box.appliance_id)
    with pytest.raises(Refused, match="no active appliance"):
        rotate(box)
    assert listed(box)["status"] == "revoked" and listed(box)["tokens"] == []


def test_appliances_are_listed_by_partner_and_by_site(acme, rival, box):
    of_partner = control("appliance", "list", "--partner", acme.slug)["appliances"]
    assert box.appliance_id in [appliance["appliance_id"] for appliance in of_partner]
    assert {appliance["partner"] for appliance in of_partner} == {acme.slug}
    foreign = control("appliance", "list", "--partner", rival.slug, "--site", box.site.site_id)
    assert foreign == {"appliances": []}
    assert works(box.caller, box)
