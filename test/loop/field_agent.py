"""An agent as it is in the field today: what it sends and what it does with the answers, by contract §3.

It cannot be changed any more, so nothing here may be made friendlier than it is: counters without a check or incident
type, executions that name neither appliance nor pattern nor rule, a cursor from its own clock that moves even when the
pull has failed, rules that it installs once, never replaces, never removes and never acknowledges, and a refused
execution that it sends again for ever.
"""

import datetime
import hashlib
import itertools
import json
import secrets

import requests
import yaml

PUSH, PULL, REPORT = "/api/agent/sync/pattern-stats", "/api/agent/sync/promoted-rules", "/api/agent/executions"


def signature_of(incident):
    """What every agent computes (contract §4, "Pattern signature"), of an incident without an error message."""
    known = {"type": incident["incident_type"], "check_type": incident["check_type"], "error_pattern": ""}
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:16]


def its_clock():
    """Microseconds, and an offset instead of Z."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="microseconds")


class FieldAgent:
    def __init__(self, caller, site_id, appliance_id, folder):
        self.caller, self.site_id, self.appliance_id = caller, site_id, appliance_id
        self.rules_folder = folder
        self.rules_folder.mkdir(parents=True, exist_ok=True)
        self.patterns, self.unsent, self.since, self.number = {}, [], None, itertools.count(1)

    # ---- on the appliance ----

    def rule_for(self, incident):
        """The first of its files whose conditions hold; all that rules from this server need is `eq`."""
        for file in sorted(self.rules_folder.glob("*.yaml")):
            rule = yaml.safe_load(file.read_text(encoding="utf-8"))
            if all(condition["operator"] == "eq" and incident.get(condition["field"]) == condition["value"]
                   for condition in rule["conditions"]):
                return rule
        return None

    def meet(self, incident, planned="restart_av_service", success=True):
        """An incident happens: a rule heals it (L1), else the planner's action (L2). Counts and queues the execution, and
        gives the id of the rule that acted, or None."""
        rule = self.rule_for(incident)
        level, runbook = ("L1", rule["id"]) if rule else ("L2", "L2-" + planned)
        self.count(signature_of(incident), level, success, planned)
        self.unsent.append(self.execution(incident, level, runbook, success))
        return rule and rule["id"]

    def count(self, signature, level, success, planned):
        counters = self.patterns.setdefault(signature, dict.fromkeys(
            ("total_occurrences", "l1_resolutions", "l2_resolutions", "l3_resolutions", "success_count"), 0))
        counters["total_occurrences"] += 1
        counters[level.lower() + "_resolutions"] += 1
        counters["success_count"] += success
        counters["total_resolution_time_ms"] = counters.get("total_resolution_time_ms", 0.0) + 1250.0
        counters.update(last_seen=its_clock(), recommended_action=planned, promotion_eligible=False)

    def execution(self, incident, level, runbook, success):
        return {
            "execution_id": f"{self.appliance_id}-{secrets.token_hex(4)}-{next(self.number)}",
            "incident_id": f"inc-{secrets.token_hex(6)}", "runbook_id": runbook, "hostname": incident["hostname"],
            "platform": incident["platform"], "incident_type": incident["incident_type"], "started_at": its_clock(),
            "completed_at": its_clock(), "duration_seconds": 1.25, "success": success,
            "status": "success" if success else "failure", "verification_passed": None, "confidence": 0.0,
            "resolution_level": level, "state_before": {}, "state_after": {}, "state_diff": {}, "executed_steps": [],
            "error_message": None, "error_step": None, "failure_type": None, "retry_count": 0, "evidence_bundle_id": None}

    def files(self):
        return {file.stem: file.read_text(encoding="utf-8") for file in self.rules_folder.glob("*.yaml")}

    # ---- to the server and back ----

    def cycle(self):
        """What it does every few minutes: counters, executions, rules; none of them cares whether another failed."""
        self.push()
        self.send()
        self.pull()

    def call(self, method, path, body=None):
        """The answer; None when there was none."""
        try:
            return self.caller.call(method, path, body=body, headers={"X-Site-ID": self.site_id})
        except requests.RequestException:
            return None

    def push(self):
        stats = [{"pattern_signature": signature, **counters} for signature, counters in self.patterns.items()]
        return self.call("POST", PUSH, {"site_id": self.site_id, "appliance_id": self.appliance_id,
                                        "synced_at": its_clock(), "pattern_stats": stats})

    def send(self):
        """One request for each; what was not taken stays and comes again."""
        for execution in list(self.unsent):
            answer = self.call("POST", REPORT, {"site_id": self.site_id, "execution": execution, "reported_at": its_clock()})
            if answer is not None and answer.status in (200, 201):
                self.unsent.remove(execution)

    def pull(self):
        """The cursor moves whatever came back, and its plus is sent as it is. Answers the ids of the rules it wrote."""
        path = f"{PULL}?site_id={self.site_id}" + (f"&since={self.since}" if self.since else "")
        self.since = its_clock()
        answer = self.call("GET", path)
        return self.install(answer["rules"]) if answer is not None and answer.status == 200 else []

    def install(self, rules):
        written = []
        for rule in rules:
            file = self.rules_folder / f"{rule['rule_id']}.yaml"
            if not file.exists():
                file.write_text(rule["rule_yaml"], encoding="utf-8")
                written.append(rule["rule_id"])
        return written
