"""Compares deploy/nginx/routes with docs/openapi.yaml: the same methods at the same paths, no more and no fewer."""
import re
import sys

import yaml

METHODS = {"get", "post", "put", "patch", "delete"}


def shape(path):
    """A path with its parameters' names taken out: what they are called is nobody's business here."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def routes():
    with open("deploy/nginx/routes", encoding="utf-8") as file:
        rows = [line.split() for line in file if line.strip() and not line.startswith("#")]
    return {f"{row[0]} {shape(row[1])}" for row in rows}


def operations():
    with open("docs/openapi.yaml", encoding="utf-8") as file:
        document = yaml.safe_load(file)
    return {
        f"{method.upper()} {shape(path)}"
        for path, item in document["paths"].items()
        for method in item
        if method in METHODS
    }


only_routed, only_described = routes() - operations(), operations() - routes()
for operation in sorted(only_routed):
    print(f"nginx lets through what the document does not describe: {operation}")
for operation in sorted(only_described):
    print(f"the document describes what nginx does not let through: {operation}")
sys.exit(1 if only_routed or only_described else 0)
