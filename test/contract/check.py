#!/usr/bin/python3
"""Holds docs/openapi.yaml and the documents for people against the programs, nginx's routes and the sources.

usage: test/contract/check.py BUILD_DIR [DOCUMENT]     a build with its programs in BUILD_DIR/handlers

Neither may know what the other does not. Prints a line for each check that fails, and ends with `N passed, N failed`.
"""

import os
import sys

sys.dont_write_bytecode = True

from document import Document, check_document  # noqa: E402
from programs import check_programs, check_routes, routes  # noqa: E402
from prose import check_prose  # noqa: E402
from report import Report  # noqa: E402
from sources import check_sources  # noqa: E402

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def main():
    if len(sys.argv) not in (2, 3):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    build = os.path.abspath(sys.argv[1])
    path = os.path.abspath(sys.argv[2]) if len(sys.argv) == 3 else "docs/openapi.yaml"
    os.chdir(TOP)
    report = Report()
    document = Document(path)
    if check_document(document, report):
        declared = check_programs(document, report, build)
        check_routes(report, declared, routes("deploy/nginx/routes"))
        check_sources(document, report)
        check_prose(report, set(declared.values()))
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
