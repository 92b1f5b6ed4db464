"""Tenants made for the tests, through the operators' command and the API only."""

import itertools
import secrets
import threading

from .client import Caller, ago, expect
from .control import control
from .delivery import ACK, RULES

RUN = secrets.token_hex(3)
counter = itertools.count(1)
counter_lock = threading.Lock()


def unique(stem):
    """A name nobody has used, also not an earlier run against the same instance."""
    with counter_lock:
        return f"{stem}-{RUN}-{next(counter)}"


def signature():
    """A pattern signature as appliances compute them."""
    return secrets.token_hex(8)


def pattern(pattern_signature=None, **members):
    """The counters of an eligible pattern; `members` replace them, None leaves one out."""
    stats = {
        "pattern_signature": pattern_signature or signature(),
        "total_occurrences": 15, "l1_resolutions": 0, "l2_resolutions": 12, "l3_resolutions": 1,
        "success_count": 14, "total_resolution_time_ms": 150000, "last_seen": ago(hours=1),
        "recommended_action": "RB-WIN-SERVICES-001", "promotion_eligible": True, "check_type": "windows_service",
    }
    stats.update(members)
    return {name: value for name, value in stats.items() if value is not None}


def execution(**members):
    """One execution as an appliance reports it; None leaves a member out."""
    report = {
        "execution_id": unique("exec"), "incident_id": unique("incident"), "runbook_id": "RB-WIN-SERVICES-001",
        "hostname": "front-desk-1", "platform": "windows", "incident_type": "service_stopped",
        "started_at": ago(hours=2, seconds=5), "completed_at": ago(hours=2), "duration_seconds": 5.0,
        "success": True, "status": "completed", "verification_passed": True, "confidence": 0.9,
        "resolution_level": "L2",
    }
    report.update(members)
    return {name: value for name, value in report.items() if value is not None}


class Appliance:
    def __init__(self, server, site, appliance_id):
        self.site = site
        self.appliance_id = appliance_id
        token = control("appliance", "add", "--site", site.site_id, "--appliance-id", appliance_id)["token"]
        self.caller = Caller(server, token=token)

    def push(self, *patterns, **members):
        return self.caller.push(self.site.site_id, self.appliance_id, list(patterns), **members)

    def report(self, *executions):
        return self.caller.report(self.site.site_id, *executions)

    def pull(self, tag=None, **query):
        return self.caller.call("GET", RULES, headers={"If-None-Match": tag} if tag else None, **query)

    def acknowledge(self, revision, applied=(), **members):
        return self.caller.post(ACK, {"site_id": self.site.site_id, "appliance_id": self.appliance_id, "revision": revision,
                                      "applied": list(applied), **members})

    def sync(self, revision=None):
        """Pulls, does as it is told, says so; the answer's body."""
        body = expect(200, self.pull(**({} if revision is None else {"revision": revision}))).json()
        expect(200, self.acknowledge(body["revision"], [rule["rule_id"] for rule in body["rules"]]))
        return body


class Site:
    def __init__(self, server, partner, appliances, stem="site"):
        self.site_id = unique(stem)
        self.name = f"Clinic {self.site_id}"
        control("site", "add", "--partner", partner.slug, "--site-id", self.site_id, "--name", self.name)
        self.appliances = [Appliance(server, self, unique("box")) for _ in range(appliances)]


class Partner:
    """A partner with two sites: `main` with two appliances and `annex` with one."""

    def __init__(self, server, sites=True):
        self.server = server
        self.slug = unique("partner")
        control("partner", "add", "--slug", self.slug, "--name", f"Partner {self.slug}")
        self.api = self.new_key("read,decide")
        if sites:
            self.main = self.new_site(2)
            self.annex = self.new_site(1)

    def new_site(self, appliances):
        return Site(self.server, self, appliances)

    def new_key(self, scopes, expires="90d"):
        made = control("key", "add", "--partner", self.slug, "--scopes", scopes, "--expires", expires)
        caller = Caller(self.server, key=made["api_key"])
        caller.key_id = made["id"]
        return caller

    def new_user(self, role):
        email = f"{unique(role)}@example.com"
        password = control("user", "add", "--partner", self.slug, "--email", email, "--role", role)["password"]
        self.server.remember(password)
        return email, password

    def sign_in(self, role, **options):
        """A browser in which somebody of that role is signed in."""
        email, password = self.new_user(role)
        return sign_in(self.server, email, password, **options)

    def find(self, pattern_signature, site=None):
        """The candidate of that signature (at `site`, else `main`), or None."""
        site_id = (site or self.main).site_id
        found = [candidate for candidate in self.api.candidates(q=pattern_signature, site_id=site_id)["candidates"]
                 if candidate["pattern_signature"] == pattern_signature]
        assert len(found) <= 1
        return found[0] if found else None

    def new_candidate(self, site=None, **members):
        """Has an appliance of `site` (else `main`) report an eligible pattern, and gives the candidate."""
        site = site or self.main
        stats = pattern(**members)
        answer = expect_accepted(site.appliances[0].push(stats))
        assert answer["rejected"] == [], answer
        candidate = self.find(stats["pattern_signature"], site)
        assert candidate is not None, f"{stats} is no candidate"
        return candidate

    def new_rule(self, site=None, **members):
        """A candidate, approved: the answer of the approval, and the candidate."""
        candidate = self.new_candidate(site, **members)
        return expect(200, self.api.approve(candidate["id"])).json(), candidate


def sign_in(server, email, password, **options):
    answer = expect(200, Caller(server).post("/api/partner-auth/login", {"email": email, "password": password}))
    return Caller(server, cookie=answer.cookies["flywheel_session"], csrf=answer["csrf_token"], **options)


def expect_accepted(answer):
    assert answer.status in (200, 201), answer
    return answer
