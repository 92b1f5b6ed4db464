"""What anybody may ask: is it alive, is it ready, what is it."""

import json

import pytest
import yaml

from house import openapi
from house.client import LEARNING, expect


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/api/version", "/api/openapi.json"])
def test_it_needs_no_sign_in(nobody, path):
    expect(200, nobody.get(path))
    head = expect(200, nobody.call("HEAD", path))
    assert head.body == b""


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/api/version", "/api/openapi.json"])
def test_it_takes_no_parameters_and_knows_entity_tags(nobody, path):
    expect(400, nobody.get(path, verbose="1"))
    tag = expect(200, nobody.get(path)).headers["ETag"]
    expect(304, nobody.call("GET", path, headers={"If-None-Match": tag}))


def test_the_version_is_named(nobody):
    version = expect(200, nobody.get("/api/version")).json()
    assert version["version"]


def test_the_openapi_document_that_is_served_is_the_one_in_docs(nobody):
    served = expect(200, nobody.get("/api/openapi.json")).json()
    with open(openapi.DOCUMENT, encoding="utf-8") as file:
        assert served == json.loads(json.dumps(yaml.safe_load(file)))
    assert served["openapi"].startswith("3.1")


def test_every_operation_of_the_document_has_an_id_a_summary_and_its_errors(server):
    ids = set()
    for (_, path), (_, operation) in server.contract.operations.items():
        ids.add(operation["operationId"])
        assert operation["summary"], path
        assert any(status.startswith("2") for status in operation["responses"]), path
        if path.startswith(LEARNING):
            assert {"401", "429", "503"} <= set(operation["responses"]), path
    assert len(ids) == len(server.contract.operations)


def test_the_examples_of_the_document_fit_their_schemas(server):
    contract, count = server.contract, 0
    for (method, path), (_, operation) in contract.operations.items():
        bodies = [(status, contract.resolve(response)) for status, response in operation["responses"].items()]
        bodies.append(("request", contract.resolve(operation.get("requestBody", {}))))
        for status, body in bodies:
            for media_type, content in body.get("content", {}).items():
                examples = [example["value"] for example in map(contract.resolve, content.get("examples", {}).values())]
                examples += [content["example"]] if "example" in content else []
                for example in examples:
                    contract.validate(content["schema"], example, f"{method} {path} {status} {media_type}")
                    count += 1
    assert count >= 10


def test_the_document_has_the_contracts_operations(server):
    known = {key for key in server.contract.operations}
    learning = LEARNING
    for operation in (("get", learning + "/stats"), ("get", learning + "/candidates"),
                      ("get", learning + "/candidates/{id}"), ("post", learning + "/candidates/{id}/approve"),
                      ("post", learning + "/candidates/{id}/reject"), ("get", learning + "/promoted-rules"),
                      ("patch", learning + "/promoted-rules/{id}/status"),
                      ("post", learning + "/promoted-rules/{id}/deploy"), ("get", learning + "/execution-history"),
                      ("post", "/api/partner-auth/login"), ("post", "/api/partner-auth/logout"),
                      ("get", "/api/partner-auth/me"), ("get", "/api/partners/me"), ("get", "/api/partners/me/sites"),
                      ("post", "/api/agent/sync/pattern-stats"), ("post", "/api/agent/executions"),
                      ("get", "/livez"), ("get", "/readyz"), ("get", "/api/version"), ("get", "/api/openapi.json")):
        assert operation in known, operation


def test_the_audit_log_can_be_read(acme):
    acme.new_rule()
    page = expect(200, acme.api.get(LEARNING + "/audit", limit=5)).json()
    assert page["entries"] if "entries" in page else page
