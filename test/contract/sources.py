"""The document and docs/errors.md against the C sources: names of problems and of members."""

import glob
import os
import re

# `error_set(error, ERROR_CONFLICT, "rule-exists", …`, `error_fill` likewise, and the one helper that passes a slug on.
PROBLEM = re.compile(r'error_(?:set|fill)\(\s*[^,()]+,\s*(ERROR_\w+),\s*"([^"]+)"')
CONFLICT = re.compile(r'\brefuse\(&rule, "([^"]+)"')
KIND = re.compile(r"^\s*(ERROR_\w+),\s*/\* (\d{3})", re.MULTILINE)
WRITTEN = re.compile(r'\bjson_(?:text|string|number|integer|bool|pg_time|pg_bool|raw|null|open_object|open_array)\(\s*&?\w+,\s*"(\w+)"')
READ = re.compile(r'(?:json_member\(\w+, |copy_\w+\(batch, execution, )"(\w+)"')
# `log_event(LOG_INFO, "serving", …`, and the one helper that passes a word on.
EVENT = re.compile(r'\b(?:log_event\(\s*\w+,\s*|log_failure\(|json_text\(&line, "event", )"([^"]+)"')
EVENT_ROW = re.compile(r"^\| `([a-z0-9-]+)` \| (?:(?:debug|info|warning|error)(?:, )?)+ \|", re.MULTILINE)
ROW = re.compile(r"^\| `([a-z0-9-]+)` \| (\d{3}) \|", re.MULTILINE)


def text_of(*patterns, without=()):
    """The text of all files that the patterns name, in one."""
    found = sorted(path for pattern in patterns for path in glob.glob(pattern) if os.path.isfile(path) and path not in without)
    texts = []
    for path in found:
        with open(path, encoding="utf-8") as file:
            texts.append(file.read())
    return "\n".join(texts)


def statuses():
    """The status of each kind of error, as base/error.h says it."""
    return {kind: status for kind, status in KIND.findall(text_of("lib/base/error.h"))}


def problems_in_code():
    """{(slug, status)} of everything that the handlers can answer with."""
    status_of = statuses()
    status_of["ERROR_METHOD"] = "405"
    # What operators.c refuses goes to the operators' command, and what the L1 engine refuses to appliances: not into an answer.
    engine = ("load_tree", "condition", "rule_set", "rule_folder")
    code = text_of("lib/*/*.c", "cgi/*.c", without=("lib/promotion/operators.c", *(f"lib/rules/{name}.c" for name in engine)))
    found = {(slug, status_of[kind]) for kind, slug in PROBLEM.findall(code)}
    return found | {(slug, "409") for slug in CONFLICT.findall(code)}


def problems_of_nginx():
    """{(slug, status)} of what nginx answers by itself."""
    found = set()
    for line in text_of("deploy/nginx/problems").splitlines():
        if line.strip() and not line.startswith("#"):
            _, status, slug = [part.strip() for part in line.split("|")][:3]
            found.add((slug, status))
    return found


def check_errors(report):
    listed = ROW.findall(text_of("docs/errors.md"))
    report.check(len(listed) == len(set(listed)), "docs/errors.md lists a problem twice")
    used = problems_in_code() | problems_of_nginx()
    report.check(len(problems_in_code()) > 20, "hardly any problem was found in the sources: this check no longer reads them")
    report.same(used, listed, "docs/errors.md does not list this problem (slug, status)",
                "docs/errors.md lists a problem (slug, status) that nothing answers with")


def check_events(report):
    """Every word that operators search logs for is explained, and every one explained is written."""
    written = EVENT.findall(text_of("lib/*/*.c", "cgi/*.c", "deploy/supervisor/*.c"))
    explained = EVENT_ROW.findall(text_of("docs/logs.md"))
    report.check(len(written) > 8, "hardly any event was found in the sources: this check no longer reads them")
    report.check(len(explained) == len(set(explained)), "docs/logs.md explains an event twice")
    report.same(set(written), explained, "docs/logs.md does not explain the event", "docs/logs.md explains an event that nothing writes")


def check_problem_examples(document, report):
    """Examples of problems use names that exist."""
    listed = set(ROW.findall(text_of("docs/errors.md")))

    def walk(node):
        if isinstance(node, dict):
            if str(node.get("type", "")).startswith("urn:flywheel:problem:"):
                pair = (node["type"].rsplit(":", 1)[1], str(node["status"]))
                report.check(pair in listed, f"an example has the problem {pair}, which docs/errors.md does not list")
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(document.tree)


def property_names(document, schema, seen):
    """Names of all members that a schema describes, at any depth."""
    if "$ref" in schema:
        if schema["$ref"] in seen:
            return set()
        seen.add(schema["$ref"])
        return property_names(document, document.resolve(schema), seen)
    found = set(schema.get("properties", {}))
    inner = list(schema.get("properties", {}).values()) + schema.get("anyOf", []) + schema.get("oneOf", [])
    inner += [schema[keyword] for keyword in ("items", "then") if isinstance(schema.get(keyword), dict)]
    for part in inner:
        found |= property_names(document, part, seen)
    return found


def answered(document):
    """Names of the members of all answers; the document itself, as an answer, is not one of them."""
    found = set()
    for _, path, operation in document.operations():
        for response in operation["responses"].values() if path != "/api/openapi.json" else ():
            for media in document.resolve(response).get("content", {}).values():
                found |= property_names(document, media["schema"], set())
    return found


def check_answers(document, report):
    """Every member that a handler writes is described, and every member described is written somewhere."""
    written = set(WRITTEN.findall(text_of("cgi/*.c", "lib/http/problem.c")))
    known = answered(document)
    report.check(len(written) > 40, "hardly any member was found in the handlers: this check no longer reads them")
    for name in sorted(written):
        report.check(name in known, f"a handler writes the member {name}, no answer is described with it")
    everything = text_of("cgi/*.c", "lib/*/*.c")
    for name in sorted(known):
        report.check(f'"{name}"' in everything, f"an answer is described with the member {name}, which is written nowhere")


def check_reports(document, report):
    """The appliances' open bodies: what is read is described, and what is described is read, or marked as passed over."""
    code = text_of("lib/promotion/report*.c", "lib/promotion/acknowledge.c")
    known, passed_over = set(), set()
    for name in ("PatternPush", "PatternStats", "ExecutionReport", "ReportedExecution", "RuleAcknowledgement"):
        schema = document.tree["components"]["schemas"][name]
        known |= set(schema["properties"])
        passed_over |= {member for member, part in schema["properties"].items() if part.get("x-passed-over")}
    read = set(READ.findall(code))
    report.check(read, "no member was found that appliances' reports are read for")
    for name in sorted(read):
        report.check(name in known, f"reports are read for the member {name}, which is not described")
    for name in sorted(known - passed_over):
        report.check(f'"{name}"' in code, f"a report is described with the member {name}, which nothing reads")
    for name in sorted(passed_over):
        report.check(f'"{name}"' not in code, f"the member {name} is said to be passed over, and is read")


def check_sources(document, report):
    report.check(os.path.exists("docs/errors.md"), "docs/errors.md is missing")
    check_errors(report)
    check_events(report)
    check_problem_examples(document, report)
    check_answers(document, report)
    check_reports(document, report)
