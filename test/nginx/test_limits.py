"""Request limits, on an instance that has them. Run after everything else: they last for a while."""
import concurrent.futures
import pathlib
import time

from live import KEY, SUMMARY, assert_problem, request

STATS = "/api/partners/me/learning/stats"


def statuses(count, path, headers, method="GET"):
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        return list(pool.map(lambda _: request(method, path, headers=headers), range(count)))


def test_sign_in_is_limited_to_ten_a_minute_and_address():
    answers = [request("POST", "/api/partner-auth/login", b'{"email":"nobody@example.invalid","password":"x"}') for _ in range(12)]
    refused = [answer for answer in answers if answer.status == 429]
    assert [answer.status for answer in answers[:10]].count(429) == 0
    assert len(refused) == 2
    assert_problem(refused[0], 429, "too-many-requests")
    assert 1 <= int(refused[0].headers["Retry-After"]) <= 6


def test_one_key_is_limited_and_another_is_not():
    answers = statuses(900, STATS, {"X-API-Key": "one-key-for-the-limit"})
    refused = [answer for answer in answers if answer.status == 429]
    assert len(refused) > 100
    assert len(answers) - len(refused) >= 300
    assert_problem(refused[0], 429)
    assert refused[0].headers["Retry-After"] == "1"
    assert request("GET", STATS, headers=KEY).status in (200, 429)


def test_p41_what_people_look_for_is_in_no_log_when_they_are_limited_either():
    path = "/api/partners/me/learning/candidates?q=words-of-a-limited-person"
    answers = statuses(900, path, {"X-API-Key": "a-key-that-looks-too-often"})
    assert 429 in {answer.status for answer in answers}
    time.sleep(3)  # nginx writes every two seconds
    for log in (pathlib.Path(SUMMARY["instance_dir"]) / "log").iterdir():
        assert "words-of-a-limited-person" not in log.read_text(errors="replace"), log.name


def test_changing_keys_does_not_get_around_the_address_limit():
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda i: request("GET", STATS, headers={"X-API-Key": f"key-{i}"}).status, range(3000)))
    assert answers.count(429) > 0
