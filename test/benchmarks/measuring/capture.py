"""What a handler sends to PostgreSQL for a request.

It is read from the server's log, so that limits are measured with the very SQL, whatever it is by now.
"""
import contextlib
import re
import time
from dataclasses import dataclass

PREFIX = "@@"
SETTINGS = {"log_statement": "all", "log_parameter_max_length": "-1", "log_error_verbosity": "default",
            "log_line_prefix": f"{PREFIX}%u %a@"}
ENTRY = re.compile(PREFIX + r"(?P<role>\S*) (?P<program>[^@]*)@(?P<kind>[A-Z]+):  (?P<text>.*)", re.S)
VALUE = re.compile(r"\$(\d+) = (NULL|'((?:[^']|'')*)')")


@dataclass
class Statement:
    """`values` are texts, None for NULL."""
    sql: str
    values: list
    role: str


def entries(log):
    """The log's entries; the lines that go on with one begin with a tab."""
    return [match for part in re.split(rf"\n(?={PREFIX})", log.replace("\n\t", "\n\x00"))
            if (match := ENTRY.match(part.rstrip("\n").replace("\n\x00", "\n")))]


def statements_in(log, program):
    found = []
    for entry in entries(log):
        if entry["program"] != program:
            continue
        text = entry["text"]
        if entry["kind"] == "LOG" and (said := re.match(r"(?:execute [^:]+|statement): (.*)", text, re.S)):
            found.append(Statement(said[1], [], entry["role"]))
        elif entry["kind"] == "DETAIL" and text.startswith("parameters: "):
            found[-1].values = [None if value == "NULL" else inner.replace("''", "'")
                                for _, value, inner in VALUE.findall(text)]
    return found


@contextlib.contextmanager
def statement_log(instance):
    """As long as it lasts PostgreSQL logs every statement with its values. Only for an instance that is there to be measured."""
    for name, value in SETTINGS.items():
        instance.query(f"ALTER SYSTEM SET {name} = '{value}'", role="postgres")
    instance.query("SELECT pg_reload_conf()", role="postgres")
    time.sleep(0.2)  # backends take it up between two statements
    try:
        yield instance.path / "log" / "postgresql.log"
    finally:
        for name in SETTINGS:
            instance.query(f"ALTER SYSTEM RESET {name}", role="postgres")
        instance.query("SELECT pg_reload_conf()", role="postgres")
        time.sleep(0.2)


def capture(instance, program, ask):
    """What `program` sends for the request that `ask` makes. It is asked twice: the first time may prepare and note contacts."""
    with statement_log(instance) as log:
        ask()
        time.sleep(0.1)
        start = log.stat().st_size
        ask()
        time.sleep(0.2)
        with log.open(encoding="utf-8") as file:
            file.seek(start)
            return statements_in(file.read(), program)
