"""Holds every answer of the live server against docs/openapi.yaml.

OpenAPI 3.1 schemas are JSON Schema 2020-12. An operation or a status that the document does not know is a
failure, as is a body or a required header that does not fit. Operations that were exercised are remembered;
test_zz_coverage.py fails for those that never were.
"""

import json
import re
from pathlib import Path

import jsonschema
import yaml

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "openapi.yaml"
METHODS = ("get", "put", "post", "delete", "patch")


class Contract:
    """The document, and what of it has been seen."""

    def __init__(self, document):
        self.document = document
        self.resolver = jsonschema.RefResolver.from_schema(document)
        self.exercised = set()  # ((method, template), status)
        self.reasons = {}  # the same: why that status was not exercised
        self.operations = {}
        for path, item in document["paths"].items():
            template = re.compile("^" + re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.escape(path)) + "$")
            for method in METHODS:
                if method in item:
                    self.operations[(method, path)] = (template, item[method])

    def find(self, method, path):
        """((method, template), operation) of a request, or None. A fixed path goes before a template."""
        method = "get" if method == "HEAD" else method.lower()
        found = [(key, operation) for key, (template, operation) in self.operations.items()
                 if key[0] == method and template.match(path)]
        found.sort(key=lambda entry: "{" in entry[0][1])
        return found[0] if found else None

    def resolve(self, node):
        """The node itself, or what its $ref names."""
        while "$ref" in node:
            _, node = self.resolver.resolve(node["$ref"])
        return node

    def validate(self, schema, value, what):
        validator = jsonschema.Draft202012Validator(schema, resolver=self.resolver,
                                                    format_checker=jsonschema.FormatChecker())
        errors = sorted(validator.iter_errors(value), key=lambda error: list(error.path))
        assert not errors, what + ": " + "; ".join(
            f"{'/'.join(map(str, error.path)) or '(top)'}: {error.message[:300]}" for error in errors[:5])

    def check_problem(self, answer, what):
        """An answer outside any operation (unknown path or method) is still a problem document."""
        assert answer.media_type == "application/problem+json", f"{what}: {answer.media_type}"
        if answer.method != "HEAD":
            self.validate({"$ref": "#/components/schemas/Problem"}, answer.json(), what)

    def check(self, answer, undocumented=False):
        what = f"{answer.method} {answer.path} → {answer.status}"
        found = self.find(answer.method, answer.path)
        if found is None:
            assert undocumented and answer.status >= 400, f"{what}: no such operation in the document"
            self.check_problem(answer, what)
            return
        key, operation = found
        self.exercised.add((key, str(answer.status)))
        assert str(answer.status) in operation["responses"], f"{what}: a status the document does not know"
        response = self.resolve(operation["responses"][str(answer.status)])
        self.check_headers(response, answer, what)
        self.check_body(response, answer, what)
        if answer.status < 300 and answer.sent is not None:
            self.check_request(operation, answer, what)

    def other_statuses(self):
        """Those that `default` stands for, as its description lists them."""
        description = self.document["components"]["responses"]["OtherProblem"]["description"]
        return set(re.findall(r"\b[45]\d\d\b", description))

    def check_other(self, answer, key):
        """An answer that the operation `key` documents as `default` only."""
        what, (_, operation) = f"{answer.method} {answer.path} → {answer.status}", self.operations[key]
        assert str(answer.status) not in operation["responses"], f"{what}: documented, and so no other status"
        assert str(answer.status) in self.other_statuses(), f"{what}: not among those that `default` stands for"
        response = self.resolve(operation["responses"]["default"])
        self.check_headers(response, answer, what)
        self.check_body(response, answer, what)
        self.exercised |= {(key, str(answer.status)), (key, "default")}

    def check_headers(self, response, answer, what):
        for name, header in response.get("headers", {}).items():
            header = self.resolve(header)
            value = answer.headers.get(name)
            assert value is not None or not header.get("required"), f"{what}: no {name} header"
            if value is not None and header.get("schema", {}).get("type") == "string":
                self.validate(header["schema"], value, f"{what}: {name}")

    def check_body(self, response, answer, what):
        content = response.get("content")
        if answer.method == "HEAD" or answer.status == 304:
            assert answer.body == b"", f"{what}: has a body"
            return
        if not content:
            assert answer.body == b"", f"{what}: has a body that the document does not know"
            return
        assert answer.media_type in content, f"{what}: {answer.media_type} is not in the document"
        schema = content[answer.media_type].get("schema")
        assert schema is not None, f"{what}: the document has no schema"
        if answer.media_type.endswith("json"):
            self.validate(schema, json.loads(answer.body), what)

    def check_request(self, operation, answer, what):
        """What was accepted, the document must allow."""
        body = self.resolve(operation.get("requestBody", {"content": {}}))
        schema = body["content"].get("application/json", {}).get("schema")
        assert schema is not None, f"{what}: accepts a body that the document does not know"
        self.validate(schema, answer.sent, what + ": the request")


def load():
    """The contract; None while the document describes nothing, which test_service.py does not let pass."""
    with open(DOCUMENT, encoding="utf-8") as file:
        document = yaml.safe_load(file)
    return Contract(document) if document["paths"] else None
