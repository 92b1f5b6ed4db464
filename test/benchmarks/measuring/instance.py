"""An instance of the quickstart that holds bench data: setting it up, asking its database, its keys and tokens."""
import json
import os
import pathlib
import re
import subprocess
import urllib.parse

import psycopg2

TOP = pathlib.Path(__file__).resolve().parents[3]
FACTS = "bench.json"


def run(command, everything=False, **options):
    """What a command that must succeed prints, with `everything` also to standard error. What it said is shown when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise SystemExit(f"{pathlib.Path(command[0]).name} failed:\n{done.stderr or done.stdout}")
    return done.stdout + done.stderr if everything else done.stdout


class Instance:
    """`folder` is what the person named; the files may lie elsewhere (see deploy/lib/instance.sh)."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.summary = json.loads((self.folder / "quickstart.json").read_text(encoding="utf-8"))
        self.url, self.path = self.summary["url"], pathlib.Path(self.summary["instance_dir"])
        self.address = urllib.parse.urlsplit(self.url)
        if self.address.hostname not in ("127.0.0.1", "localhost"):
            raise SystemExit("load is for this machine only")

    @staticmethod
    def set_up(folder, port, build):
        """A fresh one with the first partner only and without request limits."""
        run([TOP / "deploy" / "quickstart", "--dir", folder, "--port", str(port), "--rate-limit", "off", "--no-demo", "--build", build])
        return Instance(folder)

    def remove(self):
        run([TOP / "deploy" / "quickstart", "reset", "--dir", self.folder])

    def control(self, *arguments):
        """The operators' program itself, without the script around it: there is much to make."""
        return json.loads(run([self.path / "bin" / "flywheelctl", "--config", self.path / "etc" / "flywheel.conf", *arguments]))

    def login(self, kind):
        """How handlers of that kind log in: the limits are measured with the very same rights."""
        conf = (self.path / "etc" / "flywheel.conf").read_text(encoding="utf-8")
        return re.search(rf"^database_{kind} = (.*)$", conf, re.M)[1]

    def connect(self, role):
        """A connection of psycopg2 as flywheel_migrate or postgres, each statement by itself."""
        socket = urllib.parse.unquote(self.summary["database_url"].partition("host=")[2])
        os.environ["PGPASSFILE"] = str(self.path / "etc" / "pgpass")
        connection = psycopg2.connect(host=socket, dbname="flywheel", user=role)
        connection.autocommit = True
        return connection

    def script(self, file, **variables):
        """A file of SQL as flywheel_migrate, in one transaction."""
        values = [f"--set={name}={value}" for name, value in variables.items()]
        socket = urllib.parse.unquote(self.summary["database_url"].partition("host=")[2])
        run(["psql", "-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", *values, "-f", file,
             f"host={socket} dbname=flywheel user=flywheel_migrate"],
            env={**os.environ, "PGPASSFILE": str(self.path / "etc" / "pgpass")})

    def query(self, statement, role="flywheel_migrate"):
        connection = self.connect(role)
        with connection.cursor() as cursor:
            cursor.execute(statement)
            rows = cursor.fetchall() if cursor.description else []
        connection.close()
        return rows

    def save_facts(self, facts):
        """What was made, with keys: for the owner only."""
        path = self.folder / FACTS
        path.touch(mode=0o600)
        path.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")

    def facts(self):
        path = self.folder / FACTS
        if not path.exists():
            raise SystemExit(f"{self.folder} holds no bench data. Make some: ./test/bench data S --dir {self.folder}")
        return json.loads(path.read_text(encoding="utf-8"))
