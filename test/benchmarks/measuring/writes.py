"""What writes: approving, and appliances' reports, beside pgbench with the statements of the very same transaction.

Every request is another one: another candidate, higher counters, new executions. pgbench does the same by computing what
differs from a number, which costs it a little; so its figure is a shade too low. It runs with as many clients as there are
callers (not in short mode) and with four, and the faster counts: where transactions wait for each other, fewer get further. A partner is made for
the occasion and stays, so a run leaves its instance larger than it was.
"""
import contextlib
import hashlib
import json
import pathlib
import re
import statistics
import tempfile
import time
import urllib.request
from dataclasses import dataclass

from measuring.capture import capture
from measuring.load import database_load, wrk

HERE = pathlib.Path(__file__).parent
TARGET = 0.5
SITES = 20
APPROVERS, APPLIANCES, FEW = 16, 8, 4
PATTERNS, EXECUTIONS = 500, 100
APPROVALS_A_SECOND = 200  # at most, of one of the approvers
TAG = 2752  # signatures begin with it: 0xac0


@dataclass
class Writing:
    """Every request has a number. Caller p begins at `first` + p * `each`; the next run, `step` later."""
    name: str
    program: str
    callers: list  # (path, header, body), with @N@ and @X@ for the number
    seen: int      # the number of the request whose statements are looked at
    marks: list    # texts in its values that other numbers have otherwise, and the SQL that makes them from :n
    first: int
    each: int
    step: int


def post(url, header, body):
    name, _, value = header.partition(": ")
    request = urllib.request.Request(url, method="POST", data=body.encode(), headers={"Content-Type": "application/json", name: value})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def numbered(text, number):
    return text.replace("@N@", str(number)).replace("@X@", f"{number:012x}")


class Partner:
    """Sites with an appliance each, made now."""

    def __init__(self, instance):
        self.number = instance.query("SELECT count(*) FROM partners WHERE slug LIKE 'bench-writes-%'")[0][0]
        self.slug = f"bench-writes-{self.number}"
        instance.control("partner", "add", "--slug", self.slug, "--name", "Bench Writes")
        self.key = instance.control("key", "add", "--partner", self.slug, "--scopes", "read,decide", "--expires", "1d")["api_key"]
        self.tokens = []
        for number in range(SITES):
            site = f"{self.slug}-{number}"
            instance.control("site", "add", "--partner", self.slug, "--site-id", site, "--name", site)
            self.tokens.append(instance.control("appliance", "add", "--site", site, "--appliance-id", f"{site}-box")["token"])


def approving(instance, partner, arguments):
    each = APPROVALS_A_SECOND * (arguments.seconds + 1) + 1  # odd beside the sites, so that callers begin at different ones
    count = each * APPROVERS * 3 * arguments.rounds + 10
    tag = TAG + partner.number * 64  # of 1,048,576 numbers each
    if count >= 64 * 1048576:
        raise SystemExit("so many rounds and seconds would need too many candidates")
    instance.script(HERE / "seeds.sql", slug=partner.slug, sites=SITES, count=count, tag=tag)
    instance.query("VACUUM (ANALYZE) aggregated_pattern_stats")
    path = "/api/partners/me/learning/candidates/00000000-0000-4000-8000-@X@/approve"
    caller = (path, f"X-API-Key: {partner.key}", '{"notes": "Seen often; the fix is always the same."}')
    base = tag * 1048576
    seen = base + 2
    marks = [(f"00000000-0000-4000-8000-{seen:012x}", "'00000000-0000-4000-8000-' || lpad(to_hex(:n::bigint), 12, '0')"),
             (f"{seen:08x}00000000", "lpad(to_hex(:n::bigint), 8, '0') || '00000000'"),
             (f"{seen:08X}", "upper(lpad(to_hex(:n::bigint), 8, '0'))"),
             (f"{partner.slug}-2", f"'{partner.slug}-' || (:n::bigint - {base}) % {SITES}")]
    return Writing("approve", "learning-approve", [caller] * APPROVERS, seen, marks, base + 2, each, each * APPROVERS)


def pushing(partner):
    pattern = {"total_occurrences": "@", "l1_resolutions": 0, "l2_resolutions": "@", "l3_resolutions": 0, "success_count": "@",
               "total_resolution_time_ms": "@", "last_seen": time.strftime("%FT%TZ", time.gmtime()),
               "recommended_action": "RB-WIN-SERVICES-001", "check_type": "windows_service", "incident_type": "windows_service"}
    patterns = [{"pattern_signature": hashlib.sha256(f"pushed {n}".encode()).hexdigest()[:16], **pattern} for n in range(PATTERNS)]
    return reporting(partner, f"pattern-stats, {PATTERNS}", "/api/agent/sync/pattern-stats",
                     {"synced_at": time.strftime("%FT%TZ", time.gmtime()), "pattern_stats": patterns}, 0, 100_000)


def executing(partner):
    moment = time.strftime("%FT%TZ", time.gmtime(time.time() - 60))
    execution = {"success": True, "status": "completed", "resolution_level": "L2", "runbook_id": "RB-WIN-SERVICES-001",
                 "hostname": "BENCH-WS01", "platform": "windows", "incident_type": "windows_service", "check_type": "windows_service",
                 "severity": "medium", "started_at": moment, "completed_at": moment, "duration_seconds": 31.5, "confidence": 0.93,
                 "verification_passed": True, "pattern_signature": "bench-executed",
                 "incident": {"check_type": "windows_service", "details": {"service_name": "Spooler", "drift_type": "stopped"}}}
    executions = [{"execution_id": f"bench-@N@-{n}", "incident_id": f"inc-@N@-{n}", **execution} for n in range(EXECUTIONS)]
    return reporting(partner, f"executions, {EXECUTIONS}", "/api/agent/executions", {"executions": executions}, 1_000_000, 1_000_000 * APPLIANCES)


def reporting(partner, name, path, document, each, step):
    """Eight appliances, each with its own name and token; what pgbench computes follows from its client's number."""
    text = json.dumps(document).replace('"@"', "@N@")
    sites = [f"{partner.slug}-{number}" for number in range(APPLIANCES)]
    callers = [(path, f"Authorization: Bearer {partner.tokens[number]}", text.replace("{", f'{{"site_id": "{site}", ', 1))
               for number, site in enumerate(sites)]
    hashes = ["\\x" + hashlib.sha256(partner.tokens[number].encode()).hexdigest() for number in range(APPLIANCES)]

    def of_client(texts):
        return "(ARRAY[" + ", ".join(f"'{text}'" for text in texts) + "])[:client_id::int + 1]"
    marks = [("900002", "(:n)::text"), (hashes[0], of_client(hashes)), (f"{sites[0]}-box", of_client([f"{site}-box" for site in sites]))]
    return Writing(name, "agent-reports", callers, 900_002, marks, 1_000_000, each, step)


# ---- the same for pgbench ----

COUNTING = ("\\set i :i + 1", "\\set n :first + :client_id * :each + :i")


def quoted(text):
    """A constant of SQL in which pgbench finds no variable."""
    return "E'" + text.replace("\\", "\\\\").replace("'", "''").replace(":", "\\x3a") + "'"


def value_maker(marks):
    """For a captured value that has marks: the SQL that makes the like of it."""
    def value(text):
        expression = quoted(text)
        for mark, sql in marks:
            if text == mark:
                return f"({sql})"
            if mark in text:
                expression = f"replace({expression}, {quoted(mark)}, {sql})"
        return None if expression == quoted(text) else f"({expression})"
    return value


def transaction(statements):
    """The last transaction of what was captured; what came before it was reading."""
    begin = max(number for number, statement in enumerate(statements) if statement.sql == "BEGIN")
    return statements[begin:]


def new_row_ids(instance, statements, marks):
    """Ids that the handler drew for new rows are known to nobody yet; each transaction needs others."""
    known = {row[0] for row in instance.query("SELECT id::text FROM partners UNION ALL SELECT id::text FROM api_keys")}
    known |= {mark for mark, _ in marks}
    drawn = {text for statement in statements for text in statement.values
             if text and re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text)} - known
    return [(one, f"md5('{number} ' || :n)::uuid::text") for number, one in enumerate(sorted(drawn))]


# ---- measuring ----

def seen_statements(instance, writing):
    """What the handler sends for the second request of the first caller."""
    path, header, body = writing.callers[0]
    numbers = iter((writing.seen - 1, writing.seen))

    def ask():
        number = next(numbers)
        return post(instance.url + numbered(path, number), header, numbered(body, number))
    return transaction(capture(instance, writing.program, ask))


def prepare(instance, writing, folder):
    """The callers' files for wrk; each reports once, so that what follows is like what comes day by day."""
    for place, (path, header, body) in enumerate(writing.callers):
        for name, text in (("target", path), ("header", header), ("body", body)):
            (folder / f"{name}.{place}").write_text(text, encoding="utf-8")
    if writing.program == "agent-reports":
        for path, header, body in writing.callers:
            post(instance.url + path, header, numbered(body, writing.seen - 2))


def measure_one(instance, writing, arguments):
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="flywheel-bench.")))
        prepare(instance, writing, folder)
        statements = seen_statements(instance, writing)
        marks = [*writing.marks, *new_row_ids(instance, statements, writing.marks)]
        conninfo = instance.login(statements[0].role.removeprefix("flywheel_"))
        database = stack.enter_context(database_load(conninfo, statements, COUNTING, value_maker(marks)))
        clients, rounds, first = len(writing.callers), [], writing.first
        for _ in range(arguments.rounds):
            environment = {"BENCH_FOLDER": str(folder), "BENCH_FIRST": str(first), "BENCH_EACH": str(writing.each)}
            one = wrk(instance.url, clients, arguments.seconds, script=HERE / "writes.lua", threads=clients, environment=environment)
            if one["failed"]:
                raise SystemExit(f"{one['failed']:.1%} of the requests of {writing.name} failed; look into {instance.path}/log/handlers.log")
            first += writing.step
            one["D"] = 0
            for few in (FEW,) if arguments.short else (FEW, clients):
                one["D"] = max(one["D"], database(arguments.seconds, few, i=0, first=first, each=writing.each))
                first += writing.step
            one["of_D"] = one["rate"] / one["D"]
            rounds.append(one)
        return {"what": writing.name, "clients": clients, "target": TARGET,
                **{name: statistics.median(one[name] for one in rounds) for name in rounds[0]}}


def deadlocks(instance):
    time.sleep(1.5)  # backends tell their figures once a second
    return int(instance.query("SELECT deadlocks FROM pg_stat_database WHERE datname = 'flywheel'")[0][0])


def measure(instance, arguments):
    """The rows; none for an instance that is to stay as it is."""
    if arguments.writes == "no":
        return []
    partner, before = Partner(instance), deadlocks(instance)
    rows = [measure_one(instance, writing, arguments)
            for writing in (approving(instance, partner, arguments), pushing(partner), executing(partner))
            if arguments.only in writing.name and not (arguments.short and writing.program == "agent-reports")]
    if rows:
        rows[0]["deadlocks"] = deadlocks(instance) - before
    return rows


def verdicts(rows):
    for row in rows:
        yield f"{row['what']}, {row['clients']} at once: of D", row["of_D"], ">=", row["target"]
    if rows:
        yield "deadlocks while writing", rows[0]["deadlocks"], "<=", 0


def print_rows(rows):
    print(f"{'writing':<24}{'at once':>8}{'a second':>10}{'p50 ms':>9}{'p99 ms':>9}{'D/s':>9}{'of D':>7}")
    for row in rows:
        print(f"{row['what']:<24}{row['clients']:>8}{row['rate']:>10.0f}{row['p50_ms']:>9.2f}{row['p99_ms']:>9.2f}"
              f"{row['D']:>9.0f}{row['of_D']:>7.2f}")
