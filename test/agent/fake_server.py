"""A server as appliances see it, that can be told to answer anything.

It signs with libsodium and keeps what it was sent. By itself it answers well; a test changes what it says:

    server.edit_signed    changes what is about to be signed (a dictionary)
    server.edit_answer    changes the answer after it was signed (a dictionary)
    server.instead[path]  answers instead of the server: a function that gets the request's handler
"""

import base64
import ctypes
import hashlib
import json
import os
import ssl
import threading
import time
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

RULES = "/api/agent/sync/promoted-rules"
PATTERNS = "/api/agent/sync/pattern-stats"
EXECUTIONS = "/api/agent/executions"
ACK = "/api/agent/sync/ack"

sodium = ctypes.CDLL("libsodium.so.23")
if sodium.sodium_init() < 0:
    raise OSError("libsodium does not start")


class Key:
    """A signing key: Ed25519."""

    def __init__(self, seed=None):
        self._secret, public = ctypes.create_string_buffer(64), ctypes.create_string_buffer(32)
        sodium.crypto_sign_seed_keypair(public, self._secret, seed or os.urandom(32))
        self.public = base64.b64encode(public.raw).decode()

    def sign(self, data):
        signature = ctypes.create_string_buffer(64)
        sodium.crypto_sign_detached(signature, None, data, ctypes.c_ulonglong(len(data)), self._secret)
        return signature.raw


def text_of_time(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def rule_yaml(rule_id, check_type="firewall", **members):
    """What the server makes of a pattern, in the form that YAML shares with JSON."""
    rule = {"id": rule_id, "name": f"Auto-promoted: {rule_id}", "description": "Promoted from L2",
            "conditions": [{"field": "check_type", "operator": "eq", "value": check_type}],
            "action": "run_windows_runbook",
            "action_params": {"runbook_id": "RB-WIN-FIREWALL-001", "phases": ["remediate", "verify"]},
            "hipaa_controls": [], "enabled": True, "priority": 50, "cooldown_seconds": 300, "max_retries": 1,
            "source": "promoted"}
    rule.update(members)
    return "".join(f"{name}: {json.dumps(value)}\n" for name, value in rule.items())


class Request:
    """What was asked, for tests to look at."""

    def __init__(self, method, target, headers, body):
        parts = urlsplit(target)
        self.method, self.path, self.headers, self.body = method, parts.path, headers, body
        self.query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.at = time.monotonic()

    @property
    def json(self):
        return json.loads(self.body)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        """Nothing: the tests look at what was kept."""

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.request_seen = Request(self.command, self.path, dict(self.headers), body)
        self.server.owner.serve(self)

    do_GET = do_POST = serve

    def send(self, status, body=b"", **headers):
        """An answer; `body` is bytes, or what becomes JSON."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("Content_Type", "application/json")
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status != 304:
            self.wfile.write(body)

    def problem(self, status, slug, detail, **headers):
        self.send(status, {"type": f"urn:test:{slug}", "title": slug, "status": status, "detail": detail}, **headers)


class Listener(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Nothing: an agent that hangs up is part of the tests."""


class FakeServer:
    """Rules of one site for one appliance, and all that was sent."""

    def __init__(self, site_id="site-a", appliance_id="box-1", token="fwa_test-token", tls=None):
        self.site_id, self.appliance_id, self.token = site_id, appliance_id, token
        self.key, self.rules, self.withdrawn, self.revision = Key(), {}, {}, 0
        self.edit_signed = self.edit_answer = None
        self.instead, self.requests, self.connections = {}, [], 0
        self.executions, self.reject, self.poison = {}, set(), set()
        self.acks, self.patterns = [], {}
        self.lock = threading.Lock()
        self.listener = Listener(("127.0.0.1", 0), Handler)
        self.listener.owner = self
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.listener.socket = context.wrap_socket(self.listener.socket, server_side=True)
        self.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{self.listener.server_port}"
        self.thread = threading.Thread(target=self.listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def close(self):
        self.listener.shutdown()
        self.listener.server_close()

    # ---- what a partner does ----

    def put(self, rule_id, text=None, **members):
        """A new rule, or the next version of one."""
        self.revision += 1
        version = self.rules[rule_id]["version"] + 1 if rule_id in self.rules else 1
        self.rules[rule_id] = {"version": version, "yaml": rule_yaml(rule_id, **members) if text is None else text,
                               "revision": self.revision}
        self.withdrawn.pop(rule_id, None)

    def withdraw(self, rule_id):
        self.revision += 1
        del self.rules[rule_id]
        self.withdrawn[rule_id] = self.revision

    # ---- what was asked ----

    def asked(self, path):
        return [request for request in self.requests if request.path == path]

    def forget(self):
        self.requests.clear()
        self.acks.clear()

    # ---- answering ----

    def serve(self, handler):
        request = handler.request_seen
        with self.lock:
            self.requests.append(request)
        if request.path in self.instead:
            self.instead[request.path](handler)
        elif request.headers.get("Authorization") != f"Bearer {self.token}":
            handler.problem(401, "unauthenticated", "the token is not known")
        else:
            {RULES: self.serve_rules, PATTERNS: self.serve_patterns, EXECUTIONS: self.serve_executions,
             ACK: self.serve_ack}[request.path](handler)

    def manifest(self, asked):
        """What is to be signed for an appliance that stands at revision `asked` (None: nowhere)."""
        full = asked is None or asked > self.revision
        since = -1 if full else asked
        rules = {rule_id: rule for rule_id, rule in self.rules.items() if rule["revision"] > since}
        now = datetime.now(timezone.utc)
        return {"appliance_id": self.appliance_id, "site_id": self.site_id, "revision": self.revision, "full": full,
                "since_revision": None if full else asked,
                "issued_at": text_of_time(now), "expires_at": text_of_time(now + timedelta(hours=48)),
                "rules": [{"rule_id": rule_id, "version": rule["version"],
                           "digest": hashlib.sha256(rule["yaml"].encode()).hexdigest()}
                          for rule_id, rule in sorted(rules.items())],
                "removed": sorted(rule_id for rule_id, revision in self.withdrawn.items() if revision > since)}

    def rules_answer(self, asked):
        signed = self.manifest(asked)
        if self.edit_signed is not None:
            self.edit_signed(signed)
        data = json.dumps(signed, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        now = text_of_time(datetime.now(timezone.utc))
        answer = {"rules": [{"rule_id": item["rule_id"], "pattern_signature": "6c4a6b5b711abb80",
                             "rule_yaml": self.rules[item["rule_id"]]["yaml"], "promoted_at": now,
                             "promoted_by": "ann@example.test", "source": "server_promoted",
                             "version": item["version"], "digest": item["digest"]}
                            for item in signed.get("rules", []) if item["rule_id"] in self.rules],
                  "removed": [{"rule_id": rule_id, "removed_at": now} for rule_id in signed["removed"]],
                  "revision": signed["revision"], "full": signed["full"], "server_time": now,
                  "signed": base64.b64encode(data).decode(),
                  "signature": base64.b64encode(self.key.sign(data)).decode()}
        if self.edit_answer is not None:
            self.edit_answer(answer)
        return answer, signed

    def serve_rules(self, handler):
        request = handler.request_seen
        asked = int(request.query["revision"]) if "revision" in request.query else None
        answer, signed = self.rules_answer(asked)
        lasting = {name: value for name, value in signed.items() if name not in ("issued_at", "expires_at")}
        etag = '"' + hashlib.sha256((json.dumps(lasting) + self.key.public).encode()).hexdigest()[:32] + '"'
        if request.headers.get("If-None-Match") == etag:
            handler.send(304, ETag=etag)
        else:
            handler.send(200, answer, ETag=etag)

    def serve_patterns(self, handler):
        stats = handler.request_seen.json["pattern_stats"]
        new = sum(1 for item in stats if item["pattern_signature"] not in self.patterns)
        rejected = [{"index": index, "detail": "the server does not want it"} for index, item in enumerate(stats)
                    if item["pattern_signature"] in self.reject]
        self.patterns.update((item["pattern_signature"], item) for item in stats)
        handler.send(200, {"accepted": new, "merged": len(stats) - new, "rejected": rejected,
                           "server_time": text_of_time(datetime.now(timezone.utc))})

    def serve_executions(self, handler):
        body = handler.request_seen.json
        items = body["executions"] if "executions" in body else [body["execution"]]
        if any(item["execution_id"] in self.poison for item in items):
            handler.problem(422, "invalid", "one of the executions cannot be stored")
            return
        results = []
        for index, item in enumerate(items):
            name = item["execution_id"]
            status = ("rejected" if name in self.reject else "duplicate" if name in self.executions else "recorded")
            if status == "recorded":
                self.executions[name] = item
            results.append({"index": index, "status": status, "execution_id": name})
        handler.send(200, {"results": results, "server_time": text_of_time(datetime.now(timezone.utc))})

    def serve_ack(self, handler):
        body = handler.request_seen.json
        if body["revision"] > self.revision:
            handler.problem(422, "invalid", "the revision is ahead of the site's")
            return
        self.acks.append(body)
        handler.send(200, {"status": "recorded", "acknowledged": len(body["applied"]), "rejected": [],
                           "revision": self.revision, "server_time": text_of_time(datetime.now(timezone.utc))})
