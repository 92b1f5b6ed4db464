"""After what callers can provoke: what only a busy or broken service answers, for every operation of the document."""

import http.client
import time
from io import BytesIO
from urllib.parse import urlparse

import pytest

from house.client import Answer, Caller, expect, raw_request
from house.gateway import gateway
from house.operations import all_operations
from house.owner import Owner

PLENTY = "x" * 9000
ASK_NOTHING = ("/livez", "/api/version", "/api/openapi.json")  # of the database


@pytest.fixture(scope="module")
def owner(quickstart):
    return Owner(quickstart)


@pytest.fixture(scope="module")
def operations(server):
    return all_operations(server.contract)


def key_of(operation):
    return operation.method.lower(), operation.path


@pytest.fixture(scope="module")
def admin(acme):
    return acme.sign_in("admin")


def who_may(operation, acme, admin):
    return acme.main.appliances[0].caller if operation.is_for_appliances else admin


def ask(caller, operation, **options):
    return caller.call(operation.method, operation.address(), body=operation.body_example(), **options)


def other(server, operation, answer, status):
    """The answer has that status, which the document knows as `default` only."""
    expect(status, answer)
    server.contract.check_other(answer, key_of(operation))
    Caller.check_problem(answer)


def wait_until_ready(nobody):
    end = time.monotonic() + 10
    while nobody.call("GET", "/readyz", unchecked=True).status != 200:
        assert time.monotonic() < end, "the handlers do not find the database again"
        time.sleep(0.1)


def is_documented(operation, status):
    return str(status) in operation.node["responses"]


def test_every_operation_has_a_503_while_its_handler_does_not_answer(server, quickstart, operations, tmp_path):
    away = f"server unix:{tmp_path}/"
    with gateway(server, quickstart, tmp_path, "off", lambda text: text.replace(
            f"server unix:{quickstart['instance_dir']}/run/", away)) as beside:
        for operation in operations:
            expect(503, ask(Caller(beside), operation))


def test_every_operation_that_asks_the_database_has_a_503_while_that_is_away(operations, owner, acme, admin, nobody):
    asked_nothing = []
    with owner.database_is_away():
        for operation in operations:
            if ask(who_may(operation, acme, admin), operation).status != 503:
                asked_nothing.append(operation.path)
    wait_until_ready(nobody)
    assert set(asked_nothing) == set(ASK_NOTHING), asked_nothing


def slow_limits(text):
    """The same limits, but a request a minute, so that whoever asks twice has asked too often."""
    for number in ("10r/m", "100r/s", "300r/s"):
        assert number in text
        text = text.replace("rate=" + number, "rate=1r/m")
    for number in (9, 300, 600):
        assert f"burst={number} " in text
        text = text.replace(f"burst={number} ", "burst=1 ")
    return text


def test_every_operation_has_a_429_for_who_asks_too_often(server, quickstart, operations, tmp_path):
    with gateway(server, quickstart, tmp_path, "on", slow_limits) as beside:
        caller = Caller(beside)
        for operation in operations:
            answers = [ask(caller, operation).status for _ in range(3)]
            assert 429 in answers, (operation, answers)


def test_every_operation_has_a_500_when_the_database_refuses(server, operations, owner, acme, admin, nobody):
    with owner.schema_is_gone():
        for operation in operations:
            answer = ask(who_may(operation, acme, admin), operation, unchecked=True)
            if answer.status == 200 and operation.path in (*ASK_NOTHING, "/readyz"):
                server.contract.reasons[key_of(operation), "500"] = "it does nothing that the database could refuse"
            else:
                other(server, operation, answer, 500)
    wait_until_ready(nobody)


def test_every_address_has_a_405_for_another_method(server, operations, nobody):
    for operation in operations:
        other(server, operation, nobody.call("DELETE", operation.address(), unchecked=True), 405)


def test_every_operation_has_a_414_and_a_431_for_what_is_too_long(server, operations, nobody):
    for operation in operations:
        other(server, operation, ask(nobody, operation, unchecked=True, x=PLENTY), 414)
        other(server, operation, ask(nobody, operation, unchecked=True, headers={"X-Plenty": PLENTY}), 431)


def test_every_operation_has_a_413_for_a_body_it_has_no_use_for(server, operations, nobody):
    for operation in operations:
        if not is_documented(operation, 413):
            answer = nobody.call(operation.method, operation.address(), raw=b"x" * 70_000, unchecked=True)
            other(server, operation, answer, 413)


class Received:
    """What requests would have made of an answer."""

    def __init__(self, head, body):
        lines = BytesIO(head.partition("\r\n")[2].encode("latin-1") + b"\r\n\r\n")
        self.status_code, self.content = int(head.split()[1]), body.encode()
        self.headers, self.cookies = http.client.parse_headers(lines), {}


def test_every_operation_has_a_505_for_a_version_of_http_that_is_not_spoken(server, operations):
    host = urlparse(server.url).netloc
    for operation in operations:
        text = f"{operation.method} {operation.address()} HTTP/3.0\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        answer = Answer(operation.method, operation.address(), None, Received(*raw_request(server, text.encode())))
        other(server, operation, answer, 505)
