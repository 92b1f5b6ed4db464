"""Asks one address over and over with four clients until a file appears; fails when an answer was anything but 200.

usage: steady_load.py URL KEY STOP_FILE

With FLYWHEEL_CONNECT=ADDRESS:PORT it connects there whatever the URL says, and FLYWHEEL_CA names the certificate to trust.
"""
import http.client
import os
import sys
import threading
import time

import connect

url, key, stop_file = sys.argv[1:]
answered, lost = [0] * 4, []


def client(number):
    connection, path = connect.to(url)
    while not os.path.exists(stop_file):
        time.sleep(0.002)
        try:
            connection.request("GET", path, headers={"X-API-Key": key})
            answer = connection.getresponse()
            body = answer.read()
            if answer.status == 200:
                answered[number] += 1
            else:
                lost.append(f"{answer.status}: {body[:200]!r}")
        except (OSError, http.client.HTTPException) as error:
            lost.append(repr(error))
            connection.close()


clients = [threading.Thread(target=client, args=(number,)) for number in range(len(answered))]
for thread in clients:
    thread.start()
for thread in clients:
    thread.join()
print(f"{sum(answered)} answered, {len(lost)} lost")
print("\n".join(lost[:10]))
sys.exit(1 if lost or min(answered) == 0 else 0)
