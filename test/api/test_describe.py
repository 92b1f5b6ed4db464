"""The handlers' own tables of inputs (`--describe`) against docs/openapi.yaml: neither knows what the other does not."""

import json
import subprocess
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def endpoints(quickstart):
    """What all handlers describe, by (method, path)."""
    described = {}
    for program in sorted(Path(quickstart["handlers_dir"]).iterdir()):
        if program.suffix:
            continue
        done = subprocess.run([str(program), "--describe"], capture_output=True, check=True, timeout=30)
        for endpoint in json.loads(done.stdout):
            key = (endpoint["method"].lower(), endpoint["path"])
            assert key not in described, f"two handlers serve {key}"
            described[key] = endpoint
    return described


def test_handlers_and_document_know_the_same_operations(endpoints, server):
    assert set(endpoints) == set(server.contract.operations)
    for key, endpoint in endpoints.items():
        assert server.contract.operations[key][1]["operationId"] == endpoint["operation"]


def parameters(contract, operation, place):
    found = {}
    for parameter in operation.get("parameters", []):
        parameter = contract.resolve(parameter)
        if parameter["in"] == place:
            found[parameter["name"]] = (parameter.get("required", False), contract.resolve(parameter["schema"]))
    return found


def agrees(contract, declared, required, schema, what):
    """A declared input and a schema say the same."""
    assert declared["required"] == required, what
    kind = declared["type"]
    types = schema.get("type") if isinstance(schema.get("type"), list) else [schema.get("type")]
    if not required:  # a body may say null for what it leaves out
        types = [name for name in types if name != "null"]
    if kind == "integer":
        assert types == ["integer"], what
        assert (schema["minimum"], schema["maximum"]) == (declared["lowest"], declared["highest"]), what
    elif kind == "boolean":
        assert types == ["boolean"], what
    elif kind == "choice":
        values = schema.get("enum", ["true", "false"])
        assert sorted(value for value in values if value is not None) == sorted(declared["choices"]), what
    elif kind == "choices":
        assert types == ["array"] and schema["uniqueItems"] is True, what
        assert (schema["minItems"], schema["maxItems"]) == (declared["lowest"], declared["highest"]), what
        assert sorted(schema["items"]["enum"]) == sorted(declared["choices"]), what
    else:
        assert types == ["string"], what
        assert schema.get("maxLength") == declared["highest"], what
        assert schema.get("minLength", 0) == declared["lowest"], what


def test_queries_agree_in_name_type_and_bounds(endpoints, server):
    contract = server.contract
    for key, endpoint in endpoints.items():
        operation = contract.operations[key][1]
        documented = parameters(contract, operation, "query")
        if endpoint["body"] == "open" and not endpoint["query"]:
            continue
        assert set(documented) == {declared["name"] for declared in endpoint["query"]}, key
        for declared in endpoint["query"]:
            required, schema = documented[declared["name"]]
            agrees(contract, declared, required, schema, f"{key} {declared['name']}")


def test_closed_bodies_agree_in_name_type_and_bounds(endpoints, server):
    contract, count = server.contract, 0
    for key, endpoint in endpoints.items():
        operation = contract.operations[key][1]
        if endpoint["body"] != "closed" or not endpoint["members"]:
            continue
        count += 1
        body = contract.resolve(operation["requestBody"])
        schema = contract.resolve(body["content"]["application/json"]["schema"])
        assert schema["type"] == "object" and schema["additionalProperties"] is False, key
        assert set(schema["properties"]) == {declared["name"] for declared in endpoint["members"]}, key
        for declared in endpoint["members"]:
            agrees(contract, declared, declared["name"] in schema.get("required", []),
                   contract.resolve(schema["properties"][declared["name"]]), f"{key} {declared['name']}")
    assert count >= 4


def test_only_what_is_public_lacks_a_security_requirement(endpoints, server):
    document = server.contract.document
    for key, endpoint in endpoints.items():
        operation = server.contract.operations[key][1]
        requirements = operation.get("security", document.get("security", []))
        assert bool(requirements) == (endpoint["access"] != "public" or key[1].endswith("/logout")), key
