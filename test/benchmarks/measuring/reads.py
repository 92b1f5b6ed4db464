"""The reading endpoints: each beside H, D and B, for the median and the largest partner, interleaved in the same rounds."""
import contextlib
import json
import statistics
import time
import urllib.error
import urllib.request
from dataclasses import dataclass

from measuring.capture import capture
from measuring.load import bound, constant_server, database_load, wrk

LEARNING = "/api/partners/me/learning"
CONNECTIONS = (1, 8, 64)
MOST = 64
TAIL_LIMIT, UNCHANGED_TARGET, LARGEST_LIMIT, SLOW_MS = 5, 1.3, 1.5, 1000


@dataclass
class Endpoint:
    """`program` sends its statements; `target` is the part of B that it must reach. `unchanged`: what is asked for is the 304."""
    name: str
    path: str
    program: str
    target: float
    appliance: bool = False
    unchanged: bool = False


ENDPOINTS = [
    Endpoint("stats", LEARNING + "/stats", "learning-stats", 0.9),
    Endpoint("candidate", LEARNING + "/candidates/{candidate}", "learning-candidate", 0.9),
    Endpoint("candidates, 50", LEARNING + "/candidates?limit=50", "learning-candidates", 0.8),
    Endpoint("promoted rules, 50", LEARNING + "/promoted-rules?limit=50", "learning-rules", 0.8),
    Endpoint("execution history, 50", LEARNING + "/execution-history?limit=50", "learning-history", 0.8),
    Endpoint("appliance's pull, 304", "/api/agent/sync/promoted-rules?revision={revision}", "agent-rules", 0.9, True, True),
]


def ask(url, headers):
    """Body, headers; a 304 is an answer as well. The first one after a start may time out: the disk is asked, not memory."""
    for patience in reversed(range(5)):
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60) as answer:
                return answer.read(), answer.headers
        except urllib.error.HTTPError as answer:
            if answer.code == 304:
                return b"", answer.headers
            if answer.code != 503 or not patience:
                raise SystemExit(f"{url} was answered {answer.code}: {answer.read().decode()}") from answer
    return None  # never reached


class Subject:
    """One endpoint as one partner meets it."""

    def __init__(self, instance, endpoint, rank):
        self.endpoint, self.rank = endpoint, rank
        partner = instance.facts()["partners"][rank]
        key = {"X-API-Key": partner["key"]}
        self.headers = key
        if endpoint.appliance:
            self.headers = {"Authorization": "Bearer " + partner["appliances"][0]["token"]}
        self.url = instance.url + endpoint.path.format(candidate=self.first_candidate(instance, key),
                                                       revision=self.revision(instance))
        started = time.monotonic()
        body, answered = ask(self.url, self.headers)
        self.first_ms = (time.monotonic() - started) * 1000
        self.unchanged = {**self.headers, "If-None-Match": answered["ETag"]} if answered["ETag"] else None
        if endpoint.unchanged:
            self.headers = self.unchanged
            body, _ = ask(self.url, self.headers)
        self.bytes = len(body)
        self.statements = capture(instance, endpoint.program, lambda: ask(self.url, self.headers))
        if not self.statements:
            raise SystemExit(f"{endpoint.program} sent nothing to PostgreSQL for {self.url}")
        self.conninfo = instance.login(self.statements[0].role.removeprefix("flywheel_"))
        self.rounds = []

    def first_candidate(self, instance, key):
        if "{candidate}" not in self.endpoint.path:
            return None
        body, _ = ask(instance.url + LEARNING + "/candidates?limit=1&status=not_submitted", key)
        return json.loads(body)["candidates"][0]["id"]

    def revision(self, instance):
        """Where the appliance stands: at the end."""
        if "{revision}" not in self.endpoint.path:
            return None
        body, _ = ask(instance.url + self.endpoint.path.partition("?")[0], self.headers)
        return json.loads(body)["revision"]

    @staticmethod
    def lines(headers):
        return [f"{name}: {value}" for name, value in headers.items()]

    def load(self, connections, seconds, headers):
        """What wrk leaves unanswered at its end is still worked on: one request waits until that is over."""
        ask(self.url, headers)
        return wrk(self.url, connections, seconds, self.lines(headers))

    def measure(self, mode, seconds, constant_url, database):
        """One round."""
        found = {str(count): self.load(count, seconds, self.headers) for count in mode["connections"]}
        one = {"connections": found}
        if mode["unchanged"] and self.unchanged and not self.endpoint.unchanged:
            one["rate_304"] = self.load(MOST, seconds, self.unchanged)["rate"]
        ask(self.url, self.headers)
        one["H"] = wrk(constant_url, MOST, seconds)["rate"]
        one["D"] = database(seconds)
        one["B"] = bound(one["H"], one["D"])
        one["of_B"] = found[str(MOST)]["rate"] / one["B"]
        self.rounds.append(one)

    def row(self):
        """The medians of the rounds."""
        def median(take):
            return statistics.median(take(one) for one in self.rounds)
        connections = {count: {name: median(lambda one, c=count, n=name: one["connections"][c][n]) for name in figures}
                       for count, figures in self.rounds[0]["connections"].items()}
        return {"endpoint": self.endpoint.name, "partner": self.rank, "bytes": self.bytes, "target": self.endpoint.target,
                "first_ms": self.first_ms,
                "connections": connections,
                **{name: median(lambda one, n=name: one[n]) for name in self.rounds[0] if name != "connections"}}


def measure(instance, endpoint, mode, arguments):
    """The rows of one endpoint."""
    with contextlib.ExitStack() as stack:
        subjects = []
        for number, rank in enumerate(mode["ranks"]):
            subject = Subject(instance, endpoint, rank)
            subjects.append((subject,
                             stack.enter_context(constant_server(arguments.build, subject.bytes, arguments.port + 1 + number)),
                             stack.enter_context(database_load(subject.conninfo, subject.statements))))
        for _ in range(arguments.rounds):
            for subject, constant_url, database in subjects:
                subject.measure(mode, arguments.seconds, constant_url, database)
        return [subject.row() for subject, _, _ in subjects]


def verdicts(rows):
    """(what, figure, sign, target) of every target that these rows can tell about."""
    for row in rows:
        name, most = f"{row['endpoint']}, {row['partner']} partner", row["connections"][str(MOST)]
        yield f"{name}: of B", row["of_B"], ">=", row["target"]
        if not most["rate"]:
            continue  # nothing was answered in time: the time is not known
        for count, one in row["connections"].items():
            if one["failed"]:
                yield f"{name}: failed requests at {count}", one["failed"], "<=", 0
        yield f"{name}: p99 / p50 at {MOST}", most["p99_ms"] / most["p50_ms"], "<=", TAIL_LIMIT
        if "rate_304" in row:
            yield f"{name}: 304 / 200", row["rate_304"] / most["rate"], ">=", UNCHANGED_TARGET
    by_name = {(row["endpoint"], row["partner"]): row for row in rows}
    for (endpoint, partner), row in by_name.items():
        median = by_name.get((endpoint, "median"))
        if partner != "largest" or not median or "1" not in row["connections"]:
            continue
        one, other = row["connections"]["1"], median["connections"]["1"]
        if one["rate"] and other["rate"]:
            yield f"{endpoint}: time of largest / median", one["p50_ms"] / other["p50_ms"], "<=", LARGEST_LIMIT


def print_rows(rows):
    counts = list(rows[0]["connections"])
    print(f"{'':<34}{'':>7}" + "".join(f"{count + ' connections':>25}" for count in counts))
    print(f"{'endpoint, partner':<34}{'bytes':>7}" + f"{'req/s':>9}{'p50 ms':>8}{'p99 ms':>8}" * len(counts)
          + f"{'304/s':>9}{'H/s':>9}{'D/s':>9}{'B/s':>9}{'of B':>7}")
    for row in rows:
        figures = "".join(f"{one['rate']:>9.0f}{one['p50_ms']:>8.2f}{one['p99_ms']:>8.2f}" for one in row["connections"].values())
        unchanged = f"{row['rate_304']:>9.0f}" if "rate_304" in row else f"{'':>9}"
        print(f"{row['endpoint'] + ', ' + row['partner']:<34}{row['bytes']:>7}{figures}{unchanged}"
              f"{row['H']:>9.0f}{row['D']:>9.0f}{row['B']:>9.0f}{row['of_B']:>7.2f}")
    slow = [row for row in rows if row["first_ms"] > SLOW_MS]
    for row in slow:
        print(f"The very first answer to {row['endpoint']}, {row['partner']} took {row['first_ms'] / 1000:.1f} s.")
