# needs: build
"""Makes an instance with data of scale S, M or L, the same every time; says whether every invariant of the schema holds.

usage: data.py S|M|L --dir DIR --build DIR [--port N] [--keep yes|no] [--json FILE]

S 3 partners, 12 sites, 120 patterns, 5,000 executions · M 50 partners, 1,000 sites, 50,000 patterns, 1,000,000 executions,
5,000 rules · L 200 partners, 10,000 sites, 1,000,000 patterns, 10,000,000 executions, 50,000 rules. Of ten patterns three
are eligible. DIR/bench.json then has keys of the median and the largest partner and tokens of their appliances. Remove it with:
./deploy/quickstart reset --dir DIR
"""
import argparse
import json
import pathlib
import sys

from measuring import generate
from measuring.instance import Instance


def check(instance, size):
    """Prints a line for each invariant; how many hold and how many do not."""
    results = instance.query((pathlib.Path(generate.HERE) / "invariants.sql").read_text(encoding="utf-8"))
    rows = generate.sizes(instance)["rows"]
    eligible = instance.query("SELECT count(*) FROM aggregated_pattern_stats WHERE promotion_eligible")[0][0]
    expected = {"partners": rows["partners"] - 1, "sites": rows["sites"], "patterns": rows["aggregated_pattern_stats"],
                "executions": rows["execution_telemetry"], "rules": rows["promoted_rules"]}  # less the quickstart's first partner
    results += [(f"there are {size[name]} {name}", abs(found - size[name])) for name, found in expected.items()]
    results.append(("of ten patterns three are eligible", abs(eligible - size["patterns"] * 3 // 10)))
    for sentence, broken in results:
        print(f"{'FAILED ' if broken else 'ok     '} {sentence}" + (f": {broken} rows are not so" if broken else ""))
    failed = sum(broken != 0 for _, broken in results)
    return len(results) - failed, failed


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("scale", choices=generate.SCALES)
    parser.add_argument("--dir", type=pathlib.Path, required=True)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--port", type=int, default=18997)
    parser.add_argument("--keep", choices=("yes", "no"), default="yes")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    instance = Instance.set_up(arguments.dir, arguments.port, arguments.build)
    try:
        facts = generate.fill(instance, arguments.scale)
        passed, failed = check(instance, generate.SCALES[arguments.scale])
    finally:
        if arguments.keep == "no":
            instance.remove()
            (arguments.dir / "bench.json").unlink(missing_ok=True)
    if arguments.json:
        arguments.json.write_text(json.dumps({name: facts[name] for name in ("scale", "made_in_seconds", "sizes")}, indent=2) + "\n",
                                  encoding="utf-8")
    print(f"{passed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
