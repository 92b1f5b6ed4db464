"""Measures what an instance's handlers and nginx need of memory: idle, under load, and at the worst.

usage: memory.py --instance DIR --json FILE [--requests N] [--others N] [--idle SECONDS]

N requests go through nginx to the busiest handler and fewer to each of the others. Memory is the proportional set size
(PSS) that the kernel counts: a page that several processes share counts in each of them by its part. Growth is that of
private memory from a tenth of the requests to their end. At the worst: many sign-ins, and batches of 8 MiB, at once.
Prints a table, and how many lines kept to their limits; ends with status 0 when all did.
"""
import argparse
import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

LEARNING = "/api/partners/me/learning"
HANDLER_LIMIT, WORST_LIMIT, STACK_LIMIT, GROWTH_LIMIT = 10 * 1024, 96 * 1024, 80 * 1024, 256  # KiB
MARKS = (0.01, 0.1, 0.5, 1)
AT_ONCE = 8
BUSIEST = "learning-stats"


# ---- what the kernel says ----

def memory(pid, name="Pss"):
    """KiB of a process."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    return int(re.search(rf"^{name}: +(\d+) kB$", text, re.M)[1])


def ticks(pid):
    """Processor time that a process has had, in 1/100 s."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


class Stack:
    """The processes of an instance, without PostgreSQL."""

    def __init__(self, instance):
        self.run = instance.path / "run"

    def handlers(self):
        state = json.loads((self.run / "supervisor.json").read_text(encoding="utf-8"))
        return {name: program["pid"] for name, program in state["programs"].items()}

    def nginx(self):
        master = int((self.run / "nginx.pid").read_text(encoding="ascii"))
        workers = pathlib.Path(f"/proc/{master}/task/{master}/children").read_text(encoding="ascii")
        return [master, *map(int, workers.split())]

    def pids(self):
        return [*self.handlers().values(), *self.nginx(), int((self.run / "supervisor.pid").read_text(encoding="ascii"))]

    def size(self):
        return sum(memory(pid) for pid in self.pids())


# ---- load ----

class Caller:
    """An admin's key and an appliance of the instance, and what each program is asked."""

    def __init__(self, instance):
        self.instance, self.url = instance, instance.summary["url"]
        if urllib.parse.urlsplit(self.url).hostname not in ("127.0.0.1", "localhost"):
            raise SystemExit("load is for this machine only")
        self.key = instance.control("key", "add", "--partner", instance.summary["partner_slug"], "--scopes",
                                    "read,decide,admin", "--expires", "1d")["api_key"]
        candidates = json.load(self.open(LEARNING + "/candidates"))["candidates"]
        nothing = f"{uuid.uuid4()}"
        site, _, self.token = instance.new_appliance()
        report = json.dumps({"site_id": site, "execution": {"execution_id": "e-1"}})
        self.kinds = {  # method, path, body; writes name nothing that exists, so that each is like the one before
            "learning-stats": ("GET", LEARNING + "/stats", ""),
            "learning-candidates": ("GET", LEARNING + "/candidates?limit=50", ""),
            "learning-candidate": ("GET", f"{LEARNING}/candidates/{candidates[0]['id']}", ""),
            "learning-rules": ("GET", LEARNING + "/promoted-rules?limit=50", ""),
            "learning-history": ("GET", LEARNING + "/execution-history?limit=50", ""),
            "account": ("GET", "/api/partners/me/sites", ""),
            "access": ("GET", "/api/partners/me/keys", ""),
            "service": ("GET", "/readyz", ""),
            "learning-approve": ("POST", f"{LEARNING}/candidates/{nothing}/approve", "{}"),
            "learning-reject": ("POST", f"{LEARNING}/candidates/{nothing}/reject", '{"reason": "a measurement"}'),
            "learning-rule-status": ("PATCH", f"{LEARNING}/promoted-rules/{nothing}/status", '{"status": "disabled"}'),
            "learning-rule-deploy": ("POST", f"{LEARNING}/promoted-rules/{nothing}/deploy", "{}"),
            "agent-reports": ("POST", "/api/agent/executions", report),
            "agent-rules": ("GET", "/api/agent/sync/promoted-rules", ""),
        }

    def open(self, path, body=None, headers=None):
        request = urllib.request.Request(self.url + path, data=body, headers={
            "X-API-Key": self.key, "Content-Type": "application/json", **(headers or {})})
        return urllib.request.urlopen(request, timeout=120)

    def wrk(self, program, seconds):
        """Requests of that program's kind for so long; how many were answered."""
        method, path, body = self.kinds[program]
        name, value = ("Authorization", "Bearer " + self.token) if program == "agent-rules" else ("X-API-Key", self.key)
        with tempfile.NamedTemporaryFile("w", suffix=".lua", prefix="flywheel-bench.") as script:
            script.write(f"wrk.method = '{method}'\nwrk.body = [[{body}]]\nwrk.headers['{name}'] = '{value}'\n"
                         "wrk.headers['Content-Type'] = 'application/json'\n")
            script.flush()
            command = ["wrk", "-t", "2", "-c", "64", "-d", f"{seconds}s", "--timeout", "20s", "-s", script.name, self.url + path]
            out = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60).stdout
        if "Non-2xx" in out and method == "GET":
            raise SystemExit(f"{path} answered with errors:\n{out}")
        return int(re.search(r"(\d+) requests in", out)[1])


def measure_load(stack, caller, program, wanted):
    """One row: a handler's memory at several marks of so many requests."""
    pid = stack.handlers()[program]
    row = {"what": program, "limit_kib": HANDLER_LIMIT, "before_kib": memory(pid), "marks": []}
    done, rate, private = 0, wanted / 10, []
    for mark in MARKS:
        while done < wanted * mark:
            seconds = max(1, min(10, round((wanted * mark - done) / rate)))
            answered = caller.wrk(program, seconds)
            done, rate = done + answered, max(1, answered / seconds)
        row["marks"].append({"requests": done, "pss_kib": memory(pid)})
        private.append(memory(pid, "Pss_Anon"))
    row["requests"], row["pss_kib"] = done, row["marks"][-1]["pss_kib"]
    row["growth_kib"] = private[-1] - private[1]
    row["same_process"] = stack.handlers()[program] == pid
    row["met"] = row["pss_kib"] <= HANDLER_LIMIT and row["growth_kib"] <= GROWTH_LIMIT and row["same_process"]
    return row


@contextlib.contextmanager
def highest(pid):
    """The highest PSS while the block runs, looked at 100 times a second: a list that gets it at the end."""
    found, ending = [0], threading.Event()

    def watch():
        while not ending.wait(0.01):
            found[0] = max(found[0], memory(pid))
    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        ending.set()
        thread.join()


def at_once(calls):
    """Runs them all at the same time; what they returned."""
    results = [None] * len(calls)

    def run(number):
        try:
            results[number] = calls[number]().status
        except urllib.error.HTTPError as error:
            results[number] = error.code
    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def measure_worst(stack, what, program, calls, right):
    pid = stack.handlers()[program]
    before = memory(pid)
    with highest(pid) as peak:
        statuses = at_once(calls)
    time.sleep(1)
    after = memory(pid)
    served = all(status == right for status in statuses)
    if not served:
        print(f"{what}: answered {statuses}, not {right}", file=sys.stderr)
    return {"what": what, "requests": len(calls), "before_kib": before, "worst_kib": peak[0], "pss_kib": after,
            "limit_kib": WORST_LIMIT, "met": served and peak[0] <= WORST_LIMIT and after <= HANDLER_LIMIT}


def sign_ins(caller):
    def sign_in(number):
        body = json.dumps({"email": f"nobody-{number}@example.invalid", "password": "not this one"}).encode()
        return caller.open("/api/partner-auth/login", body, {"X-API-Key": ""})
    return [lambda number=number: sign_in(number) for number in range(3 * AT_ONCE)]


def batches(caller):
    """Reports of executions just below 8 MiB, each by an appliance of its own."""
    def batch():
        site, box, token = caller.instance.new_appliance()
        executions = [{"execution_id": f"{box}-{number}", "success": True, "incident_type": "disk", "error_message": "x" * 300,
                       "incident": {"number": number, "text": "y" * 1000}} for number in range(5600)]
        body = json.dumps({"site_id": site, "executions": executions}).encode()
        return lambda: caller.open("/api/agent/executions", body, {"X-API-Key": "", "Authorization": "Bearer " + token})
    return [batch() for _ in range(AT_ONCE)]


def measure_idle(stack, seconds):
    time.sleep(7)  # nginx keeps connections for 5 s
    before = sum(map(ticks, stack.pids()))
    time.sleep(seconds)
    used = sum(map(ticks, stack.pids())) - before
    size = stack.size()
    return {"what": "the whole stack, idle", "pss_kib": size, "limit_kib": STACK_LIMIT, "processes": len(stack.pids()),
            "ticks": used, "seconds": seconds, "met": size <= STACK_LIMIT and used <= seconds * 100 // 1000}


# ---- telling ----

def mib(row, name):
    return f"{row[name] / 1024:.1f}" if name in row else ""


def print_table(rows):
    print(f"{'MiB (PSS)':<24}{'requests':>10}{'before':>8}{'at 1 %':>8}{'at 10 %':>8}{'at 50 %':>8}{'after':>8}"
          f"{'growth KiB':>12}{'worst':>8}{'limit':>8}  met")
    for row in rows:
        marks = [f"{mark['pss_kib'] / 1024:.1f}" for mark in row.get("marks", [])[:3]] or [""] * 3
        print(f"{row['what']:<24}{row.get('requests', ''):>10}{mib(row, 'before_kib'):>8}{marks[0]:>8}{marks[1]:>8}{marks[2]:>8}"
              f"{mib(row, 'pss_kib'):>8}{row.get('growth_kib', ''):>12}{mib(row, 'worst_kib'):>8}{mib(row, 'limit_kib'):>8}"
              f"  {'yes' if row['met'] else 'NO'}")
        if "ticks" in row:
            print(f"{'':<24}{row['processes']} processes, {row['ticks']} ticks of 1/100 s in {row['seconds']} s")


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--instance", type=pathlib.Path, required=True)
    parser.add_argument("--json", type=pathlib.Path, required=True)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--others", type=int, default=100_000)
    parser.add_argument("--idle", type=int, default=20)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    os.environ["FLYWHEEL_DIR"] = str(arguments.instance)
    from handlers import Instance  # which reads that variable
    instance = Instance()
    stack, caller = Stack(instance), Caller(instance)
    unknown = sorted(set(stack.handlers()) ^ set(caller.kinds))
    if unknown:
        raise SystemExit("programs without a kind of request here, or the reverse: " + ", ".join(unknown))
    rows = [measure_load(stack, caller, program, arguments.requests if program == BUSIEST else arguments.others)
            for program in caller.kinds]
    rows.append(measure_worst(stack, f"{3 * AT_ONCE} sign-ins at once", "account", sign_ins(caller), 401))
    rows.append(measure_worst(stack, f"{AT_ONCE} batches of 8 MiB at once", "agent-reports", batches(caller), 200))
    rows.append(measure_idle(stack, arguments.idle))
    print_table(rows)
    arguments.json.write_text(json.dumps({"limits_kib": {"handler": HANDLER_LIMIT, "worst": WORST_LIMIT, "stack": STACK_LIMIT,
                                                         "growth": GROWTH_LIMIT}, "rows": rows}, indent=2) + "\n")
    failed = sum(not row["met"] for row in rows)
    print(f"{len(rows) - failed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
