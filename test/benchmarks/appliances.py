"""What a fleet of appliances costs: 1,000 of them ask for their rules once a minute, each on a connection of its own.

usage: appliances.py --instance DIR --json FILE [--appliances N] [--seconds N]

One process plays them all on loopback, with the requests of the real agent: a pull by revision with If-None-Match, and an
acknowledgement when something came. Two phases of so many seconds: in the first nothing happens but the polls; in the
second every appliance also reports an execution and its counters every ten minutes, and a person changes a rule every six
seconds, which goes to all appliances of that site. What is measured is the processor time of nginx, the handlers and
PostgreSQL, with everything that they do meanwhile, as a share of one core. Ends with status 0 when polling kept to its limit.
"""
import argparse
import asyncio
import base64
import json
import os
import pathlib
import random
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import psycopg2

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

LEARNING, AGENT = "/api/partners/me/learning", "/api/agent"
PULL, ACK = AGENT + "/sync/promoted-rules", AGENT + "/sync/ack"
LIMIT = 0.05  # of one core, for polling
PER_SITE, RULES_PER_SITE = 10, 5
POLL_SECONDS, REPORT_SECONDS, CHANGE_SECONDS = 60, 600, 6
TICK = os.sysconf("SC_CLK_TCK")


# ---- what the kernel and the database say ----

def fields(pid):
    """(parent, own ticks, ticks of children that have ended) of a process; None when it has ended."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return None
    rest = text.rpartition(")")[2].split()
    return int(rest[1]), int(rest[11]) + int(rest[12]), int(rest[13]) + int(rest[14])


class Stack:
    """The processes of an instance and what they have cost so far."""

    def __init__(self, instance):
        self.run, self.pg = instance.path / "run", instance.path / "pg"
        self.database = psycopg2.connect(instance.summary["database_url"])
        self.database.autocommit = True

    def pid(self, file):
        return int(file.read_text(encoding="ascii").split()[0])

    @staticmethod
    def family(parent):
        """Seconds of a process, its children, and its children that have ended."""
        known = (fields(entry.name) for entry in pathlib.Path("/proc").iterdir() if entry.name.isdigit())
        own = fields(parent)
        return (own[1] + own[2] + sum(found[1] for found in known if found and found[0] == parent)) / TICK

    def seconds(self):
        return {"nginx": self.family(self.pid(self.run / "nginx.pid")),
                "handlers": self.family(self.pid(self.run / "supervisor.pid")),
                "postgresql": self.family(self.pid(self.pg / "postmaster.pid"))}

    def query(self, statement):
        with self.database.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone()

    def written(self):
        """Rows changed so far, those of the appliances' last contact among them, and bytes of the write-ahead log."""
        time.sleep(11)  # a backend that has nothing to do tells its figures after 10 s
        rows, seen = self.query("SELECT sum(n_tup_ins + n_tup_upd + n_tup_del), sum(n_tup_upd) FILTER "
                                "(WHERE relname = 'site_appliances') FROM pg_stat_user_tables")
        return {"rows": int(rows), "last_seen": int(seen),
                "wal_bytes": int(self.query("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")[0])}


def difference(after, before):
    return {name: after[name] - before[name] for name in after}


# ---- the partner's side ----

class Partner:
    """Makes sites, appliances and rules, and changes rules."""

    def __init__(self, instance):
        self.instance, self.url = instance, instance.summary["url"]
        if urllib.parse.urlsplit(self.url).hostname not in ("127.0.0.1", "localhost"):
            raise SystemExit("load is for this machine only")
        self.slug = f"fleet-{os.urandom(3).hex()}"
        self.control("partner", "add", "--slug", self.slug, "--name", "Fleet")
        self.key = self.control("key", "add", "--partner", self.slug, "--scopes", "read,decide", "--expires", "1d")["api_key"]

    def control(self, *arguments):
        """The operators' program itself: one process for each of a thousand appliances is enough."""
        done = subprocess.run([self.instance.path / "bin" / "flywheelctl", "--config", self.instance.config, *arguments],
                              capture_output=True, text=True, timeout=60, check=True)
        return json.loads(done.stdout)

    def call(self, method, path, body=None, token=None):
        request = urllib.request.Request(self.url + path, method=method, data=body and json.dumps(body).encode())
        request.add_header("Content-Type", "application/json")
        request.add_header(*(("Authorization", "Bearer " + token) if token else ("X-API-Key", self.key)))
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def make_site(self, number, appliances):
        site = f"{self.slug}-{number}"
        self.control("site", "add", "--partner", self.slug, "--site-id", site, "--name", site)
        made = [Appliance(site, f"{site}-{box}", self.control("appliance", "add", "--site", site, "--appliance-id",
                                                              f"{site}-{box}")["token"]) for box in range(appliances)]
        patterns = [{"pattern_signature": os.urandom(8).hex(), "total_occurrences": 9, "l2_resolutions": 9, "success_count": 9,
                     "recommended_action": "RB-WIN-SERVICES-001", "check_type": f"check_{rule}", "last_seen": now()}
                    for rule in range(RULES_PER_SITE)]
        self.call("POST", AGENT + "/sync/pattern-stats", {"pattern_stats": patterns}, made[0].token)
        found = self.call("GET", f"{LEARNING}/candidates?site_id={site}")["candidates"]
        rules = [self.call("POST", f"{LEARNING}/candidates/{candidate['id']}/approve", {}) for candidate in found]
        return made, [rule["rule_id"] for rule in rules]

    def change_a_rule(self, rules, disabled):
        """Disables some active rule, or enables one again."""
        rule = random.choice(rules)
        status = "active" if rule in disabled else "disabled"
        disabled ^= {rule}
        self.call("PATCH", f"{LEARNING}/promoted-rules/{rule}/status", {"status": status})


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


# ---- the appliances ----

class Connection:
    """One for each cycle, as the agent's."""

    def __init__(self, host, port):
        self.host, self.port, self.reader, self.writer = host, port, None, None

    async def __aenter__(self):
        self.reader, self.writer = await asyncio.open_connection(self.host, self.port)
        return self

    async def __aexit__(self, *_what):
        self.writer.close()
        await self.writer.wait_closed()

    async def ask(self, method, path, token, body=None, etag=None):
        """(status, ETag, body)."""
        text = json.dumps(body).encode() if body is not None else b""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}:{self.port}", f"Authorization: Bearer {token}",
                 "Accept: application/json", "User-Agent: flywheel-agent"]
        if etag:
            lines.append(f"If-None-Match: {etag}")
        if body is not None:
            lines += ["Content-Type: application/json", f"Content-Length: {len(text)}"]
        self.writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + text)
        await self.writer.drain()
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
        tag = next((line.split(": ", 1)[1] for line in head if line.lower().startswith("etag: ")), None)
        return int(head[0].split()[1]), tag, await self.body(headers, int(head[0].split()[1]))

    async def body(self, headers, status):
        if status in (204, 304):
            return b""
        if headers.get("transfer-encoding") == "chunked":
            whole = b""
            while size := int(await self.reader.readline(), 16):
                whole += (await self.reader.readexactly(size + 2))[:-2]
            await self.reader.readexactly(2)
            return whole
        return await self.reader.readexactly(int(headers["content-length"]))


class Appliance:
    def __init__(self, site, box, token):
        self.site, self.box, self.token, self.revision, self.etag = site, box, token, None, None
        self.healed, self.pattern = 0, os.urandom(8).hex()

    async def poll(self, fleet, reporting):
        async with Connection(fleet.host, fleet.port) as server:
            if reporting:
                await self.report(fleet, server)
            query = f"?site_id={self.site}&appliance_id={self.box}"
            if self.revision is not None:
                query += f"&revision={self.revision}"
            status, tag, body = await server.ask("GET", PULL + query, self.token, etag=self.etag)
            fleet.count("polls", f"pulls answered {status}")
            if status == 200:
                await self.acknowledge(fleet, server, json.loads(body))
                self.etag = tag

    async def acknowledge(self, fleet, server, answer):
        signed = json.loads(base64.b64decode(answer["signed"]))
        status, _, _ = await server.ask("POST", ACK, self.token, {
            "site_id": self.site, "appliance_id": self.box, "revision": signed["revision"],
            "applied": [rule["rule_id"] for rule in answer["rules"]], "failed": [],
            "removed": [rule["rule_id"] for rule in answer["removed"]]})
        fleet.count("acknowledgements", f"acknowledgements answered {status}")
        self.revision = signed["revision"]

    async def report(self, fleet, server):
        self.healed += 1
        execution = {"execution_id": f"{self.box}-{self.healed}", "resolution_level": "L2", "success": True, "platform": "windows",
                     "runbook_id": "RB-WIN-SERVICES-001", "incident_type": "service_stopped", "check_type": "windows_service",
                     "pattern_signature": self.pattern, "hostname": "front-desk", "duration_seconds": 4.5, "completed_at": now()}
        pattern = {"pattern_signature": self.pattern, "total_occurrences": self.healed, "l2_resolutions": self.healed,
                   "success_count": self.healed, "total_resolution_time_ms": 4500 * self.healed, "last_seen": now(),
                   "recommended_action": "RB-WIN-SERVICES-001", "check_type": "windows_service"}
        for path, body in (("/executions", {"site_id": self.site, "executions": [execution]}),
                           ("/sync/pattern-stats", {"site_id": self.site, "pattern_stats": [pattern]})):
            status, _, _ = await server.ask("POST", AGENT + path, self.token, body)
            fleet.count("reports", f"reports answered {status}")


class Fleet:
    """All appliances and what was answered to them."""

    def __init__(self, partner, appliances, rules):
        where = urllib.parse.urlsplit(partner.url)
        self.host, self.port = where.hostname, where.port
        self.partner, self.appliances, self.rules, self.disabled, self.counts = partner, appliances, rules, set(), {}

    def count(self, *names):
        for name in names:
            self.counts[name] = self.counts.get(name, 0) + 1

    async def get_everything(self):
        """The first contact of each: all rules of its site, acknowledged."""
        for appliance in self.appliances:
            for _ in range(2):  # the second gives the ETag of "nothing since"
                await appliance.poll(self, reporting=False)

    async def live(self, appliance, seconds, working):
        """Polls once a minute from a moment of its own on, with the agent's jitter."""
        end = time.monotonic() + seconds
        await asyncio.sleep(min(random.uniform(0, POLL_SECONDS), seconds))
        while time.monotonic() < end:
            begin = time.monotonic()
            await appliance.poll(self, working and random.random() < POLL_SECONDS / REPORT_SECONDS)
            pause = POLL_SECONDS * random.uniform(0.9, 1.1) - (time.monotonic() - begin)
            await asyncio.sleep(max(0, min(pause, end - time.monotonic())))

    async def decide(self, seconds):
        """A change every few seconds."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await asyncio.to_thread(self.partner.change_a_rule, self.rules, self.disabled)
            self.count("decisions")
            await asyncio.sleep(CHANGE_SECONDS)

    async def run(self, seconds, working):
        self.counts = {}
        lives = [self.live(appliance, seconds, working) for appliance in self.appliances]
        if working:
            lives.append(self.decide(seconds))
        await asyncio.gather(*lives)
        return self.counts


# ---- measuring and telling ----

def measure(stack, fleet, what, seconds, working):
    written, used, begin = stack.written(), stack.seconds(), time.monotonic()
    counts = asyncio.run(fleet.run(seconds, working))
    used, passed = difference(stack.seconds(), used), time.monotonic() - begin
    written = difference(stack.written(), written)
    polls = counts.get("polls", 0)
    wrong = {name: count for name, count in counts.items() if " answered " in name and name.split()[-1] not in ("200", "304")}
    share = sum(used.values()) / passed
    return {"what": what, "appliances": len(fleet.appliances), "seconds": round(passed, 1), "counts": counts, "wrong": wrong,
            "polls_per_minute": polls * 60 / passed, "share_of_304": counts.get("pulls answered 304", 0) / polls,
            "cpu_seconds": used, "written": written, "share_of_polls_that_note_the_contact": written["last_seen"] / polls,
            "share_of_core": share, "share_by_part": {name: value / passed for name, value in used.items()},
            "limit": None if working else LIMIT, "met": not wrong and (working or share < LIMIT)}


def print_table(rows):
    print(f"{'% of one core':<26}{'nginx':>8}{'handlers':>10}{'postgres':>10}{'all':>8}{'limit':>8}{'polls/min':>11}{'304':>8}"
          f"{'rows written':>14}{'WAL KiB/s':>11}  met")
    for row in rows:
        parts = row["share_by_part"]
        print(f"{row['what']:<26}{parts['nginx']:>8.2%}{parts['handlers']:>10.2%}{parts['postgresql']:>10.2%}"
              f"{row['share_of_core']:>8.2%}{format(row['limit'], '.0%') if row['limit'] else '':>8}{row['polls_per_minute']:>11.0f}{row['share_of_304']:>8.1%}"
              f"{row['written']['rows']:>14}{row['written']['wal_bytes'] / 1024 / row['seconds']:>11.1f}"
              f"  {'yes' if row['met'] else 'NO'}")
        counts = ", ".join(f"{count} {name}" for name, count in sorted(row["counts"].items()))
        print(f"{'':<26}{row['seconds']:.0f} s: {counts}; for each poll, {row['share_of_polls_that_note_the_contact']:.2f} "
              "times last_seen was written")


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--instance", type=pathlib.Path, required=True)
    parser.add_argument("--json", type=pathlib.Path, required=True)
    parser.add_argument("--appliances", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=120)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    os.environ["FLYWHEEL_DIR"] = str(arguments.instance)
    from handlers import Instance  # which reads that variable
    instance = Instance()
    stack, partner = Stack(instance), Partner(instance)
    appliances, rules = [], []
    for number in range((arguments.appliances + PER_SITE - 1) // PER_SITE):
        made, theirs = partner.make_site(number, min(PER_SITE, arguments.appliances - len(appliances)))
        appliances += made
        rules += theirs
    fleet = Fleet(partner, appliances, rules)
    asyncio.run(fleet.get_everything())
    rows = [measure(stack, fleet, "polling, nothing changes", arguments.seconds, working=False),
            measure(stack, fleet, "polling and working", arguments.seconds, working=True)]
    print_table(rows)
    arguments.json.write_text(json.dumps({"limit": LIMIT, "rows": rows}, indent=2) + "\n")
    failed = sum(not row["met"] for row in rows)
    print(f"{len(rows) - failed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
