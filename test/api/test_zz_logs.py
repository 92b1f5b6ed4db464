"""P41, after everything else: the logs hold what operators need and nothing that is secret."""

import json
import time
from pathlib import Path

import pytest

from house.client import LEARNING, expect

MEMBERS = {"request_id", "status"}


@pytest.fixture(scope="module")
def logs(quickstart):
    """The text of every log file of the instance."""
    time.sleep(3)  # nginx writes every two seconds
    folder = Path(quickstart["instance_dir"]) / "log"
    found = {path.name: path.read_text(encoding="utf-8", errors="replace") for path in folder.iterdir() if path.is_file()}
    assert found
    return found


def test_p41_no_key_cookie_password_note_or_reason_is_in_a_log(server, logs):
    assert len(server.secrets) > 20, "nothing secret was said: run this after the other tests"
    for name, text in logs.items():
        for secret in server.secrets:
            for form in {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}:
                assert form not in text, f"{name} holds {secret[:6]}…"


def test_p41_what_people_search_for_is_in_no_log(acme, quickstart):
    word = "patient-jane-doe-1970"
    expect(200, acme.api.get(LEARNING + "/candidates", q=word))
    expect(200, acme.api.get(f"{LEARNING}/candidates/{acme.new_candidate()['id']}", custom_name=word))
    time.sleep(3)
    for path in (Path(quickstart["instance_dir"]) / "log").iterdir():
        assert word not in path.read_text(encoding="utf-8", errors="replace"), path.name


def handler_lines(logs):
    return [line for name, text in logs.items() if "handlers" in name for line in text.splitlines()]


def test_each_line_of_the_handlers_log_is_json(logs):
    lines = handler_lines(logs)
    assert len(lines) > 100
    for line in lines:
        json.loads(line)


def test_p41_each_request_is_logged_with_id_partner_endpoint_status_and_time(acme, quickstart):
    answer = acme.api.call("GET", LEARNING + "/stats", headers={"X-Request-Id": "logged-request-1"})
    partner_id = acme.api.get("/api/partners/me")["id"]
    expect(200, answer)
    time.sleep(1)
    found = []
    for path in (Path(quickstart["instance_dir"]) / "log").iterdir():
        if "handlers" in path.name:
            found += [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()
                      if "logged-request-1" in line]
    assert found, "the request is not in the handlers' log"
    entry = found[-1]
    assert entry["request_id"] == "logged-request-1" and entry["status"] == 200
    text = json.dumps(entry)
    assert "stats" in text and (partner_id in text or acme.slug in text)
    assert any("ms" in name or "seconds" in name or "us" in name for name in entry), entry
    assert "time" in entry or "at" in entry
