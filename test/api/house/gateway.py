"""A second nginx in front of the same handlers, with the instance's own configuration, changed in some places."""

import contextlib
import os
import pwd
import socket
import subprocess
import time
from pathlib import Path

from .client import Server

GENERATE = Path(__file__).resolve().parents[3] / "deploy" / "nginx" / "generate"


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextlib.contextmanager
def gateway(server, quickstart, folder, rate_limit, change):
    """A Server that answers as `server` does, but through a configuration of which `change` has made another text."""
    port, instance = free_port(), Path(quickstart["instance_dir"])
    folder.chmod(0o755)
    command = [GENERATE, "--dir", os.environ["FLYWHEEL_DIR"], "--listen", f"127.0.0.1:{port}", "--rate-limit", rate_limit,
               "--pid", folder / "nginx.pid"]
    if os.geteuid() == 0:
        command += ["--account", pwd.getpwuid((instance / "log").stat().st_uid).pw_name]
    text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
    changed = change(text)
    assert changed != text, "the configuration is not what this test knows"
    (folder / "nginx.conf").write_text("daemon off;\n" + changed, encoding="utf-8")
    nginx = subprocess.Popen(["nginx", "-p", folder, "-e", folder / "error.log", "-c", folder / "nginx.conf"])
    try:
        end = time.monotonic() + 10
        while nginx.poll() is None and time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.05)
        beside = Server(f"http://127.0.0.1:{port}", server.contract)
        beside.secrets = server.secrets
        yield beside
    finally:
        nginx.terminate()
        nginx.wait(timeout=30)
