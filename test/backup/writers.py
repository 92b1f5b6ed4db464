"""Approves candidates and reports executions until a file appears; prints what was answered 200 as JSON.

usage: writers.py URL KEY TOKEN SITE STOP_FILE CANDIDATE…
"""
import http.client
import itertools
import json
import os
import sys
import threading
import urllib.parse

url, key, token, site, stop_file, *candidates = sys.argv[1:]
where = urllib.parse.urlsplit(url)
done = {"approved": [], "reported": 0, "wrong": []}


def call(path, body, headers):
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=30)
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json", **headers})
    answer = connection.getresponse()
    return answer.status, answer.read()


def approve():
    for candidate in candidates:
        if os.path.exists(stop_file):
            return
        status, body = call(f"/api/partners/me/learning/candidates/{candidate}/approve", {"notes": "while it is backed up"},
                            {"X-API-Key": key})
        if status == 200:
            done["approved"].append(candidate)
        elif status not in (409, 422):
            done["wrong"].append([status, body.decode()[:200]])


def report():
    for n in itertools.count():
        if os.path.exists(stop_file):
            return
        executions = [{"execution_id": f"during-{n}-{i}", "hostname": "ws-1", "resolution_level": "L1", "success": True}
                      for i in range(50)]
        status, body = call("/api/agent/executions", {"site_id": site, "executions": executions},
                            {"Authorization": "Bearer " + token})
        if status in (200, 201):
            done["reported"] += 50
        else:
            done["wrong"].append([status, body.decode()[:200]])


threads = [threading.Thread(target=approve), threading.Thread(target=report)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(json.dumps(done))
sys.exit(1 if done["wrong"] or not done["reported"] else 0)
