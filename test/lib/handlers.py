"""Handler programs of some build, started on sockets of their own with the configuration of an instance."""
import atexit
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "test" / "server"))

from fastcgi import Connection  # noqa: E402


class Instance:
    """The one that FLYWHEEL_DIR names."""

    def __init__(self):
        self.folder = pathlib.Path(os.environ["FLYWHEEL_DIR"])
        self.summary = json.loads((self.folder / "quickstart.json").read_text(encoding="utf-8"))
        self.path = pathlib.Path(self.summary["instance_dir"])
        self.config = self.path / "etc" / "flywheel.conf"
        self.key = self.summary["api_key"]

    def control(self, *arguments):
        """flywheelctl's answer."""
        done = subprocess.run([TOP / "deploy" / "flywheelctl", "--dir", self.folder, *arguments], capture_output=True,
                              text=True, timeout=60, check=True)
        return json.loads(done.stdout)

    def new_appliance(self):
        """Site, appliance and token of a new appliance of the first partner."""
        site, box = f"site-{os.urandom(4).hex()}", f"box-{os.urandom(4).hex()}"
        self.control("site", "add", "--partner", self.summary["partner_slug"], "--site-id", site, "--name", site)
        token = self.control("appliance", "add", "--site", site, "--appliance-id", box)["token"]
        return site, box, token


class Handler:
    """One program that serves on `folder`/s.sock and logs to `folder`/log."""

    def __init__(self, program, folder, config, before=(), env=None):
        folder.mkdir(parents=True, exist_ok=True)
        self.socket, self.log_file = folder / "s.sock", folder / "log"
        self.process = subprocess.Popen(
            [*before, program, "--config", config, "--socket", self.socket], stdin=subprocess.DEVNULL,
            stderr=self.log_file.open("w", encoding="utf-8"), env={**os.environ, **(env or {})})
        atexit.register(self.process.kill)  # where a test fails before it stops it; no harm to one that has ended
        end = time.monotonic() + 60
        while not (self.socket.exists() and '"serving"' in self.log()):
            assert self.process.poll() is None and time.monotonic() < end, "the program did not start: " + self.log()
            time.sleep(0.05)

    def log(self):
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def connect(self, timeout=30):
        return Connection(self.socket, timeout)

    def stop(self):
        """Ends it as a supervisor does; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)
