"""The API description: reading it, and what OpenAPI 3.1 and the habits of this API ask of it."""

import re

import jsonschema
import yaml

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
PROBLEM = "application/problem+json"

# OpenAPI 3.1: the fields an object must have, and those it may have besides. `x-…` is always allowed.
OBJECTS = {
    "openapi": ({"openapi", "info", "paths", "components"}, {"jsonSchemaDialect", "servers", "tags", "security"}),
    "info": ({"title", "version"}, {"summary", "description", "termsOfService", "contact", "license"}),
    "path": (set(), {"summary", "description", "servers", "parameters"} | set(METHODS)),
    "operation": ({"operationId", "summary", "tags", "security", "responses"},
                  {"description", "parameters", "requestBody", "deprecated"}),
    "parameter": ({"name", "in", "schema"}, {"description", "required", "example", "examples"}),
    "request body": ({"content"}, {"description", "required"}),
    "response": ({"description"}, {"headers", "content"}),
    "header": ({"description", "schema"}, {"required", "example", "examples"}),
    "media type": ({"schema"}, {"example", "examples"}),
    "example": ({"value"}, {"summary", "description"}),
    "components": (set(), {"securitySchemes", "parameters", "headers", "responses", "schemas"}),
    "security scheme": ({"type", "description"}, {"name", "in", "scheme", "bearerFormat"}),
}
# Keywords of JSON Schema 2020-12 that this document uses; anything else is a slip of the pen.
KEYWORDS = {
    "$ref", "type", "enum", "const", "description", "default", "format", "pattern", "minLength", "maxLength",
    "minimum", "maximum", "minItems", "maxItems", "uniqueItems", "items", "properties", "required", "additionalProperties",
    "anyOf", "oneOf", "if", "then",
}


def load(path):
    with open(path, encoding="utf-8") as file:
        return yaml.safe_load(file)


class Document:
    def __init__(self, path):
        self.tree = load(path)
        self.resolver = jsonschema.RefResolver.from_schema(self.tree)

    def resolve(self, node):
        while isinstance(node, dict) and "$ref" in node:
            _, node = self.resolver.resolve(node["$ref"])
        return node

    def operations(self):
        """(method in capitals, path, operation) of each."""
        for path, item in self.tree["paths"].items():
            for method in METHODS:
                if method in item:
                    yield method.upper(), path, item[method]

    def parameters(self, operation, place):
        resolved = (self.resolve(parameter) for parameter in operation.get("parameters", []))
        return {parameter["name"]: parameter for parameter in resolved if parameter["in"] == place}

    def body_schema(self, operation):
        """The schema of the JSON body, or None when the operation takes none."""
        if "requestBody" not in operation:
            return None
        return self.resolve(self.resolve(operation["requestBody"])["content"]["application/json"]["schema"])

    def errors_of(self, schema, value):
        validator = jsonschema.Draft202012Validator(schema, resolver=self.resolver,
                                                    format_checker=jsonschema.FormatChecker())
        return [f"{'/'.join(map(str, error.path)) or 'top'}: {error.message[:120]}"
                for error in validator.iter_errors(value)]


def nodes(node, place=""):
    """Every mapping of the document with its place, values left out: they are data. (An answer may be called `default`.)"""
    if isinstance(node, dict):
        yield place, node
        for key, value in node.items():
            if key not in ("example", "examples", "enum", "const") and (key != "default" or place.endswith("/responses")):
                yield from nodes(value, f"{place}/{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from nodes(value, f"{place}/{index}")


class Structure:
    """Walks the document object by object; what several operations share is checked once."""

    def __init__(self, document, report):
        self.document = document
        self.report = report
        self.seen = set()

    def first_time(self, node):
        fresh = id(node) not in self.seen
        self.seen.add(id(node))
        return fresh

    def fields(self, kind, node, place):
        must, may = OBJECTS[kind]
        own = {key for key in node if not key.startswith("x-")}
        self.report.check(must <= own <= must | may, f"{place}: this {kind} lacks {sorted(must - own)}, or has "
                          f"{sorted(own - must - may)}, which it cannot have")

    def examples(self, node, schema, place, needed):
        """The examples of a media type, parameter or header fit its schema."""
        found = {name: example["value"] for name, example in node.get("examples", {}).items()}
        if "example" in node:
            found["example"] = node["example"]
        if needed:
            self.report.check(found, f"{place}: there is no example")
        for name, value in found.items():
            errors = self.document.errors_of(schema, value)
            self.report.check(not errors, f"{place}: {name} does not fit the schema: {errors[:3]}")
        for name, example in node.get("examples", {}).items():
            self.fields("example", example, f"{place}/examples/{name}")
        return found

    def content(self, node, place, needed):
        found = {}
        for media_type, media in node.get("content", {}).items():
            self.fields("media type", media, f"{place} {media_type}")
            found[media_type] = self.examples(media, media["schema"], f"{place} {media_type}", needed)
        return found

    def header(self, name, node, place):
        node = self.document.resolve(node)
        if not self.first_time(node):
            return
        self.fields("header", node, f"{place} header {name}")
        self.examples(node, node["schema"], f"{place} header {name}", False)

    def response(self, status, node, place):
        response = self.document.resolve(node)
        if not self.first_time(response):
            return set(response.get("headers", {}))
        self.fields("response", response, place)
        for name, header in response.get("headers", {}).items():
            self.header(name, header, place)
        found = self.content(response, place, True)
        if status == "default" or int(status) >= 400:
            self.report.check(set(found) == {PROBLEM}, f"{place}: an error is not a problem document")
        for example in found.get(PROBLEM, {}).values():
            self.report.check(status in ("default", str(example["status"])), f"{place}: an example has status {example['status']}")
        return set(response.get("headers", {}))

    def parameter(self, node, place):
        parameter = self.document.resolve(node)
        if self.first_time(parameter):
            self.fields("parameter", parameter, f"{place} parameter")
            self.examples(parameter, parameter["schema"], f"{place} parameter {parameter['name']}", False)
        return parameter["in"], parameter["name"]

    def operation(self, method, path, operation):
        place = f"{method} {path}"
        self.fields("operation", operation, place)
        names = [self.parameter(node, place) for node in operation.get("parameters", [])]
        self.report.check(len(names) == len(set(names)), f"{place}: a parameter is declared twice")
        in_path = {name for where, name in names if where == "path"}
        self.report.check(in_path == set(re.findall(r"\{(\w+)\}", path)), f"{place}: path parameters differ from the path")
        if "requestBody" in operation:
            body = self.document.resolve(operation["requestBody"])
            self.fields("request body", body, f"{place} body")
            self.content(body, f"{place} body", True)
        self.responses(method, place, operation)

    def responses(self, method, place, operation):
        """The structure of the answers, and what this API promises about them."""
        headers = {}
        for status, node in operation["responses"].items():
            self.report.check(re.fullmatch(r"[1-5]\d\d|default", status), f"{place}: {status} is no status")
            headers[status] = self.response(status, node, f"{place} {status}")
        promised = {"401": "WWW-Authenticate", "429": "Retry-After", "503": "Retry-After", "default": "Allow"}
        if method == "GET":
            promised.update({"200": "ETag", "304": "ETag"})
        for status, names in headers.items():
            wanted = {"X-Request-Id"} | ({promised[status]} if status in promised else set())
            self.report.check(wanted <= names, f"{place} {status}: {sorted(wanted - names)} is not described")
        needed = {"400", "429", "503", "default"} | ({"304"} if method == "GET" else {"403"})
        needed |= {"201"} if "201" in headers else {"200"}
        if "requestBody" in operation:
            needed |= {"413", "415", "422"}
        if "{id}" in place:
            needed |= {"404"}
        self.report.check(not needed - set(headers), f"{place}: the answers {sorted(needed - set(headers))} are missing")


def check_references(document, report):
    """Every $ref leads somewhere, and every component is referred to. False when some lead nowhere."""
    used, whole = set(), True
    for place, node in nodes(document.tree):
        reference = node.get("$ref")
        if not isinstance(reference, str) or reference in used:
            continue
        used.add(reference)
        try:
            document.resolver.resolve(reference)
            found = True
        except jsonschema.RefResolutionError:
            found = False
        whole &= report.check(found, f"{place}: {reference} leads nowhere")
    for kind, components in document.tree["components"].items():
        for name in components if kind != "securitySchemes" else ():
            report.check(f"#/components/{kind}/{name}" in used, f"components/{kind}/{name} is not used")
    return whole


def schemas_of(node, place):
    """The schema at `node` and those inside it."""
    yield place, node
    for name, schema in node.get("properties", {}).items():
        yield from schemas_of(schema, f"{place}/{name}")
    for keyword in ("items", "additionalProperties", "if", "then"):
        if isinstance(node.get(keyword), dict):
            yield from schemas_of(node[keyword], f"{place}/{keyword}")
    for keyword in ("anyOf", "oneOf"):
        for index, schema in enumerate(node.get(keyword, [])):
            yield from schemas_of(schema, f"{place}/{keyword}/{index}")


def all_schemas(document):
    for name, schema in document.tree["components"]["schemas"].items():
        yield from schemas_of(schema, name)
    for place, node in nodes(document.tree):
        if "schema" in node and not place.startswith("/components/schemas"):
            yield from schemas_of(node["schema"], place)


def check_schemas(document, report):
    for place, schema in all_schemas(document):
        try:
            jsonschema.Draft202012Validator.check_schema(schema)
            flaw = ""
        except jsonschema.SchemaError as error:
            flaw = error.message
        unknown = {key for key in schema if not key.startswith("x-")} - KEYWORDS
        missing = set(schema.get("required", [])) - set(schema["properties"]) if "properties" in schema else set()
        if unknown or missing:
            flaw = f"unknown keywords {sorted(unknown)}, required but not described {sorted(missing)}"
        report.check(not flaw, f"{place} is no good schema: {flaw}")


def check_security(document, report):
    schemes = document.tree["components"]["securitySchemes"]
    used = {name for _, _, operation in document.operations() for needed in operation["security"] for name in needed}
    report.same(schemes, used, "a security scheme is never used", "a security scheme is not described")


def check_document(document, report):
    """False when the document is so broken that nothing can be compared with it."""
    if not check_references(document, report):
        return False
    structure = Structure(document, report)
    structure.fields("openapi", document.tree, "document")
    structure.fields("info", document.tree["info"], "info")
    structure.fields("components", document.tree["components"], "components")
    report.check(document.tree["openapi"].startswith("3.1."), "the document is not OpenAPI 3.1")
    for name, scheme in document.tree["components"]["securitySchemes"].items():
        structure.fields("security scheme", scheme, f"securitySchemes/{name}")
    tags = [tag["name"] for tag in document.tree["tags"]]
    identifiers = []
    for path, item in document.tree["paths"].items():
        structure.fields("path", item, path)
        report.check(path.startswith("/"), f"{path} does not begin with a slash")
    for method, path, operation in document.operations():
        structure.operation(method, path, operation)
        identifiers.append(operation["operationId"])
        report.check(set(operation["tags"]) <= set(tags), f"{method} {path}: a tag is not described")
    report.check(identifiers, "the document describes no operation")
    report.check(len(identifiers) == len(set(identifiers)), "an operationId is used twice")
    check_schemas(document, report)
    check_security(document, report)
    return True
