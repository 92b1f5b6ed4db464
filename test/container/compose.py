"""Runs a compose file with podman alone: for the container test, where no docker-compose is.

usage: compose.py --file FILE… --project NAME --podman PROGRAM COMMAND

  up                    every service, in the order and under the conditions of depends_on
  run SERVICE WORD…     the service's container once more with other words, removed when it ends
  start SERVICE         removes the service's container and runs it anew, as after a change of the image
  down                  containers, volumes and network

Only the members that deploy/container/compose.yaml uses are known; any other is refused, so that nothing of the file is
passed over in silence. Health is asked by hand (`podman healthcheck run`): podman itself asks by systemd timers only.
"""
import argparse
import os
import re
import subprocess
import sys
import time

import yaml

HEALTH_WAIT_S = 180


def fail(text):
    sys.exit(f"compose.py: {text}")


def interpolate(value):
    """${NAME:-otherwise} and ${NAME} in every text, as compose does."""
    if isinstance(value, dict):
        return {key: interpolate(member) for key, member in value.items()}
    if isinstance(value, list):
        return [interpolate(member) for member in value]
    if not isinstance(value, str):
        return value
    return re.sub(r"\$\{(\w+)(?::-([^}]*))?\}", lambda found: os.environ.get(found[1]) or found[2] or "", value)


def load(path):
    with open(path, encoding="utf-8") as file:
        document = interpolate(yaml.safe_load(file))
    unknown = {key for key in document if not key.startswith("x-")} - {"name", "services", "volumes", "secrets"}
    if unknown:
        fail(f"{path}: unknown members {sorted(unknown)}")
    return document


def merge(one, other):
    """What a later file says besides, or otherwise: members by name, lists one after the other."""
    for key, value in other.items():
        if isinstance(value, dict) and isinstance(one.get(key), dict):
            merge(one[key], value)
        elif isinstance(value, list) and isinstance(one.get(key), list):
            one[key] = one[key] + value
        else:
            one[key] = value
    return one


def seconds(text):
    found = re.fullmatch(r"(\d+)s", text)
    return int(found[1]) if found else fail(f"'{text}' is no duration in seconds")


# One function for each member of a service: its value as words for `podman run`. `None`: nothing to say there.

def words(option, separator=" "):
    def one(value, _):
        return [option, str(value)] if separator == " " else [f"{option}={value}"]
    return one


def each(option):
    return lambda values, _: [word for value in values for word in (option, str(value))]


def volumes(values, project):
    result = []
    for value in values:
        source, rest = value.split(":", 1)
        if not source.startswith("/"):
            if source not in (project.document.get("volumes") or {}):
                fail(f"the volume {source} is not declared")
            source = f"{project.name}_{source}"
        result += ["--volume", f"{source}:{rest}"]
    return result


def secrets(values, project):
    result = []
    for value in values:
        declared = project.document["secrets"].get(value) or fail(f"the secret {value} is not declared")
        result += ["--volume", f"{declared['file']}:/run/secrets/{value}:ro"]
    return result


def ulimits(values, _):
    return [word for name, limit in values.items() for word in ("--ulimit", f"{name}={limit['soft']}:{limit['hard']}")]


def logging(value, _):
    options = [word for name, option in value["options"].items() for word in ("--log-opt", f"{name}={option}")]
    return ["--log-driver", value["driver"], *options]


def healthcheck(value, _):
    if value["test"][0] != "CMD":
        fail("a health check is CMD and its words here")
    return ["--health-cmd", " ".join(value["test"][1:]), "--health-interval", value["interval"],
            "--health-timeout", value["timeout"], "--health-start-period", value["start_period"],
            "--health-retries", str(value["retries"])]


MEMBERS = {
    "image": None, "build": None, "command": None, "depends_on": None, "profiles": None,
    "read_only": lambda value, _: ["--read-only", "--read-only-tmpfs=false"] if value else [],
    "cap_drop": each("--cap-drop"),
    "cap_add": each("--cap-add"),
    "security_opt": each("--security-opt"),
    "tmpfs": each("--tmpfs"),
    "ports": each("--publish"),
    "environment": lambda values, _: [word for pair in values.items() for word in ("--env", "=".join(pair))],
    "volumes": volumes,
    "secrets": secrets,
    "ulimits": ulimits,
    "logging": logging,
    "healthcheck": healthcheck,
    "network_mode": words("--network"),
    "restart": words("--restart", "="),
    "user": words("--user"),
    "shm_size": words("--shm-size"),
    "mem_limit": words("--memory"),
    "cpus": words("--cpus"),
    "pids_limit": words("--pids-limit"),
    "stop_signal": words("--stop-signal"),
    "stop_grace_period": lambda value, _: ["--stop-timeout", str(seconds(value))],
}


class Project:
    def __init__(self, options):
        self.name, self.podman, self.document = options.project, options.podman, {}
        for file in options.file:
            merge(self.document, load(file))

    def call(self, *arguments, check=True, quiet=False):
        output = subprocess.DEVNULL if quiet else None
        done = subprocess.run([self.podman, *arguments], check=False, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        if check and done.returncode != 0:
            fail(f"podman {' '.join(arguments)[:2000]} ended with {done.returncode}")
        return done.returncode

    def container(self, service):
        return f"{self.name}_{service}"

    def service(self, name):
        found = self.document["services"].get(name) or fail(f"there is no service {name}")
        unknown = set(found) - set(MEMBERS)
        return fail(f"{name}: unknown members {sorted(unknown)}") if unknown else found

    def arguments(self, name):
        service = self.service(name)
        result = []
        for member, value in service.items():
            if MEMBERS[member] is not None:
                result += MEMBERS[member](value, self)
        if "network_mode" not in service:
            result += ["--network", f"{self.name}_default"]
        return result

    def start(self, name):
        service = self.service(name)
        self.call("run", "--detach", "--replace", "--name", self.container(name), *self.arguments(name), service["image"],
                  *service.get("command", []), quiet=True)

    def run(self, name, command):
        arguments = self.arguments(name)
        while "--publish" in arguments:
            del arguments[arguments.index("--publish"):][:2]
        arguments = [word for word in arguments if not word.startswith("--restart")]
        sys.exit(self.call("run", "--rm", *arguments, self.service(name)["image"], *command, check=False))

    def wait_for(self, name, condition):
        container = self.container(name)
        if condition == "service_healthy":
            deadline = time.monotonic() + HEALTH_WAIT_S
            while self.call("healthcheck", "run", container, check=False, quiet=True) != 0:
                if time.monotonic() > deadline:
                    self.call("logs", container, check=False)
                    fail(f"{name} does not become healthy")
                time.sleep(0.5)
        elif condition == "service_completed_successfully":
            code = subprocess.run([self.podman, "wait", container], check=True, capture_output=True, text=True).stdout.strip()
            if code != "0":
                self.call("logs", container, check=False)
                fail(f"{name} ended with {code}")
        elif condition != "service_started":
            fail(f"{name}: unknown condition {condition}")

    def up(self):
        if self.call("network", "exists", f"{self.name}_default", check=False) != 0:
            self.call("network", "create", f"{self.name}_default", quiet=True)
        started = set()
        waiting = {name: service for name, service in self.document["services"].items() if "profiles" not in service}
        while waiting:
            ready = [name for name in waiting if set(self.service(name).get("depends_on", {})) <= started]
            if not ready:
                fail(f"depends_on goes in a circle: {sorted(waiting)}")
            for name in ready:
                for other, condition in waiting.pop(name).get("depends_on", {}).items():
                    self.wait_for(other, condition["condition"])
                self.start(name)
                started.add(name)

    def down(self):
        for name in reversed(self.document["services"]):
            self.call("rm", "--force", "--ignore", "--time", "5", self.container(name), check=False, quiet=True)
        for name in self.document.get("volumes") or {}:
            self.call("volume", "rm", "--force", f"{self.name}_{name}", check=False, quiet=True)
        self.call("network", "rm", "--force", f"{self.name}_default", check=False, quiet=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--file", required=True, action="append")
    parser.add_argument("--project", required=True)
    parser.add_argument("--podman", required=True)
    parser.add_argument("command", choices=["up", "run", "start", "down"])
    parser.add_argument("words", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    project = Project(options)
    if options.command == "run":
        project.run(options.words[0], options.words[1:])
    elif options.command == "start":
        project.start(options.words[0])
    else:
        getattr(project, options.command)()


if __name__ == "__main__":
    main()
