"""The examples of docs/appliance.md, as they stand there."""

import json
import re

from conftest import TOP, run_agent

DOCUMENT = (TOP / "docs" / "appliance.md").read_text(encoding="utf-8")


def block(language, words):
    """The text of the one block in that language that holds these words."""
    found = [text for kind, text in re.findall(r"^```(\w*)\n(.*?)^```", DOCUMENT, re.M | re.S) if kind == language and words in text]
    assert len(found) == 1, f"{len(found)} blocks of {language or 'text'} with {words}"
    return found[0]


def input_of(command):
    """What stands between <<'END' and END."""
    return re.search(r"<<'END'\n(.*?)^END$", command, re.M | re.S).group(1)


def test_the_rule_and_the_incidents(appliance):
    appliance.rules.put("spooler.yaml", block("yaml", "OWN-SPOOLER"))
    done = run_agent("match", "--rules", appliance.rules.path, stdin=input_of(block("sh", "match --rules rules <<")))
    assert (done.returncode, done.stdout, done.stderr) == (0, block("json", '"incident_id":"inc-1"'), "")


def test_what_is_said_of_a_bad_file(appliance):
    appliance.rules.put("twice.yaml", "id: OWN-SPOOLER\n")
    done = run_agent("match", "--rules", appliance.rules.path)
    assert done.stderr.replace(str(appliance.rules.path), "rules") == block("", "twice.yaml")


def test_the_execution_and_the_status_after_it(appliance):
    done = appliance.run("record", stdin=input_of(block("sh", "record --config agent.conf <<")))
    assert (done.returncode, done.stderr) == (0, "")
    assert appliance.status() == json.loads(block("json", '"revision":null'))


def test_every_key_of_the_configuration_is_listed():
    keys = set(re.findall(r"^ \*   (\w+) ", (TOP / "deploy" / "appliance" / "settings.h").read_text(encoding="utf-8"), re.M))
    listed = set(re.findall(r"`(\w+)`", re.search(r"\| Key \| Means \|\n(.*?)\n\n", DOCUMENT, re.S).group(1)))
    assert keys == listed and len(keys) > 8
