"""The operators' command."""

import json
import os
import subprocess
from pathlib import Path

COMMAND = Path(__file__).resolve().parents[3] / "deploy" / "flywheelctl"


class Refused(Exception):
    """The command ended with status 1 and this reason."""


def control(*arguments):
    """Runs flywheelctl against the instance of FLYWHEEL_DIR and gives what it printed."""
    done = subprocess.run([str(COMMAND), *arguments], capture_output=True, text=True, timeout=60, check=False,
                          env={**os.environ, "FLYWHEEL_DIR": os.environ["FLYWHEEL_DIR"]})
    if done.returncode != 0:
        raise Refused(f"flywheelctl {' '.join(arguments)}: {done.stderr.strip()}")
    return json.loads(done.stdout)
