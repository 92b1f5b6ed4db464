"""The one way by which the tests talk to the server.

Every answer is held against the contract (openapi.py) and against what is true of all answers: a request id, no
sniffing, problem documents for errors. What was secret in a request is remembered, so that test_zz_logs.py can
look for it in the logs.
"""

import datetime
import json
import re
import socket
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlparse

import requests

REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{1,64}$")
LEARNING = "/api/partners/me/learning"
USERS = "/api/partners/me/users"
KEYS = "/api/partners/me/keys"
SECRET_MEMBERS = ("password", "current_password", "new_password", "token", "api_key", "notes", "reason", "csrf_token")


def ago(**past):
    """The moment that long ago (timedelta's words), as the API writes moments."""
    moment = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(**past)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class Answer:
    """What came back."""

    def __init__(self, method, path, sent, response):
        self.method = method
        self.path = path
        self.sent = sent
        self.status = response.status_code
        self.headers = response.headers
        self.body = response.content
        self.media_type = response.headers.get("Content-Type", "").split(";")[0].strip()
        self.cookies = response.cookies
        self.set_cookie = response.headers.get("Set-Cookie", "")

    def json(self):
        return json.loads(self.body)

    def __getitem__(self, member):
        return self.json()[member]

    def __repr__(self):
        return f"<{self.method} {self.path} → {self.status}: {self.body[:600].decode('utf-8', 'replace')}>"


class Server:
    """The instance under test, and what has been said to it."""

    def __init__(self, url, contract):
        self.url = url
        self.contract = contract
        self.secrets = set()

    def remember(self, *secrets):
        """Texts that must not show up in a log. Very short ones would be found by chance."""
        self.secrets.update(secret for secret in secrets if isinstance(secret, str) and len(secret.strip()) >= 12)


class Caller:
    """Somebody who calls: with a key, a session, an appliance's token, or nothing."""

    def __init__(self, server, key=None, token=None, cookie=None, csrf=None, same_origin=True):
        self.server = server
        self.key = key
        self.token = token
        self.cookie = cookie
        self.csrf = csrf
        self.same_origin = same_origin
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # cookies are sent on purpose only
        server.remember(key, token, cookie, csrf)

    def headers(self):
        headers = {}
        if self.key is not None:
            headers["X-API-Key"] = self.key
        if self.token is not None:
            headers["Authorization"] = "Bearer " + self.token
        if self.cookie is not None:
            headers["Cookie"] = "flywheel_session=" + self.cookie
            if self.same_origin:
                headers["Sec-Fetch-Site"] = "same-origin"
        return headers

    def call(self, method, path, body=None, raw=None, headers=None, undocumented=False, unchecked=False, **query):
        """Sends one request. `body` goes as JSON, `raw` as it is. `undocumented`: the path or method is wrong on
        purpose. `unchecked`: the answer is wrong by nature (a broken header) and checked by the test alone."""
        sent = dict(self.headers())
        data = raw
        if body is not None:
            data = json.dumps(body, ensure_ascii=False).encode()
            sent["Content-Type"] = "application/json"
            self.remember(body)
        sent.update(headers or {})
        response = self.http.request(method, self.server.url + path, params=query or None, data=data,
                                     headers={name: value for name, value in sent.items() if value is not None},
                                     allow_redirects=False, timeout=60)
        answer = Answer(method, path.partition("?")[0], body, response)
        self.server.remember(answer.cookies.get("flywheel_session"))
        if answer.status == 201 or path.endswith("/password-reset"):
            self.remember(answer.json())
            self.remember(answer.json().get("link"))
        if not unchecked:
            self.check(answer, undocumented)
        return answer

    def remember(self, body):
        if isinstance(body, dict):
            self.server.remember(*(body.get(member) for member in SECRET_MEMBERS))

    def check(self, answer, undocumented):
        assert answer.status != 500, answer
        assert REQUEST_ID.match(answer.headers.get("X-Request-Id", "")), f"no request id: {answer}"
        assert answer.headers.get("X-Content-Type-Options") == "nosniff", answer
        if answer.status >= 400:
            self.check_problem(answer)
        if self.server.contract is not None:
            self.server.contract.check(answer, undocumented)

    @staticmethod
    def check_problem(answer):
        """RFC 9457, with what contract §2 adds."""
        assert answer.media_type == "application/problem+json", answer
        if answer.method == "HEAD":
            return
        problem = answer.json()
        assert problem["status"] == answer.status, answer
        if "Idempotent-Replayed" not in answer.headers:  # else it is the first answer's
            assert problem["request_id"] == answer.headers["X-Request-Id"], answer
        assert isinstance(problem["type"], str) and problem["type"], answer
        assert problem["title"] and len(problem["detail"]) >= 10, answer
        assert "SQL" not in problem["detail"] and "::" not in problem["detail"], answer
        if answer.status == 401:
            assert answer.headers.get("WWW-Authenticate"), answer
        if answer.status == 405:
            assert answer.headers.get("Allow"), answer
        if answer.status in (429, 503):
            assert int(answer.headers["Retry-After"]) > 0, answer

    def get(self, path, **query):
        return self.call("GET", path, **query)

    def post(self, path, body=None, **options):
        return self.call("POST", path, body=body, **options)

    def patch(self, path, body=None, **options):
        return self.call("PATCH", path, body=body, **options)

    # ---- the partner's calls, by name ----

    def stats(self):
        return expect(200, self.get(LEARNING + "/stats")).json()

    def candidates(self, **query):
        return expect(200, self.get(LEARNING + "/candidates", **query)).json()

    def candidate(self, candidate_id, **query):
        return expect(200, self.get(f"{LEARNING}/candidates/{candidate_id}", **query)).json()

    def approve(self, candidate_id, **body):
        return self.post(f"{LEARNING}/candidates/{candidate_id}/approve", body)

    def reject(self, candidate_id, reason="Not this one, it masks the cause."):
        return self.post(f"{LEARNING}/candidates/{candidate_id}/reject", {"reason": reason})

    def rules(self, **query):
        return expect(200, self.get(LEARNING + "/promoted-rules", **query)).json()

    def rule(self, rule_id):
        """The rule of that id in the list, or None."""
        found = [rule for rule in self.rules(q=rule_id, limit=200)["rules"] if rule["rule_id"] == rule_id]
        return found[0] if found else None

    def set_status(self, rule, status):
        return self.patch(f"{LEARNING}/promoted-rules/{rule}/status", {"status": status})

    def deploy(self, rule):
        return self.post(f"{LEARNING}/promoted-rules/{rule}/deploy")

    def history(self, **query):
        return expect(200, self.get(LEARNING + "/execution-history", **query)).json()

    # ---- the appliance's calls ----

    def push(self, site_id, appliance_id, patterns, **members):
        body = {"site_id": site_id, "appliance_id": appliance_id, "synced_at": ago(),
                "pattern_stats": patterns}
        body.update(members)
        return self.post("/api/agent/sync/pattern-stats", body)

    def report(self, site_id, *executions):
        body = {"site_id": site_id, "reported_at": ago()}
        if len(executions) == 1:
            body["execution"] = executions[0]
        else:
            body["executions"] = list(executions)
        return self.post("/api/agent/executions", body)


def expect(status, answer):
    """The answer, if it has that status."""
    assert answer.status == status, f"expected {status}: {answer!r}"
    return answer


def pointers(answer):
    """Where a 422 says that the body is wrong."""
    return {error["pointer"] for error in answer.json().get("errors", [])}


def raw_request(server, text):
    """Sends bytes as they are; the head and body that come back."""
    where = urlparse(server.url)
    with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
        connection.sendall(text)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.decode("latin-1"), body.decode("utf-8", "replace")
