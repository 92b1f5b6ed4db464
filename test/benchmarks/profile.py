# needs: build
"""Names the costliest functions of a handler under load, and what nginx and PostgreSQL take beside it.

usage: profile.py --build DIR --json FILE [--scale S|M|L | --dir DIR] [--only WORD] [--seconds N] [--with perf|callgrind] [--port N]

perf, where the kernel lets it count: nginx, the handler and PostgreSQL while 64 connections ask. Else, or when asked for,
callgrind: the handler alone, started anew under valgrind, asked 300 times by one connection; its figures are instructions, not
time, and know neither waiting nor the kernel. --only takes the endpoints whose names have the word.
"""
import argparse
import collections
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.parse

from measuring import generate, reads
from measuring.generate import instance_for
from measuring.instance import TOP, run
from measuring.load import machine, wrk

sys.path.insert(0, str(TOP / "test" / "lib"))
from handlers import Handler  # noqa: E402

TOP_FUNCTIONS = 15
WARMING, REQUESTS = 50, 300


# ---- perf ----

def children(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def processes(instance, program):
    """{pid: part}: the handler, nginx's workers, and PostgreSQL's processes, whichever kind they serve."""
    state = json.loads((instance.path / "run" / "supervisor.json").read_text(encoding="utf-8"))
    nginx = int((instance.path / "run" / "nginx.pid").read_text(encoding="ascii"))
    postmaster = int((instance.path / "pg" / "postmaster.pid").read_text(encoding="ascii").split()[0])
    return {state["programs"][program]["pid"]: "handler", **dict.fromkeys(children(nginx), "nginx"),
            **dict.fromkeys(children(postmaster), "postgresql")}


def perf_functions(subject, instance, seconds):
    """{part: {function: samples}}, or nothing when the kernel refuses."""
    wrk(subject.url, reads.MOST, 1, subject.lines(subject.headers))  # so that all connections to the database are there
    parts = processes(instance, subject.endpoint.program)
    load = threading.Thread(target=wrk, args=(subject.url, reads.MOST, seconds + 1, subject.lines(subject.headers)))
    with tempfile.TemporaryDirectory(prefix="flywheel-bench.") as folder:
        data = f"{folder}/perf.data"
        load.start()
        recorded = subprocess.run(["perf", "record", "-q", "-F", "997", "-o", data, "-p", ",".join(map(str, parts)), "--",
                                   "sleep", str(seconds)], capture_output=True, text=True, check=False)
        load.join()
        if recorded.returncode != 0:
            return {}
        lines = run(["perf", "script", "-i", data, "-F", "pid,ip,sym,dso"], stdin=subprocess.DEVNULL)
    found = collections.defaultdict(collections.Counter)
    for line in lines.splitlines():
        if said := re.match(r"\s*(\d+)\s+[0-9a-f]+ (\S+)(?:\+0x[0-9a-f]+)? \((.*)\)$", line):
            pid, symbol, file = said.groups()
            place = pathlib.Path(file).name if "/" in file else "kernel"
            found[parts.get(int(pid), "other")][f"{symbol} ({place})" if symbol != "[unknown]" else f"({place})"] += 1
    return found


# ---- callgrind ----

def instructions(subject, instance, build, requests):
    """{function: instructions} of a handler's whole life, with so many requests in it."""
    target = urllib.parse.urlsplit(subject.url)
    headers = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in subject.headers.items()}
    with tempfile.TemporaryDirectory(prefix="flywheel-bench.") as name:
        folder = pathlib.Path(name)
        handler = Handler(build / "handlers" / subject.endpoint.program, folder / "handler", instance.path / "etc" / "flywheel.conf",
                          before=["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={folder}/out"])
        connection = handler.connect()
        for _ in range(requests):
            status, _, _ = connection.ask("GET", target.path, QUERY_STRING=target.query, **headers)
            if status not in (200, 304):
                raise SystemExit(f"{subject.endpoint.program} answered {status}")
        connection.close()
        if handler.stop() != 0:
            raise SystemExit(handler.log())
        lines = run(["callgrind_annotate", "--threshold=100", "--auto=no", str(folder / "out")])
    found = collections.Counter()
    for line in lines.splitlines():
        if said := re.match(r"\s*([\d,]+) \([ \d.]+%\)\s+\S*?:([^\[]+?)(?: \[(.*)\])?$", line):
            count, function, file = said.groups()
            found[f"{function.strip()} ({pathlib.Path(file).name if file else '?'})"] += int(count.replace(",", ""))
    return found


def callgrind_functions(subject, instance, build):
    """Starting, and signing in to the database, are in both lives; the difference is what requests cost."""
    few = instructions(subject, instance, build, WARMING)
    return {"handler": instructions(subject, instance, build, WARMING + REQUESTS) - few}


# ---- what is printed ----

def summary(name, method, parts):
    total = sum(sum(functions.values()) for functions in parts.values())
    return {"endpoint": name, "with": method, "samples": total,
            "parts": {part: {"share": sum(functions.values()) / total,
                             "functions": {function: count / sum(functions.values())
                                           for function, count in functions.most_common(TOP_FUNCTIONS)}}
                      for part, functions in sorted(parts.items(), key=lambda one: -sum(one[1].values()))}}


def print_summary(row):
    print(f"\n{row['endpoint']} ({row['with']}, {row['samples']} {'samples' if row['with'] == 'perf' else 'instructions'})")
    for part, one in row["parts"].items():
        print(f"  {part}: {one['share']:.0%}")
        for function, share in one["functions"].items():
            print(f"    {share:>6.1%}  {function}")


def profile(instance, endpoint, arguments):
    subject = reads.Subject(instance, endpoint, "median")
    if arguments.method != "callgrind" and shutil.which("perf"):
        if parts := perf_functions(subject, instance, arguments.seconds):
            return summary(endpoint.name, "perf", parts)
        if arguments.method == "perf":
            raise SystemExit("the kernel does not let perf count; try --with callgrind")
    return summary(endpoint.name, "callgrind", callgrind_functions(subject, instance, arguments.build))


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--json", type=pathlib.Path, required=True)
    parser.add_argument("--scale", choices=generate.SCALES, default="S")
    parser.add_argument("--dir", type=pathlib.Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--with", dest="method", choices=("perf", "callgrind"))
    parser.add_argument("--port", type=int, default=18990)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    arguments.build = arguments.build.resolve()
    with instance_for(arguments) as instance:
        rows = [profile(instance, endpoint, arguments) for endpoint in reads.ENDPOINTS if arguments.only in endpoint.name]
        scale = instance.facts()["scale"]
    for row in rows:
        print_summary(row)
    arguments.json.write_text(json.dumps({"scale": scale, "machine": machine(), "rows": rows}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
