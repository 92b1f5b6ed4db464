"""What is true of every answer to a GET."""

import time

import pytest

from house.client import KEYS, LEARNING, USERS, Caller, expect
from house.world import Partner, execution, expect_accepted

PATHS = [LEARNING + "/stats", LEARNING + "/candidates", LEARNING + "/candidates/{candidate}", LEARNING + "/promoted-rules",
         LEARNING + "/execution-history", LEARNING + "/audit", "/api/partner-auth/me", "/api/partners/me",
         "/api/partners/me/sites", USERS, KEYS]


@pytest.fixture(scope="module")
def quiet(server):
    """A partner about whom nothing changes, and a browser signed in there."""
    quiet = Partner(server)
    _, quiet.candidate = quiet.new_rule()
    expect_accepted(quiet.main.appliances[0].report(execution()))
    quiet.browser = quiet.sign_in("admin")
    return quiet


@pytest.fixture(params=PATHS)
def path(request, quiet):
    return request.param.replace("{candidate}", quiet.candidate["id"])


def settled(caller, path):
    """The answer once it stays the same: that a key was used is noted a moment later."""
    for _ in range(10):
        before = expect(200, caller.get(path))
        if not path.endswith("/keys"):
            break
        time.sleep(1.5)
        if caller.get(path).body == before.body:
            break
    return before


def test_it_has_an_entity_tag_and_is_304_while_nothing_changes(quiet, path):
    first = settled(quiet.browser, path)
    tag = first.headers["ETag"]
    assert first.headers["Cache-Control"] == "private, no-cache"
    for match in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        answer = expect(304, quiet.browser.call("GET", path, headers={"If-None-Match": match}))
        assert answer.body == b"" and answer.headers["ETag"] == tag
    for match in ('"other"', tag[:-2] + '"', "nonsense"):
        assert expect(200, quiet.browser.call("GET", path, headers={"If-None-Match": match})).body == first.body


def test_head_is_get_without_its_body(quiet, path):
    get, head = settled(quiet.browser, path), expect(200, quiet.browser.call("HEAD", path))
    assert head.body == b""
    for name in ("ETag", "Content-Type", "Cache-Control"):
        assert head.headers[name] == get.headers[name]


def test_it_needs_credentials(nobody, path):
    expect(401, nobody.get(path))
    assert expect(401, nobody.call("HEAD", path)).body == b""


def test_it_refuses_parameters_it_does_not_know(quiet, path):
    answer = expect(400, quiet.browser.get(path, debug="1"))
    assert "debug" in answer["detail"]


def test_it_is_json_and_says_so(quiet, path):
    answer = quiet.browser.get(path)
    assert answer.media_type == "application/json"
    assert isinstance(answer.json(), dict)


def test_times_are_utc_with_z_and_rates_are_fractions(quiet, path):
    def look(value, name=""):
        if isinstance(value, dict):
            for member, inner in value.items():
                look(inner, member)
        elif isinstance(value, list):
            for inner in value:
                look(inner, name)
        elif value is not None and (name.endswith(("_at", "_seen")) or name == "at"):
            assert isinstance(value, str) and value.endswith("Z") and "T" in value, (name, value)
        elif value is not None and name.endswith("_rate"):
            assert 0 <= value <= 1, (name, value)
    look(quiet.browser.get(path).json())


def test_it_reads_nothing_for_a_body(quiet, path):
    answer = quiet.browser.call("GET", path, raw=b'{"x":1}', headers={"Content-Type": "application/json"})
    assert answer.status in (200, 400, 413), answer


def test_one_partners_pages_do_not_depend_on_anothers_credentials(quiet, rival, server, path):
    """The cookie of one and the page of the other: the answer is for the cookie."""
    if "{candidate}" in path or quiet.candidate["id"] in path:
        expect(404, Caller(server, key=rival.api.key).get(path))
    elif path != "/api/partner-auth/me":
        assert rival.api.get(path).body != b"" and rival.api.get(path).json() != quiet.api.get(path).json()
