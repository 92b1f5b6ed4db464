"""The documents for people against the tree: links lead somewhere, and files and names they mention exist."""

import glob
import os
import re

from sources import text_of

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
CODE = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"(?:cgi|lib|sql|deploy|test|docs|frontend)/[A-Za-z0-9_./-]*\*?")
NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
# What documents mention although it is not in the tree: made by a build, or an example of something to be made.
NOT_IN_TREE = {"frontend/dist", "test/suites/NAME", "cgi/learning_runbooks.c"}
FILES = ("README.md", "docs/*.md")


def documents():
    return sorted(path for pattern in FILES for path in glob.glob(pattern))


def without_examples(text):
    """The text outside of ``` blocks: what stands in them is run or answered, not a name of ours."""
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def check_links(report, path, text):
    for link in sorted(set(LINK.findall(text))):
        if "://" not in link:
            report.check(os.path.exists(os.path.join(os.path.dirname(path), link)), f"{path}: the link {link} leads nowhere")


def check_paths(report, path, words):
    for word in sorted(words):
        if PATH.fullmatch(word) and word not in NOT_IN_TREE:
            report.check(glob.glob(word), f"{path} mentions {word}, which does not exist")


def check_names(report, path, words, everything):
    for word in sorted(words):
        if NAME.fullmatch(word):
            report.check(re.search(rf"\b{word}\b", everything), f"{path} mentions {word}, which is nowhere in the sources")


def check_lists(report, programs):
    """What is listed in a document is listed whole."""
    words = set(CODE.findall(text_of("docs/contributing.md")))
    for suite in sorted(os.listdir("test/suites")):
        report.check(suite in words, f"docs/contributing.md does not mention the test suite {suite}")
    text = text_of("docs/architecture.md")
    for program in sorted(programs):
        report.check(re.search(rf"(?<![\w-]){program}(?![\w-])", text), f"docs/architecture.md does not mention the program {program}")


def check_prose(report, programs):
    everything = text_of("lib/*/*.[ch]", "cgi/*.[ch]", "sql/*.sql", "sql/*/*.sql", "deploy/*/*", "deploy/[a-z]*",
                         "frontend/src/*/*.ts*", "test/suites/*", "docs/openapi.yaml")
    report.check(documents(), "there is no document to look at")
    for path in documents():
        text = text_of(path)
        words = set(CODE.findall(without_examples(text)))
        check_links(report, path, text)
        check_paths(report, path, words)
        check_names(report, path, words, everything)
    check_lists(report, programs)
