"""A site whose appliances run the real `flywheel-agent`, each in a folder of its own."""

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path

from house.client import ago, expect
from house.world import Appliance, unique

PATIENCE = 20  # seconds; a poll of a running agent is every second here


def wait_until(condition, what, seconds=PATIENCE):
    """Looks again and again; what the condition gave in the end."""
    deadline = time.monotonic() + seconds * max(1, os.getloadavg()[0] / os.cpu_count())
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)
    return found


def incident_of(check_type, host="front-desk-1", **members):
    return {"incident_id": unique("incident"), "check_type": check_type, "incident_type": check_type, "hostname": host,
            "host_id": host, "platform": "windows", "severity": "high", "drift_detected": True, **members}


def healed(incident, level="L2", rule_id=None, success=True, **members):
    """An execution as the appliance's healer hands it to `record`."""
    execution = {
        "execution_id": unique("exec"), "incident_id": incident["incident_id"], "hostname": incident["hostname"],
        "platform": incident["platform"], "incident_type": incident["incident_type"], "check_type": incident["check_type"],
        "incident": incident, "runbook_id": "RB-WIN-SERVICES-001", "recommended_action": "RB-WIN-SERVICES-001",
        "resolution_level": level, "success": success, "status": "completed", "started_at": ago(seconds=9),
        "completed_at": ago(seconds=4), "duration_seconds": 5.0}
    if rule_id:
        execution["rule_id"] = rule_id
    execution.update(members)
    return execution


def lines(objects):
    return "".join(json.dumps(each) + "\n" for each in objects)


class Box:
    """One appliance: its settings, its rules, its state, and what the agent does there."""

    def __init__(self, appliance, folder, quickstart, server_url=None):
        self.appliance, self.appliance_id, self.site_id = appliance, appliance.appliance_id, appliance.site.site_id
        self.agent = Path(os.environ["FLYWHEEL_BUILD"]) / "bin" / "flywheel-agent"
        self.folder, self.rules, self.state = folder, folder / "rules", folder / "state.db"
        self.promoted, self.config = self.rules / "promoted", folder / "agent.conf"
        self.rules.mkdir(parents=True)
        (folder / "token").touch(mode=0o600)
        (folder / "token").write_text(appliance.caller.token + "\n", encoding="ascii")
        self.key_file = quickstart["public_key_file"]
        self.talk_to(server_url or quickstart["url"])

    def talk_to(self, url, **more):
        settings = {"server": url, "site_id": self.site_id, "appliance_id": self.appliance_id,
                    "token_file": self.folder / "token", "rules_dir": self.rules, "state_file": self.state,
                    "server_public_key": self.key_file, "poll_seconds": 1, **more}
        self.config.write_text("".join(f"{name} = {value}\n" for name, value in settings.items()), encoding="utf-8")

    # ---- its commands ----

    def command(self, *arguments, text="", before=(), **environment):
        """What the agent did; `before` are words that start it, `environment` is added to its own."""
        return subprocess.run([*before, self.agent, *arguments], input=text, capture_output=True, text=True, timeout=120,
                              check=False, env={**os.environ, **environment})

    def record(self, *executions):
        done = self.command("record", "--config", self.config, text=lines(executions))
        assert done.returncode == 0, done.stderr
        return executions

    def sync(self, **environment):
        """One cycle, which has to do all of its work."""
        done = self.try_sync(**environment)
        assert done.returncode == 0, f"sync ended with {done.returncode}: {done.stderr}"
        return done

    def try_sync(self, **environment):
        return self.command("sync", "--config", self.config, **environment)

    def match(self, *incidents, cooldown=False):
        """The agent's answer to each."""
        options = [] if cooldown else ["--no-cooldown"]
        done = self.command("match", "--rules", self.rules, "--state", self.state, *options, text=lines(incidents))
        assert done.returncode == 0, done.stderr
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(answers) == len(incidents), done.stdout
        return answers

    def heals(self, incident, **options):
        """The id of the rule that matches, or None."""
        return self.match(incident, **options)[0]["rule_id"]

    def status(self):
        done = self.command("status", "--config", self.config)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def installed(self):
        """{rule: version} by the agent's own word; each must lie on the disk as it says."""
        rules = self.status()["rules"]
        assert all(rule["on_disk"] == "same" for rule in rules), rules
        return {rule["rule_id"]: rule["version"] for rule in rules}

    def files(self):
        """{name: text} of what lies in promoted/."""
        return {file.stem: file.read_text(encoding="utf-8") for file in self.promoted.glob("*.yaml")}

    # ---- the agent as a service ----

    @contextlib.contextmanager
    def running(self):
        """`run`, and the process; ended like a service is."""
        with (self.folder / "run.log").open("a", encoding="utf-8") as log:
            process = subprocess.Popen([self.agent, "run", "--config", self.config], stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=log)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
            try:
                status = process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise
        assert status in (0, -signal.SIGKILL), f"`run` ended with {status}: {(self.folder / 'run.log').read_text()}"

    def wait_for_a_cycle(self):
        """Until a running agent has synchronised once more."""
        before = self.status()["last_success"]
        wait_until(lambda: self.status()["last_success"] not in (None, before), "the agent has finished a cycle")

    def set_aside(self):
        """Its folder as it is now; a function that puts it back."""
        kept = self.folder.with_name(self.folder.name + ".aside")
        shutil.copytree(self.folder, kept)

        def put_back():
            shutil.rmtree(self.folder)
            kept.rename(self.folder)
        return put_back


class Clinic:
    """A site, the boxes there, and what the partner decides about it."""

    def __init__(self, server, partner, quickstart, folder, boxes):
        self.server, self.partner, self.quickstart, self.folder = server, partner, quickstart, folder
        self.site = partner.new_site(boxes)
        self.site_id = self.site.site_id
        self.boxes = [self.box_of(appliance) for appliance in self.site.appliances]

    def box_of(self, appliance, **options):
        return Box(appliance, self.folder / appliance.appliance_id, self.quickstart, **options)

    def add_box(self):
        """An appliance that comes to the site later."""
        self.site.appliances.append(Appliance(self.server, self.site, unique("box")))
        self.boxes.append(self.box_of(self.site.appliances[-1]))
        return self.boxes[-1]

    # ---- the partner's side ----

    def new_pattern(self, **members):
        """An eligible pattern with a check type of its own, and an incident that belongs to it."""
        check_type = f"check_{secrets.token_hex(4)}"
        candidate = self.partner.new_candidate(self.site, check_type=check_type, recommended_action="RB-WIN-SERVICES-001",
                                               **members)
        return Pattern(self, candidate, incident_of(check_type))

    def new_rule(self):
        """A pattern that is approved, with its rule."""
        pattern = self.new_pattern()
        pattern.approve()
        return pattern


class Pattern:
    """A candidate, the incident it stands for, and what was decided about it."""

    def __init__(self, clinic, candidate, incident):
        self.api, self.site = clinic.partner.api, clinic.site
        self.candidate, self.incident, self.rule_id, self.yaml = candidate, incident, None, None

    def approve(self, **body):
        answer = expect(200, self.api.approve(self.candidate["id"], **body)).json()
        self.rule_id, self.yaml = answer["rule_id"], answer["rule_yaml"]
        return answer

    def make(self, status):
        expect(200, self.api.set_status(self.shown()["id"], status))

    def renew(self):
        """Archived and approved again: the next version of the same rule."""
        self.make("archived")
        return self.approve(custom_name=f"Renewed {unique('name')}")

    def shown(self):
        """The rule as the partner's list shows it."""
        found = [rule for rule in self.api.rules(q=self.rule_id, site_id=self.site.site_id)["rules"]
                 if rule["rule_id"] == self.rule_id]
        assert len(found) == 1, found
        return found[0]

    def counters(self):
        """What the partner sees of the pattern now."""
        return self.api.candidate(self.candidate["id"])["candidate"]
