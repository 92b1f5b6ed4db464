"""Fills an instance with data of scale S, M or L: the bulk by SQL, the decisions through the API.

The largest partner owns 10 % of everything and the others ever less, by a power of their rank. Three partners cannot be
skewed so: at S the largest owns half.
"""
import concurrent.futures
import contextlib
import http.client
import json
import pathlib
import tempfile
import threading
import time

from measuring.instance import Instance

HERE = pathlib.Path(__file__).parent
SCALES = {  # rules: how many candidates are approved
    "S": {"partners": 3, "sites": 12, "patterns": 120, "executions": 5_000, "rules": 12},
    "M": {"partners": 50, "sites": 1_000, "patterns": 50_000, "executions": 1_000_000, "rules": 5_000},
    "L": {"partners": 200, "sites": 10_000, "patterns": 1_000_000, "executions": 10_000_000, "rules": 50_000},
}
LARGEST_SHARE = 0.10
WORKERS = 8  # people who decide at once
BOXES = 8  # appliances with a token, of the median and of the largest partner
TABLES = ("partners sites site_appliances api_keys appliance_tokens aggregated_pattern_stats appliance_pattern_stats "
          "appliance_pattern_sync execution_telemetry execution_ids site_daily_executions learning_promotion_candidates "
          "promoted_rules promoted_rule_versions promoted_rule_deployments appliance_rule_sync promotion_audit_log "
          "audit_chains audit_chain_links").split()


def sites_of_partners(partners, sites):
    """How many sites each partner has, the largest first; at least one, and together exactly `sites`."""
    share = max(LARGEST_SHARE, 1.5 / partners)
    low, high = 0.0, 3.0
    for _ in range(60):  # the power for which the largest one's part is that share
        power = (low + high) / 2
        total = sum(rank ** -power for rank in range(1, partners + 1))
        low, high = (low, power) if 1 / total > share else (power, high)
    counts = [max(1, int(sites * rank ** -power / total)) for rank in range(1, partners + 1)]
    counts[0] = round(sites * share)
    for place in range(sites - sum(counts)):  # what rounding left over, to the middle
        counts[1 + place % (partners - 1)] += 1
    return counts


class Decider:
    """Makes decisions through the API, several at once."""

    def __init__(self, instance):
        self.address, self.local = instance.address, threading.local()

    def call(self, method, path, key, body):
        if not hasattr(self.local, "connection"):
            self.local.connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=60)
        self.local.connection.request(method, path, json.dumps(body), {"X-API-Key": key, "Content-Type": "application/json"})
        answer = self.local.connection.getresponse()
        text = answer.read()
        if answer.status not in (200, 201):
            raise SystemExit(f"{method} {path} was answered {answer.status}: {text.decode()}")
        return json.loads(text)

    def decide(self, number, candidate, key, approve):
        path = f"/api/partners/me/learning/candidates/{candidate}"
        if not approve:
            return self.call("POST", path + "/reject", key, {"reason": "Known; the vendor is at work."})
        made = self.call("POST", path + "/approve", key, {"notes": "Seen often; the fix is always the same."})
        if number % 20 == 19:
            self.call("PATCH", f"/api/partners/me/learning/promoted-rules/{made['rule_id']}/status", key, {"status": "disabled"})
        return made


def decide(instance, keys, rules):
    """Approves `rules` candidates and rejects a tenth as many, of each partner a part."""
    chosen = instance.query(f"""
        SELECT a.id, p.slug FROM aggregated_pattern_stats a JOIN partners p ON p.id = a.partner_id
         WHERE a.promotion_eligible ORDER BY hashtextextended(a.id::text, 7) LIMIT {rules + rules // 10}""")
    decider = Decider(instance)
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        made = [pool.submit(decider.decide, number, candidate, keys[slug], number < rules)
                for number, (candidate, slug) in enumerate(chosen)]
        for one in made:
            one.result()


def appliances_with_tokens(instance, slug):
    """New appliances of the partner, one a site as long as there are sites; only whoever adds one ever sees its token."""
    sites = [row[0] for row in instance.query(
        f"SELECT s.site_id FROM sites s JOIN partners p ON p.id = s.partner_id WHERE p.slug = '{slug}' ORDER BY 1 LIMIT {BOXES}")]
    made = []
    for number in range(BOXES):
        site, box = sites[number % len(sites)], f"{slug}-box-{number}"
        token = instance.control("appliance", "add", "--site", site, "--appliance-id", box)["token"]
        made.append({"site_id": site, "appliance_id": box, "token": token})
    return made


def fill(instance, scale, say=print):
    """Makes everything; the facts that measurements need, which are also kept beside the instance."""
    size, started = SCALES[scale], time.monotonic()

    def step(what):
        say(f"[{time.monotonic() - started:4.0f} s] {what}")
    counts = sites_of_partners(size["partners"], size["sites"])
    partners = [{"number": number, "sites": sites} for number, sites in enumerate(counts, 1)]
    step(f"{size['executions']} executions of {size['patterns']} patterns")
    instance.script(HERE / "data.sql", partners=json.dumps(partners), patterns=size["patterns"], executions=size["executions"])
    slugs = [f"bench-{partner['number']:03d}" for partner in partners]
    keys = {slug: instance.control("key", "add", "--partner", slug, "--scopes", "read,decide", "--expires", "90d")["api_key"]
            for slug in slugs}
    instance.query(f"ANALYZE {', '.join(TABLES)}")
    step(f"{size['rules']} rules")
    decide(instance, keys, size["rules"])
    ranks = {"largest": slugs[0], "median": slugs[(len(slugs) - 1) // 2 if len(slugs) % 2 else len(slugs) // 2]}
    boxes = {rank: appliances_with_tokens(instance, slug) for rank, slug in ranks.items()}
    instance.script(HERE / "acknowledged.sql")
    step("vacuum")
    for table in TABLES:
        instance.query(f"VACUUM (ANALYZE) {table}")
    instance.query("CHECKPOINT", role="postgres")
    step("made")
    facts = {"scale": scale, "made_in_seconds": round(time.monotonic() - started), "sizes": sizes(instance),
             "partners": {rank: {"slug": slug, "key": keys[slug], "appliances": boxes[rank]} for rank, slug in ranks.items()}}
    instance.save_facts(facts)
    return facts


def sizes(instance):
    """Rows of each table, and bytes of the database."""
    rows = {table: instance.query(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}
    return {"rows": rows, "bytes": instance.query("SELECT pg_database_size('flywheel')")[0][0]}


@contextlib.contextmanager
def instance_for(arguments):
    """The one that `arguments.dir` names, else one made for the occasion: data of `arguments.scale`, on `arguments.port`."""
    if arguments.dir:
        yield Instance(arguments.dir)
        return
    with tempfile.TemporaryDirectory(prefix="flywheel-bench.") as folder:
        pathlib.Path(folder).chmod(0o711)
        instance = Instance.set_up(pathlib.Path(folder) / "instance", arguments.port, arguments.build)
        try:
            fill(instance, arguments.scale)
            yield instance
        finally:
            instance.remove()
