"""The appliance's side of a delivery, as docs/agents.md tells to verify it: by OpenSSL and by hand."""

import base64
import datetime
import hashlib
import json
import subprocess
from pathlib import Path

RULES = "/api/agent/sync/promoted-rules"
ACK = "/api/agent/sync/ack"
SIGNED = ["appliance_id", "expires_at", "full", "issued_at", "removed", "revision", "rules", "since_revision", "site_id"]


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class Verifier:
    """Checks answers against the instance's public key."""

    def __init__(self, quickstart, folder):
        self.folder = folder
        self.key = Path(quickstart["public_key_file"]).read_text(encoding="ascii").split()[0]
        # A key in PEM is its base64 behind that of twelve fixed bytes (RFC 8410).
        (folder / "rules.pem").write_text(
            f"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA{self.key}\n-----END PUBLIC KEY-----\n", encoding="ascii")

    def is_signed(self, signed, signature):
        (self.folder / "signed").write_bytes(signed)
        (self.folder / "signature").write_bytes(signature)
        done = subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "rules.pem", "-rawin", "-in", "signed",
                               "-sigfile", "signature"], cwd=self.folder, capture_output=True, check=False, timeout=30)
        return done.returncode == 0

    def check(self, answer, appliance, since=None):
        """What is said in the body of a 200 is what was signed, for this appliance and 48 hours."""
        body = answer.json()
        text, signature = base64.b64decode(body["signed"], validate=True), base64.b64decode(body["signature"], validate=True)
        assert self.is_signed(text, signature)
        assert not self.is_signed(text[:-1] + b" ", signature)
        signed = json.loads(text)
        assert text == json.dumps(signed, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        assert sorted(signed) == SIGNED
        assert (signed["appliance_id"], signed["site_id"]) == (appliance.appliance_id, appliance.site.site_id)
        assert (signed["revision"], signed["full"], signed["since_revision"]) == (
            body["revision"], body["full"], None if body["full"] else since)
        assert moment(signed["expires_at"]) - moment(signed["issued_at"]) == datetime.timedelta(hours=48)
        assert signed["issued_at"] == body["server_time"]
        assert signed["rules"] == [{name: rule[name] for name in ("digest", "rule_id", "version")} for rule in body["rules"]]
        assert signed["removed"] == [rule["rule_id"] for rule in body["removed"]]
        for rule in body["rules"]:
            assert hashlib.sha256(rule["rule_yaml"].encode()).hexdigest() == rule["digest"]
            assert rule["source"] == "server_promoted"
        assert not {rule["rule_id"] for rule in body["rules"]} & set(signed["removed"])
        return body


def installed(body):
    return [rule["rule_id"] for rule in body["rules"]]


def gone(body):
    return [rule["rule_id"] for rule in body["removed"]]


def states(database, rule_id, site):
    """{appliance: its deployment's row} of a rule."""
    rows = database.rows("SELECT * FROM promoted_rule_deployments WHERE site_id = %s AND rule_id = %s", site.site_id, rule_id)
    return {row["appliance_id"]: row for row in rows}


def state(database, rule_id, appliance):
    return states(database, rule_id, appliance.site)[appliance.appliance_id]["deployment_status"]
