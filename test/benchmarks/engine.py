# needs: build
"""Measures the L1 engine: loading, memory, and incidents a second on one core, with few rules and with many.

usage: engine.py --build DIR --json FILE [--rounds N] [--seconds N]

Every line of the table is a folder of promoted rules, a file each, and 1,000 different incidents of which each has 1 or 3
possible rules (of three, two fail by their second condition). With no rule at all an incident is only looked through: that
is the limit. Rounds are interleaved; figures are medians, and seconds are those of processor time, but for loading.
Incidents are parsed beforehand, as the target says; beside it, for information, with parsing. Prints a table, and how many lines kept to the targets; ends with status 0 when all did.
"""
import argparse
import json
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile

INCIDENTS = 1000
TARGET = 1_000_000  # incidents a second on one core
SPREAD = 0.20  # how far the speeds with few and with many rules may be apart
MEMORY_LIMIT = 20 * 1024  # KiB, with 10,000 rules
COUNTS = {0: [0], 1: [1, 100, 10_000], 3: [3, 100, 10_000]}

RULE = """id: "L1-PROMOTED-{number:05d}"
name: "Auto-promoted: RB-WIN-SERVICES-001"
description: "Promoted from L2 with 93% success rate over 15 occurrences"
conditions:
- field: "check_type"
  operator: "eq"
  value: "windows_service_{check}"
{more}action: "run_windows_runbook"
action_params:
  runbook_id: "RB-WIN-SERVICES-001"
  phases:
  - "remediate"
  - "verify"
hipaa_controls:
- "164.308(a)(1)(ii)(B)"
enabled: true
priority: 50
cooldown_seconds: 300
max_retries: 1
source: "promoted"
"""
SECOND = """- field: "details.service"
  operator: "contains"
  value: "spooler-{which}"
"""


def write_rules(folder, count, possible):
    folder.mkdir(parents=True)
    for number in range(count):
        more = SECOND.format(which=number % 3) if possible == 3 else ""
        text = RULE.format(number=number, check=number // max(possible, 1), more=more)
        (folder / f"L1-PROMOTED-{number:05d}.yaml").write_text(text, encoding="ascii")


def write_incidents(path, count, possible):
    """For each a check type that all of `possible` rules ask for."""
    dice = random.Random(count + possible)
    kinds = max(count // max(possible, 1), 1)
    lines = [json.dumps({
        "incident_id": f"INC-{dice.randrange(16 ** 8):08x}", "site_id": "site-0001", "host_id": f"host-{dice.randrange(200):03d}",
        "hostname": f"WS-{number:04d}.example.org", "incident_type": "drift", "severity": dice.choice(["low", "medium", "high"]),
        "check_type": f"windows_service_{dice.randrange(kinds)}", "platform": "windows", "drift_detected": True,
        "created_at": "2026-01-02T03:04:05.678Z", "message": "The service is stopped although it should run",
        "details": {"service": "spooler-2", "expected": "running", "actual": "stopped", "restarts": dice.randrange(9)},
    }) for number in range(INCIDENTS)]
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


def set_up(work):
    """The measurements to make: what they are, their folders and files."""
    rows = []
    for possible, counts in COUNTS.items():
        for count in counts:
            folder, incidents = work / f"rules-{possible}-{count}", work / f"incidents-{possible}-{count}"
            write_rules(folder, count, possible)
            write_incidents(incidents, count, possible)
            rows.append({"possible": possible, "rules": count, "arguments": [folder, incidents], "samples": []})
    return rows


def measure_once(program, row, seconds):
    output = subprocess.run([program, *row["arguments"], str(seconds)], check=True, capture_output=True, text=True).stdout
    sample = json.loads(output)
    wanted = (row["rules"], float(row["possible"]), float(row["possible"] > 0))
    if (sample["rules"], sample["possible"], sample["matched"]) != wanted:
        raise SystemExit(f"measured something else than wanted, {wanted}: {output}")
    row["samples"].append(sample)


def summarize(rows):
    for row in rows:
        del row["arguments"]
        for name in ("load_seconds", "pss_kib", "per_second", "per_second_from_text"):
            row[name] = statistics.median(sample[name] for sample in row["samples"])
    for row in rows:
        alike = [other["per_second"] for other in rows if other["possible"] == row["possible"]]
        row["of_fastest"] = row["per_second"] / max(alike)
        row["met"] = row["per_second"] >= TARGET and row["of_fastest"] >= 1 - SPREAD and row["pss_kib"] <= MEMORY_LIMIT


def print_table(rows):
    print(f"{'possible':>8}{'rules':>8}{'load ms':>10}{'PSS MiB':>9}{'incidents/s':>13}{'of fastest':>12}{'with parsing':>14}")
    for row in rows:
        print(f"{row['possible']:>8}{row['rules']:>8}{row['load_seconds'] * 1000:>10.1f}{row['pss_kib'] / 1024:>9.1f}"
              f"{row['per_second']:>13,.0f}{row['of_fastest']:>11.0%} {row['per_second_from_text']:>14,.0f}"
              f"{'' if row['met'] else '  not met'}")


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--json", type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    program = arguments.build / "benchmarks" / "match_rules"
    with tempfile.TemporaryDirectory(prefix="flywheel-bench.") as work:
        rows = set_up(pathlib.Path(work))
        for _ in range(arguments.rounds):
            for row in rows:
                measure_once(program, row, arguments.seconds)
    summarize(rows)
    print_table(rows)
    arguments.json.write_text(json.dumps({"targets": {"per_second": TARGET, "spread": SPREAD, "pss_kib": MEMORY_LIMIT},
                                          "rows": rows}, indent=2) + "\n")
    failed = sum(not row["met"] for row in rows)
    print(f"{len(rows) - failed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
