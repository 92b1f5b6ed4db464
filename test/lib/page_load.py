"""Opens the dashboard over and over, as browsers do, until a file appears: the page, then all that it names.

usage: page_load.py URL STOP_FILE BUILD…

Fails when anything is not answered with 200, or is not byte for byte a file of one of the builds (folders of a dashboard).
Ends by saying how often each build's page was seen.
"""
import gzip
import http.client
import os
import pathlib
import re
import sys
import threading
import time

import connect

url, stop_file, *builds = sys.argv[1:]
pages = {pathlib.Path(build, "index.html").read_bytes(): build for build in builds}
assets = {}
for build in builds:
    for file in pathlib.Path(build, "assets").iterdir():
        assets.setdefault(f"/assets/{file.name}", set()).add(file.read_bytes())
seen, wrong = {build: 0 for build in builds}, []


def get(connection, path, compressed):
    connection.request("GET", path, headers={"Accept-Encoding": "gzip"} if compressed else {})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        wrong.append(f"{path}: {answer.status}")
    return gzip.decompress(body) if answer.headers["Content-Encoding"] == "gzip" else body


def client(number):
    connection, _ = connect.to(url)
    while not os.path.exists(stop_file):
        time.sleep(0.02)
        try:
            page = get(connection, "/", False)
            if page not in pages:
                wrong.append(f"a page of {len(page)} bytes is none of the builds'")
                continue
            seen[pages[page]] += 1
            for path in re.findall(r'(?:src|href)="(/assets/[^"]+)"', page.decode()):
                if get(connection, path, number % 2 == 0) not in assets.get(path, ()):
                    wrong.append(f"{path} is not the builds'")
        except (OSError, http.client.HTTPException) as error:
            wrong.append(repr(error))
            connection.close()


clients = [threading.Thread(target=client, args=(number,)) for number in range(4)]
for thread in clients:
    thread.start()
for thread in clients:
    thread.join()
print(" ".join(f"{build}={count}" for build, count in seen.items()), f"{len(wrong)} wrong")
print("\n".join(wrong[:10]))
sys.exit(1 if wrong or min(seen.values()) == 0 else 0)
