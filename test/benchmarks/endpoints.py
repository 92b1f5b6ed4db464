# needs: build
"""Every endpoint's speed beside what nginx, FastCGI and PostgreSQL can do on this machine, and the verdict on each target.

usage: endpoints.py --build DIR --json FILE [--short] [--scale S|M|L | --dir DIR] [--rounds N] [--seconds N] [--only WORD]
                    [--writes yes|no] [--compare FILE] [--port N]

Data of a scale (M; with --short S) are made for the occasion and removed, or --dir names an instance that ./test/bench data
has made; nothing is written to that one but with --writes yes, for a run leaves more behind than it found. Machines differ and
drift, so each figure stands beside limits taken in turn with it, in the same rounds:

  H  nginx in front of the same server core that answers constant bytes, as many as the endpoint's answer has
  D  pgbench, 8 clients, with the very statements that the handler sends (read from PostgreSQL's log), prepared, in one pipeline
  B  1 / (1/H + 1/D): the bound, since both share the processors

Figures are medians over the rounds. The time of the largest partner against the median one is that of one connection.
--short measures the median partner with 64 connections only, of the 304 answers the appliance's, of writing approving. --only
takes the endpoints whose names have the word. --compare says what moved since the run that wrote FILE. Only the machine's own
addresses are asked.
"""
import argparse
import json
import pathlib

from measuring import generate, reads, report, writes
from measuring.generate import instance_for
from measuring.load import machine

SHORT = {"scale": "S", "ranks": ("median",), "connections": (reads.MOST,), "unchanged": False, "seconds": 1}
FULL = {"scale": "M", "ranks": ("median", "largest"), "connections": reads.CONNECTIONS, "unchanged": True, "seconds": 2}


def measure(instance, mode, arguments):
    before = machine()
    wanted = [endpoint for endpoint in reads.ENDPOINTS if arguments.only in endpoint.name]
    rows = [row for endpoint in wanted for row in reads.measure(instance, endpoint, mode, arguments)]
    written = writes.measure(instance, arguments)
    verdicts = [{"what": what, "figure": figure, "sign": sign, "target": target,
                 "met": figure >= target if sign == ">=" else figure <= target}
                for what, figure, sign, target in (*reads.verdicts(rows), *writes.verdicts(written))]
    return {"mode": "short" if arguments.short else "full", "scale": instance.facts()["scale"], "rounds": arguments.rounds,
            "seconds": arguments.seconds, "machine": before, "load_average_after": machine()["load_average"],
            "rows": rows, "writes": written, "verdicts": verdicts}


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--json", type=pathlib.Path, required=True)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--scale", choices=generate.SCALES)
    parser.add_argument("--dir", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--only", default="")
    parser.add_argument("--writes", choices=("yes", "no"))
    parser.add_argument("--compare", type=pathlib.Path)
    parser.add_argument("--port", type=int, default=18990)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    arguments.build = arguments.build.resolve()
    mode = SHORT if arguments.short else FULL
    arguments.scale = arguments.scale or mode["scale"]
    arguments.seconds = arguments.seconds or mode["seconds"]
    arguments.writes = arguments.writes or ("no" if arguments.dir else "yes")
    earlier = json.loads(arguments.compare.read_text(encoding="utf-8")) if arguments.compare else None
    with instance_for(arguments) as instance:
        result = measure(instance, mode, arguments)
    report.print_result(result)
    if earlier:
        report.print_comparison(earlier, result)
    arguments.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
