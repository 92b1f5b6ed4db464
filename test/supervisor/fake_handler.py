#!/usr/bin/python3
"""A handler as the supervisor sees one: takes its socket on descriptor 0, says that it is ready, answers each
connection with one line, and finishes what is in flight when it is asked to stop. The copies that a test puts into the
mount differ by the settings in the first lines below, which the test writes."""
VERSION = "one"
START = "ready"  # or: fail, hang, killed
HOLD_SECONDS = 0.0  # how long an answer takes

import os
import select
import signal
import socket
import sys
import time

stopping = False


def ask_to_stop(_number, _frame):
    global stopping
    stopping = True


def library_text():
    folder = os.environ.get("LD_LIBRARY_PATH")
    if not folder:
        return "no library"
    with open(os.path.join(folder, "libflywheel.so"), encoding="ascii") as file:
        return file.read().strip()


def answer(connection, library):
    connection.settimeout(5)
    word = connection.recv(100).decode().strip()
    if word == "crash":
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(HOLD_SECONDS)
    connection.sendall(f"{VERSION} {library} {os.getpid()}\n".encode())
    connection.close()


signal.signal(signal.SIGTERM, ask_to_stop)
if START == "fail":
    print("no database", file=sys.stderr)
    sys.exit(1)
if START == "hang":
    time.sleep(600)
library = library_text()
listener = socket.socket(fileno=0)
listener.setblocking(False)
assert os.path.isfile(os.environ["FLYWHEEL_CONFIG"])
with os.fdopen(int(os.environ["FLYWHEEL_READY_FD"]), "w") as ready:
    ready.write(f"ready build-{VERSION}\n")
while not stopping:
    if select.select([listener], [], [], 0.02)[0]:
        try:
            accepted = listener.accept()[0]
        except BlockingIOError:
            continue
        accepted.setblocking(True)
        answer(accepted, library)
