"""Load and limits: wrk, pgbench, and nginx before a handler that answers constant bytes."""
import contextlib
import os
import pathlib
import re
import subprocess
import tempfile
import time

from measuring.instance import TOP, run

PGBENCH = "/usr/lib/postgresql/15/bin/pgbench"
TO_MS = {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}
DATABASE_CLIENTS = 8


def percentile(out, name):
    number, unit = re.search(rf"{name}%\s+([\d.]+)(us|ms|s|m)\b", out).groups()
    return float(number) * TO_MS[unit]


def wrk(url, clients, seconds, headers=(), script=None, threads=None, environment=None):
    """Successful requests a second, percentiles in milliseconds, and the share of requests that failed.

    Where nothing was answered in time, the time is what the percentiles are at least."""
    command = ["wrk", "--latency", "-t", str(threads or min(2, clients)), "-c", str(clients), "-d", f"{seconds}s", "--timeout", "30s"]
    for header in headers:
        command += ["-H", header]
    if script:
        command += ["-s", str(script)]
    out = run([*command, url], timeout=seconds + 90, env={**os.environ, **(environment or {})})
    answered = int(re.search(r"(\d+) requests in", out)[1])
    refused = sum(int(said[1]) for said in re.finditer(r"Non-2xx or 3xx responses: (\d+)", out))
    lost = sum(int(number) for said in re.finditer(r"Socket errors: (.*)", out) for number in re.findall(r"\d+", said[1]))
    if answered == 0:
        return {"rate": 0.0, "p50_ms": seconds * 1000.0, "p99_ms": seconds * 1000.0, "failed": float(lost > 0)}
    return {"rate": float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]) * (answered - refused) / answered,
            "p50_ms": percentile(out, 50), "p99_ms": percentile(out, 99), "failed": (refused + lost) / (answered + lost)}


# ---- D: PostgreSQL alone ----

def pgbench_script(statements, setup=(), value=None):
    """A script of all statements in one pipeline, and the variables that hold their values; NULL is written out.

    `value(text)` may give an SQL expression for a value instead, of pgbench's variables."""
    lines, variables = [*setup, "\\startpipeline"], {}

    def place(number, statement):
        text = statement.values[number - 1]
        if text is None:
            return "NULL"
        expression = value(text) if value else None
        if expression:
            return expression
        name = f"v{len(variables)}"
        variables[name] = text
        return f":{name}"
    for statement in statements:
        if re.search(r"(?<!:):\w", statement.sql):
            raise SystemExit(f"pgbench would take a part of this statement for a variable: {statement.sql}")
        lines.append(re.sub(r"\$(\d+)", lambda m, s=statement: place(int(m[1]), s), statement.sql) + ";")
    return "\n".join([*lines, "\\endpipeline", ""]), variables


@contextlib.contextmanager
def database_load(conninfo, statements, setup=(), value=None):
    """A function that runs them with pgbench for so many seconds: transactions a second.

    A second more goes before, in which new connections load catalogues and prepare: handlers have done so long ago."""
    text, variables = pgbench_script(statements, setup, value)
    with tempfile.NamedTemporaryFile("w", suffix=".sql", prefix="flywheel-bench.", encoding="utf-8") as file:
        file.write(text)
        file.flush()

        def measure(seconds, clients=DATABASE_CLIENTS, **more):
            given = [f"--define={name}={text}" for name, text in {**variables, **more}.items()]
            out = run([PGBENCH, "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(seconds + 1), "-P", "1", *given,
                       "-f", file.name, conninfo], everything=True, timeout=seconds + 90)
            if re.search(r"number of failed transactions: [1-9]", out):
                raise SystemExit(f"statements failed:\n{out}")
            until, rate = map(float, re.search(r"^progress: ([\d.]+) s, ([\d.]+) tps", out, re.M).groups())
            total = int(re.search(r"transactions actually processed: (\d+)", out)[1])
            return (total - rate * until) / (seconds + 1 - until)
        yield measure


# ---- H: nginx and FastCGI alone ----

NGINX = """
daemon off; worker_processes auto; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/t1; fastcgi_temp_path {folder}/t2; proxy_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    upstream constant {{ server unix:{folder}/s; keepalive {kept}; }}
    server {{
        listen 127.0.0.1:{port}; keepalive_requests 1000000;
        location / {{
            fastcgi_pass constant; fastcgi_keep_conn on; fastcgi_buffers 16 64k; fastcgi_buffer_size 64k;
            fastcgi_param REQUEST_METHOD $request_method;
        }}
    }}
}}
"""
HANDLER_THREADS, KEPT_CONNECTIONS = 8, 4


@contextlib.contextmanager
def constant_server(build, size, port):
    """Its address, while nginx and a handler answer so many bytes."""
    with tempfile.TemporaryDirectory(prefix="flywheel-bench.") as name:
        folder = pathlib.Path(name)
        os.chmod(folder, 0o755)
        (folder / "body").write_bytes(b"x" * size)
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, kept=KEPT_CONNECTIONS), encoding="utf-8")
        handler = subprocess.Popen([build / "benchmarks" / "constant_handler", folder / "s", str(HANDLER_THREADS), folder / "body"],
                                   stdin=subprocess.DEVNULL)
        nginx = None
        try:
            while not (folder / "s").exists():
                if handler.poll() is not None:
                    raise SystemExit("the constant handler does not start")
                time.sleep(0.02)
            os.chmod(folder / "s", 0o666)
            nginx = subprocess.Popen(["/usr/sbin/nginx", "-p", folder, "-e", folder / "error.log", "-c", folder / "nginx.conf"])
            time.sleep(0.3)
            yield f"http://127.0.0.1:{port}/"
        finally:
            for process in filter(None, (nginx, handler)):
                process.terminate()
                process.wait(timeout=30)


def bound(h, d):
    """Both share the processors."""
    return 1 / (1 / h + 1 / d)


def machine():
    """What may explain a figure: processors, and how busy they were with others."""
    return {"processors": os.cpu_count(), "load_average": [round(load, 2) for load in os.getloadavg()],
            "commit": run(["git", "-C", str(TOP), "rev-parse", "--short", "HEAD"]).strip(), "at": time.strftime("%FT%TZ", time.gmtime())}
