"""An appliance and the server that it talks to: fixtures `server` and `box`."""

import os
import subprocess

import pytest

from conftest import AGENT, Appliance
from fake_server import FakeServer


class Linked(Appliance):
    """An appliance whose server is under the test's control."""

    def __init__(self, folder, server, **settings):
        super().__init__(folder, server=server.url, site_id=server.site_id, appliance_id=server.appliance_id,
                         timeout_seconds=5, **settings)
        self.server = server
        self.trust(server.key)
        (folder / "token").write_text(server.token + "\n", encoding="ascii")

    def trust(self, *keys):
        (self.folder / "rules.pub").write_text("".join(key.public + "\n" for key in keys), encoding="ascii")

    def sync(self, **options):
        """A cycle in which all goes well."""
        done = self.run("sync", **options)
        assert done.returncode == 0, done.stderr
        return done

    def sync_fails(self, *said):
        """A cycle in which something does not; what it told has these words."""
        done = self.run("sync")
        assert done.returncode == 1, done.stderr
        for words in said:
            assert words in done.stderr, done.stderr
        return done

    @property
    def files(self):
        """The rule files of promoted/ and what they say."""
        return {path.name: path.read_text(encoding="utf-8") for path in self.rules.promoted.iterdir()
                if path.suffix in (".yaml", ".yml") and path.is_file()}

    def has(self, *rule_ids):
        """These rules and no others are installed, as the server sent them."""
        texts = {f"{rule_id}.yaml": self.server.rules[rule_id]["yaml"] for rule_id in rule_ids}
        status = self.status()
        return (self.files == texts and {rule["rule_id"] for rule in status["rules"]} == set(rule_ids) and
                all(rule["on_disk"] == "same" for rule in status["rules"]))

    def start(self, *words):
        """The agent beside the test; what it tells goes to `told`."""
        with open(self.folder / "told", "ab") as told:
            return subprocess.Popen([AGENT, *words, "--config", str(self.config)], stdin=subprocess.DEVNULL,
                                    stdout=subprocess.DEVNULL, stderr=told, env=dict(os.environ))

    def told(self):
        return (self.folder / "told").read_text(encoding="utf-8", errors="replace")


@pytest.fixture
def server():
    made = FakeServer()
    yield made
    made.close()


@pytest.fixture
def box(tmp_path, server):
    return Linked(tmp_path / "box", server)
