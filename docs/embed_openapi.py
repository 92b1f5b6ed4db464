"""Turns the API description (YAML) into a C header that holds it as JSON text.

usage: embed_openapi.py openapi.yaml header.h
"""
import json
import sys

import yaml


def c_string(text):
    """The text as C string literals, one a line of the source, short enough for every compiler."""
    lines = []
    for start in range(0, len(text), 96):
        piece = text[start:start + 96].encode("ascii").decode("ascii")
        lines.append('    "' + piece.replace("\\", "\\\\").replace('"', '\\"').replace("?", "\\?") + '"')
    return "\n".join(lines)


def main():
    source, target = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        document = yaml.safe_load(file)
    text = json.dumps(document, separators=(",", ":"), default=str)
    with open(target, "w", encoding="ascii") as file:
        file.write("/* Made from docs/openapi.yaml at build time. */\n"
                   "static const char OPENAPI_DOCUMENT[] __attribute__((unused)) =\n" + c_string(text) + ";\n")


if __name__ == "__main__":
    main()
