"""What an instance answers to every GET of the API, asked with one admin's session: kept in a file, or compared with it.

usage: answers.py session URL EMAIL PASSWORD       signs in; prints the cookie
       answers.py keep URL COOKIE FILE
       answers.py compare URL COOKIE FILE          byte for byte, status and ETag too; prints the count. Of a restored
                                                   instance: the revisions of sites are 1,000,000 ahead, on purpose

The operations come from docs/openapi.yaml: one that this program cannot fill in is a failure, not left out.
"""
import http.client
import json
import sys
import urllib.parse
from pathlib import Path

import yaml

LEARNING = "/api/partners/me/learning"
AHEAD = 1_000_000
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "openapi.yaml"


def ask(url, method, path, cookie=None, body=None, headers=()):
    where = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=30)
    sent = dict(headers)
    if cookie:
        sent.update({"Cookie": "flywheel_session=" + cookie, "Sec-Fetch-Site": "same-origin"})
    if body is not None:
        sent["Content-Type"] = "application/json"
    connection.request(method, path, json.dumps(body) if body is not None else None, sent)
    answer = connection.getresponse()
    return answer, answer.read()


def paths(url, cookie):
    """Every GET operation with parameters that the data can fill, lists by all their pages."""
    candidates = json.loads(ask(url, "GET", LEARNING + "/candidates?limit=200", cookie)[1])["candidates"]
    rules = json.loads(ask(url, "GET", LEARNING + "/promoted-rules?limit=200", cookie)[1])["rules"]
    sites = json.loads(ask(url, "GET", "/api/partners/me/sites", cookie)[1])["sites"]
    for path, item in yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))["paths"].items():
        if "get" not in item or path.startswith("/api/agent/"):
            continue
        parameters = [p.get("name") or p["$ref"].rsplit("/", 1)[1] for p in item["get"].get("parameters", [])]
        if path == LEARNING + "/candidates/{id}":
            yield from (path.replace("{id}", candidate["id"]) for candidate in candidates)
        elif path.startswith(LEARNING + "/promoted-rules/{id}"):
            yield from (path.replace("{id}", rule["id"]) for rule in rules)
        elif "{" in path:
            raise SystemExit(f"tell answers.py how to fill in {path}")
        else:
            yield path
        if "SiteId" in parameters:
            yield from (f"{path}?site_id={site['site_id']}" for site in sites[:4])
        if "sort" in parameters:
            schema = next(p for p in item["get"]["parameters"] if p.get("name") == "sort")["schema"]
            yield from (f"{path}?limit=200&sort={urllib.parse.quote(value)}" for value in schema["enum"])


def answers(url, cookie):
    kept = {}
    for start in paths(url, cookie):
        path = start
        for _ in range(5):  # so many pages
            answer, body = ask(url, "GET", path, cookie)
            kept[path] = [answer.status, answer.headers.get("ETag"), body.decode("utf-8")]
            cursor = json.loads(body).get("next_cursor") if answer.status == 200 and body[:1] == b"{" else None
            if not cursor:
                break
            path = start + ("&" if "?" in start else "?") + "cursor=" + urllib.parse.quote(cursor)
    return kept


def before_the_restore(path, was, now):
    """The answer as it would be without the step ahead: with the revisions and the text and ETag that go with them."""
    if not path.startswith("/api/partners/me/appliances"):
        return now
    document = json.loads(now[2])
    for appliance in document["appliances"]:
        appliance["site_revision"] -= AHEAD
        if appliance["revisions_behind"] is not None:
            appliance["revisions_behind"] = max(0, appliance["site_revision"] - appliance["acknowledged_revision"])
    return was if document == json.loads(was[2]) and now[0] == was[0] else [now[0], now[1], json.dumps(document)]


def main():
    what, url = sys.argv[1:3]
    if what == "session":
        answer, body = ask(url, "POST", "/api/partner-auth/login", body={"email": sys.argv[3], "password": sys.argv[4]})
        assert answer.status == 200, body
        print(answer.headers["Set-Cookie"].split(";")[0].partition("=")[2])
        return
    cookie, file = sys.argv[3], Path(sys.argv[4])
    found = answers(url, cookie)
    if what == "keep":
        file.write_text(json.dumps(found), encoding="utf-8")
        refused = [path for path, kept in found.items() if kept[0] != 200]
        assert not refused, refused
        print(len(found))
        return
    kept = json.loads(file.read_text(encoding="utf-8"))
    for path in set(kept) & set(found):
        found[path] = before_the_restore(path, kept[path], found[path])
    different = [path for path in sorted(set(kept) | set(found)) if kept.get(path) != found.get(path)]
    for path in different[:10]:
        print(path, "was", str(kept.get(path))[:300], "is", str(found.get(path))[:300], sep="\n    ")
    print(f"{len(kept)} answers, {len(different)} different")
    sys.exit(1 if different or len(kept) < 50 else 0)


main()
