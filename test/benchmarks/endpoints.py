# needs: build instance
"""Measures an instance's endpoints beside what nginx, FastCGI and PostgreSQL can do on the same machine.

usage: endpoints.py --instance DIR --build DIR --json FILE [--rounds N] [--seconds N]

Machines differ and drift, so each figure stands beside two limits taken in turn with it, in the same rounds:

  H  nginx in front of the same server core that answers constant bytes, as many as the endpoint's answer has
  D  pgbench with the very statements of the endpoint, sign-in included, prepared and in one pipeline
  B  1 / (1/H + 1/D): the bound, since both share the processors

Medians over the rounds are printed. Only the machine's own addresses are asked, and every process that is started
is ended.
"""
import argparse
import contextlib
import hashlib
import json
import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request

PGBENCH = "/usr/lib/postgresql/15/bin/pgbench"
LEARNING = "/api/partners/me/learning"
LAST_UUID = "ffffffff-ffff-ffff-ffff-ffffffffffff"
BIGGEST = "9223372036854775807"

# What the handlers send to PostgreSQL for each endpoint, after signing in: statement and values (None: NULL).
ENDPOINTS = [
    ("stats", "/stats", 0.9, [("statistics_figures", [])]),
    ("candidates, 50", "/candidates?limit=50", 0.8, [
        ("candidates_by_rank", [None, None, None, "51", "true", "Infinity", BIGGEST, LAST_UUID]),
        ("candidates_total", [None, None, None])]),
    ("promoted rules, 50", "/promoted-rules?limit=50", 0.8, [
        ("rules_by_promoted_at_desc", [None, None, None, "51", "infinity", LAST_UUID]),
        ("rules_total", [None, None, None])]),
    ("execution history, 50", "/execution-history?limit=50", 0.8, [
        ("executions_list", [None, None, None, None, None, "51", "infinity", BIGGEST]),
        ("executions_total", [None] * 5)]),
]


def get(url, key):
    request = urllib.request.Request(url, headers={"X-API-Key": key})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read(), answer.headers


def wrk(url, clients, seconds, headers):
    """Requests a second, and the 50th and 99th percentile in milliseconds. An answer that is an error stops the run."""
    command = ["wrk", "--latency", "-t", str(min(2, clients)), "-c", str(clients), "-d", f"{seconds}s"]
    for header in headers:
        command += ["-H", header]
    out = subprocess.run(command + [url], capture_output=True, text=True, check=True, timeout=seconds + 60).stdout
    if "Non-2xx" in out:
        raise SystemExit(f"{url} answered with errors:\n{out}")
    scale = {"us": 0.001, "ms": 1, "s": 1000}

    def percentile(name):
        number, unit = re.search(rf"{name}%\s+([\d.]+)(us|ms|s)", out).groups()
        return float(number) * scale[unit]
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]), percentile("50"), percentile("99")


def literal(value):
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


def script_for(statements, calls, key):
    """A pgbench script: sign-in and the endpoint's statements in one pipeline, as the handlers send them."""
    key_hash = "\\x" + hashlib.sha256(key.encode()).hexdigest()
    lines = ["\\startpipeline"]
    for name, values in [("session_authenticate", [key_hash, None, None]), *calls]:
        sql = re.sub(r"\$(\d+)", lambda m, v=values: literal(v[int(m[1]) - 1]), statements[name])
        lines.append(sql + ";")
    return "\n".join(lines + ["\\endpipeline"]) + "\n"


def pgbench(script, database, seconds):
    """Transactions a second with 8 clients over the unix socket."""
    command = [PGBENCH, "-n", "-M", "prepared", "-c", "8", "-j", "2", "-T", str(seconds), "-f", script, database]
    out = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60).stdout
    return float(re.search(r"tps = ([\d.]+)", out)[1])


NGINX = """
daemon off; worker_processes auto; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/t1; fastcgi_temp_path {folder}/t2; proxy_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    upstream constant {{ server unix:{folder}/s; keepalive 8; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{ fastcgi_pass constant; fastcgi_keep_conn on; fastcgi_param REQUEST_METHOD $request_method; }}
    }}
}}
"""


@contextlib.contextmanager
def constant_server(build, body, port):
    """nginx and a handler that answers `body`; both are ended at the end."""
    with tempfile.TemporaryDirectory(prefix="flywheel-bench.") as name:
        folder = pathlib.Path(name)
        os.chmod(folder, 0o755)
        (folder / "body").write_bytes(body)
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port))
        handler = subprocess.Popen([build / "benchmarks" / "constant_handler", folder / "s", "4", folder / "body"],
                                   stdin=subprocess.DEVNULL)
        while not (folder / "s").exists():
            time.sleep(0.02)
        os.chmod(folder / "s", 0o666)
        nginx = subprocess.Popen(["nginx", "-p", folder, "-e", folder / "error.log", "-c", folder / "nginx.conf"])
        try:
            time.sleep(0.3)
            yield f"http://127.0.0.1:{port}/"
        finally:
            for process in (nginx, handler):
                process.terminate()
                process.wait(timeout=30)


def measure(name, path, target, calls, context):
    """One row: the endpoint at 64 clients, its limits, and how near it comes to them."""
    url = context.url + LEARNING + path
    body, headers = get(url, context.key)
    key_header = f"X-API-Key: {context.key}"
    with tempfile.NamedTemporaryFile("w", suffix=".sql", prefix="flywheel-bench.") as script, \
            constant_server(context.build, body, context.port) as constant_url:
        script.write(script_for(context.statements, calls, context.key))
        script.flush()
        rounds = []
        for _ in range(context.rounds):
            rate, p50, p99 = wrk(url, 64, context.seconds, [key_header])
            unchanged = wrk(url, 64, context.seconds, [key_header, f"If-None-Match: {headers['ETag']}"])[0]
            h = wrk(constant_url, 64, context.seconds, [])[0]
            d = pgbench(script.name, context.database_url, context.seconds)
            rounds.append({"rate": rate, "p50_ms": p50, "p99_ms": p99, "rate_304": unchanged, "H": h, "D": d,
                           "B": 1 / (1 / h + 1 / d), "ratio": rate * (1 / h + 1 / d)})
    row = {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}
    return {"endpoint": name, "bytes": len(body), "target": target, **row,
            "met": row["ratio"] >= target and row["p99_ms"] <= 5 * row["p50_ms"]}


def print_table(rows):
    print(f"{'endpoint':<24}{'bytes':>7}{'req/s':>9}{'p50 ms':>8}{'p99 ms':>8}{'304/s':>9}"
          f"{'H/s':>9}{'D/s':>9}{'B/s':>9}{'of B':>7}{'target':>8}  met")
    for row in rows:
        print(f"{row['endpoint']:<24}{row['bytes']:>7}{row['rate']:>9.0f}{row['p50_ms']:>8.1f}{row['p99_ms']:>8.1f}"
              f"{row['rate_304']:>9.0f}{row['H']:>9.0f}{row['D']:>9.0f}{row['B']:>9.0f}{row['ratio']:>7.2f}"
              f"{row['target']:>8.2f}  {'yes' if row['met'] else 'no'}")


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--instance", type=pathlib.Path, required=True)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--json", type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--port", type=int, default=18999)
    return parser.parse_args()


def main():
    context = parse_arguments()
    summary = json.loads((context.instance / "quickstart.json").read_text())
    context.url, context.key = summary["url"], summary["api_key"]
    if urllib.parse.urlsplit(context.url).hostname not in ("127.0.0.1", "localhost"):
        raise SystemExit("load is for this machine only")
    context.build = context.build.resolve()
    # The handlers read as this role; the operators' would not be held by row security.
    conf = pathlib.Path(summary["instance_dir"], "etc", "flywheel.conf").read_text()
    context.database_url = re.search(r"^database_read = (.*)$", conf, re.M)[1]
    printed = subprocess.run([context.build / "benchmarks" / "print_statements"], capture_output=True, check=True)
    context.statements = json.loads(printed.stdout)
    rows = [measure(*endpoint, context) for endpoint in ENDPOINTS]
    print_table(rows)
    context.json.write_text(json.dumps({"rounds": context.rounds, "seconds": context.seconds, "clients": 64,
                                        "data": "demonstration data", "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
