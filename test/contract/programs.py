"""The document against what the handler programs declare (`--describe`), and against nginx's table of routes."""

import json
import os
import subprocess

# What a program's `access` means in the document. Each alternative is enough.
SECURITY = {
    "public": ([], [{}, {"session": []}]),
    "read": ([{"apiKey": ["read"]}, {"session": []}],),
    "decide": ([{"apiKey": ["decide"]}, {"session": ["approver"]}],),
    "admin": ([{"apiKey": ["admin"]}, {"session": ["admin"]}],),
    "session": ([{"session": []}],),
    "user": ([{"session": []}, {"apiKey": ["person"]}],),
    "agent": ([{"appliance": []}],),
}
TEXT = ("name", "prose", "secret")
ANNOTATIONS = ("description", "default", "format")


def programs(build):
    """The handler programs of a build, by name."""
    folder = os.path.join(build, "handlers")
    found = {}
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if os.path.isfile(path) and os.access(path, os.X_OK) and not name.endswith(".so"):
            found[name] = path
    return found


def described(build):
    """(program, endpoint) of everything that the programs declare."""
    for name, path in programs(build).items():
        answer = subprocess.run([path, "--describe"], check=True, capture_output=True, timeout=60)
        for endpoint in json.loads(answer.stdout):
            yield name, endpoint


def routes(path):
    """{(method, path): (program, class)} of nginx's table."""
    with open(path, encoding="utf-8") as file:
        rows = [line.split() for line in file if line.strip() and not line.startswith("#")]
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}


def schema_of(declared, nullable):
    """The schema that says the same as a declared input."""
    kind = declared["type"]
    if kind == "integer":
        schema = {"type": "integer", "minimum": declared["lowest"], "maximum": declared["highest"]}
    elif kind == "boolean":
        schema = {"type": "boolean"}
    elif kind == "choice":
        schema = {"type": "string", "enum": list(declared["choices"])}
    elif kind == "choices":
        schema = {"type": "array", "minItems": declared["lowest"], "maxItems": declared["highest"], "uniqueItems": True,
                  "items": {"type": "string", "enum": list(declared["choices"])}}
    elif kind in TEXT:
        schema = {"type": "string", "maxLength": declared["highest"]}
        if declared["lowest"] > 0:
            schema["minLength"] = declared["lowest"]
    else:
        schema = {"type": f"unknown to this check: {kind}"}
    if nullable:  # null stands for "not given" wherever a member of a body may be left out
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"].append(None)
    return schema


def bare(schema):
    return {key: value for key, value in schema.items() if key not in ANNOTATIONS}


def check_inputs(report, place, kind, declared, documented, required, nullable):
    """Names, types, bounds and choices of query parameters or members."""
    table = {entry["name"]: entry for entry in declared}
    report.same(table, documented, f"{place}: the program takes this {kind}, the document does not know it",
                f"{place}: the document describes this {kind}, the program does not take it")
    for name in table.keys() & documented.keys():
        entry = table[name]
        report.check(entry["required"] == (name in required), f"{place}: {kind} {name}: required differs")
        wanted = schema_of(entry, nullable and not entry["required"])
        report.check(bare(documented[name]) == wanted, f"{place}: {kind} {name} is {bare(documented[name])}, declared {wanted}")


def check_body(report, document, place, endpoint, operation):
    schema = document.body_schema(operation)
    if endpoint["body"] == "none":
        report.check(schema is None, f"{place}: the program takes no body")
        return
    if not report.check(schema is not None, f"{place}: the program takes a body"):
        return
    must = document.resolve(operation["requestBody"]).get("required", False)
    if endpoint["body"] == "open":
        report.check(schema.get("additionalProperties", True) is not False, f"{place}: the body is open, the schema is closed")
        report.check(must, f"{place}: the body must be sent")
        return
    report.check(schema.get("additionalProperties") is False, f"{place}: the body is closed, the schema is not")
    report.check(must == any(member["required"] for member in endpoint["members"]), f"{place}: whether a body is needed differs")
    properties = {name: document.resolve(member) for name, member in schema.get("properties", {}).items()}
    check_inputs(report, place, "member", endpoint["members"], properties, schema.get("required", []), True)


def check_query(report, document, place, endpoint, operation):
    parameters = document.parameters(operation, "query")
    schemas = {name: document.resolve(parameter["schema"]) for name, parameter in parameters.items()}
    required = {name for name, parameter in parameters.items() if parameter.get("required")}
    check_inputs(report, place, "query parameter", endpoint["query"], schemas, required, False)


def check_programs(document, report, build):
    operations = {(method, path): operation for method, path, operation in document.operations()}
    declared = {}
    for program, endpoint in described(build):
        key = (endpoint["method"], endpoint["path"])
        report.check(key not in declared, f"{program} and {declared.get(key)} both serve {key}")
        declared[key] = program
        place = f"{program}: {endpoint['method']} {endpoint['path']}"
        if not report.check(key in operations, f"{place} is not in the document"):
            continue
        operation = operations[key]
        report.check(operation["operationId"] == endpoint["operation"],
                     f"{place} is called {endpoint['operation']} in the program and {operation['operationId']} in the document")
        report.check(operation["security"] in SECURITY[endpoint["access"]],
                     f"{place} is for {endpoint['access']}, the document says {operation['security']}")
        idempotent = "Idempotency-Key" in document.parameters(operation, "header")
        change = endpoint["access"] in ("decide", "admin") and endpoint["method"] != "GET"
        report.check(idempotent == change, f"{place}: Idempotency-Key is taken by decisions and admins' changes, and by nothing else")
        check_query(report, document, place, endpoint, operation)
        check_body(report, document, place, endpoint, operation)
    report.check(declared, "no program declares anything")
    for key in operations.keys() - declared.keys():
        report.check(False, f"{' '.join(key)} is in the document and no program serves it")
    return declared


def check_routes(report, declared, table):
    """nginx leads each operation to the program that declares it, and nothing else to anywhere."""
    for key in sorted(declared.keys() | table.keys()):
        place = " ".join(key)
        if report.check(key in table, f"nginx does not route {place}") and \
           report.check(key in declared, f"nginx routes {place}, which no program declares"):
            report.check(table[key][0] == declared[key], f"nginx routes {place} to {table[key][0]}, {declared[key]} serves it")
