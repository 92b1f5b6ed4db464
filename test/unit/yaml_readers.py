#!/usr/bin/python3
"""P11: what the library writes as YAML, other readers understand identically.

Runs `test_round_trip --dump` and reads each rule's YAML with PyYAML as a YAML 1.1 reader and, with the
core schema of YAML 1.2 in its place, as a 1.2 reader. Both must give what the library's JSON gives, in
the same order of members. The canonical JSON is held against RFC 8785.
"""

import json
import re
import subprocess
import sys

import yaml


class Yaml11(yaml.SafeLoader):
    """PyYAML in Python (no libyaml), as appliances in the field read."""


class Yaml12(yaml.SafeLoader):
    """The same grammar with the scalars of YAML 1.2 section 10.3 (core schema)."""

    yaml_implicit_resolvers = {}


CORE = [
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
     list("-+0123456789.")),
]
for tag, pattern, first in CORE:
    Yaml12.add_implicit_resolver("tag:yaml.org,2002:" + tag, re.compile("^(?:" + pattern + ")$"), first)
Yaml12.add_constructor("tag:yaml.org,2002:float",
                       lambda loader, node: float(loader.construct_scalar(node)))


def same(a, b):
    """Equal, of the same types (numbers by value), with members in the same order."""
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, (int, float)):
        return isinstance(b, (int, float)) and a == b
    return type(a) is type(b) and a == b


def canonical_is_right(text, rule):
    """Sorted keys, no spaces, nothing escaped that need not be, and the rule's own values."""
    wanted = {key: rule[key] for key in ("action", "action_params", "conditions", "cooldown_seconds",
                                         "max_retries", "priority")}
    wanted["severity_filter"] = rule.get("severity_filter", [])
    read = json.loads(text)
    if not same(json.loads(json.dumps(wanted, sort_keys=True)), json.loads(json.dumps(read, sort_keys=True))):
        return False
    if [list(read), list(read["action_params"])] != [sorted(read), sorted(read["action_params"])]:
        return False
    strings_only = json.dumps(read, separators=(",", ":"), ensure_ascii=False)
    without_numbers = re.compile(r"(?<=[:\[,])-?[0-9][0-9.eE+-]*(?=[,\]}])")
    return without_numbers.sub("0", strings_only) == without_numbers.sub("0", text)


def main():
    lines = subprocess.run([sys.argv[1], "--dump"], check=True, capture_output=True, text=True).stdout
    count = wrong = 0
    for line in lines.rstrip("\n").split("\n"):
        record = json.loads(line)
        count += 1
        for loader in (Yaml11, Yaml12):
            read = yaml.load(record["yaml"], Loader=loader)
            if not same(read, record["rule"]):
                wrong += 1
                print(f"{loader.__name__} reads another rule:\n{record['yaml']}\n{read}\n{record['rule']}")
        if not canonical_is_right(record["canonical"], record["rule"]):
            wrong += 1
            print(f"not canonical: {record['canonical']}")
    print(f"{count} rules, {wrong} wrong")
    return 0 if wrong == 0 and count >= 2000 else 1


if __name__ == "__main__":
    sys.exit(main())
