# needs: build
"""Whether time stays flat as the data grow: every list, page, sort and filter, at several scales in the same rounds.

usage: scales.py --dir DIR --dir DIR [--dir DIR] --build DIR --json FILE [--rounds N] [--seconds N] [--only WORD] [--plot FILE.svg]

Each DIR is an instance that ./test/bench data has made, the smallest first. What is compared is the time of one request on one
connection, for the median partner (of the largest data also for the largest one); medians over the rounds, which go over all
instances in turn. Lists are asked for three rows, because a small partner has no more; `deep` is a page some thousand rows in,
or as far in as there are rows. Where answers differ in size, nothing is said about the times. --only takes one list, or stats.
"""
import argparse
import json
import pathlib
import statistics

from measuring import reads
from measuring.instance import Instance
from measuring.load import machine, wrk
from measuring.plot import write_plot

LIMIT, FEW, GREAT_STEP, STEPS = 1.3, 3, 200, 5
LISTS = {"candidates": "/candidates", "rules": "/promoted-rules", "executions": "/execution-history"}
SORTS = {"candidates": ["success_rate", "total_occurrences", "last_seen", "first_seen"], "rules": ["promoted_at", "rule_id"],
         "executions": []}
FILTERS = {"candidates": {"status": "approval_status", "site_id": "site_id", "q": "pattern_signature"},
           "rules": {"status": "status", "site_id": "site_id", "q": "rule_id"},
           "executions": {"site_id": "site_id", "level": "resolution_level", "pattern_signature": "pattern_signature"}}


class Asker:
    """One partner of one instance."""

    def __init__(self, instance, rank):
        self.base = instance.url + reads.LEARNING
        self.headers = {"X-API-Key": instance.facts()["partners"][rank]["key"]}

    def get(self, path):
        body, _ = reads.ask(self.base + path, self.headers)
        return json.loads(body)

    def deep(self, name, query):
        """The path of a full page as far in as some great steps and then some small ones lead."""
        found, cursor = f"{query}&limit={FEW}", ""
        for rows in (*[GREAT_STEP] * STEPS, *[FEW] * STEPS):
            page = self.get(f"{query}&limit={rows}{cursor}")
            if not page["next_cursor"]:
                continue
            path = f"{query}&limit={FEW}&cursor={page['next_cursor']}"
            if len(self.get(path)[name]) == FEW:
                found, cursor = path, f"&cursor={page['next_cursor']}"
        return found

    def paths(self, only):
        """{what: path}"""
        first = self.get("/candidates?limit=1&status=not_submitted")["candidates"][0]["id"]
        found = {"stats": "/stats", "candidate": f"/candidates/{first}"}
        for name, path in LISTS.items():
            if not name.startswith(only):
                continue
            found[name] = f"{path}?limit={FEW}"
            found[f"{name}, deep"] = self.deep(name, path + "?")
            for sort in SORTS[name]:
                for sign in ("", "-"):
                    found[f"{name} by {sign}{sort}"] = f"{path}?sort={sign}{sort}&limit={FEW}"
            row = self.get(f"{path}?limit=1")[name][0]
            for query, member in FILTERS[name].items():
                found[f"{name} of a {query}"] = f"{path}?{query}={row[member]}&limit={FEW}"
        return {what: path for what, path in found.items() if what.startswith(only)}


def measure(instances, arguments):
    """{what: {scale and partner: {bytes, ms}}}"""
    places = [(instance, "median") for instance in instances] + [(instances[-1], "largest")]
    paths = []
    for instance, rank in places:
        asker = Asker(instance, rank)
        paths.append((instance.facts()["scale"], rank, asker, asker.paths(arguments.only)))
    found = {}
    for what in paths[0][3]:
        rounds = {}
        for _ in range(arguments.rounds):
            for scale, rank, asker, known in paths:
                reads.ask(asker.base + known[what], asker.headers)  # until what went before is over
                one = wrk(asker.base + known[what], 1, arguments.seconds, [f"{name}: {value}" for name, value in asker.headers.items()])
                rounds.setdefault((scale, rank), []).append(one["p50_ms"])
        found[what] = {f"{scale} {rank}": {"ms": statistics.median(rounds[scale, rank]),
                                           "bytes": len(reads.ask(asker.base + known[what], asker.headers)[0])}
                       for scale, rank, asker, known in paths}
    return found


def verdicts(found, scales):
    """The largest scale against the smallest, where both answers are of a like size; and partner against partner at the largest."""
    for what, places in found.items():
        small, large = places[f"{scales[0]} median"], places[f"{scales[-1]} median"]
        alike = 0.8 <= large["bytes"] / max(small["bytes"], 1) <= 1.25
        ratio = large["ms"] / small["ms"]
        yield {"what": what, "small_ms": small["ms"], "large_ms": large["ms"], "largest_partner_ms": places[f"{scales[-1]} largest"]["ms"],
               "alike": alike, "ratio": ratio, "met": ratio <= LIMIT if alike else None}


def print_verdicts(rows, scales):
    print(f"{'time of one request, median partner':<40}{scales[0] + ' ms':>9}{scales[-1] + ' ms':>9}{'ratio':>8}{'target':>8}  met"
          f"   {scales[-1]} largest partner, ms")
    for row in rows:
        met = {True: "yes", False: "NO", None: "–  (the answers are of different sizes)"}[row["met"]]
        print(f"{row['what']:<40}{row['small_ms']:>9.2f}{row['large_ms']:>9.2f}{row['ratio']:>8.2f}{'<= ' + str(LIMIT):>8}"
              f"  {met:<5}{row['largest_partner_ms']:>12.2f}")
    judged = [row for row in rows if row["met"] is not None]
    print(f"\n{sum(row['met'] for row in judged)} of {len(judged)} are flat")


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--dir", type=pathlib.Path, action="append", required=True)
    parser.add_argument("--build", type=pathlib.Path)
    parser.add_argument("--json", type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--plot", type=pathlib.Path)
    arguments = parser.parse_args()
    if len(arguments.dir) < 2:
        parser.error("two instances at least: --dir twice")
    return arguments


def main():
    arguments = parse_arguments()
    instances = [Instance(folder) for folder in arguments.dir]
    facts = [instance.facts() for instance in instances]
    before, found = machine(), measure(instances, arguments)
    rows = list(verdicts(found, [one["scale"] for one in facts]))
    print_verdicts(rows, [one["scale"] for one in facts])
    result = {"machine": before, "load_average_after": machine()["load_average"], "rounds": arguments.rounds,
              "seconds": arguments.seconds, "times": found, "verdicts": rows}
    arguments.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    if arguments.plot:
        scales = [(one["scale"], one["sizes"]["rows"]["execution_telemetry"]) for one in facts]
        write_plot(arguments.plot, scales, found, before)


if __name__ == "__main__":
    main()
