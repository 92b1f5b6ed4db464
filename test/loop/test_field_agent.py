"""The agents in the field today, which cannot be changed: their whole story, and each of their habits."""

import pytest
import yaml

from field_agent import FieldAgent, its_clock, signature_of
from house.client import LEARNING, Caller, expect


def incident_of(check_type, host="front-desk-1"):
    return {"check_type": check_type, "incident_type": check_type, "hostname": host, "platform": "windows",
            "severity": "high", "drift_detected": True}


FIREWALL = incident_of("firewall")


class OldSite:
    """A site with agents of the field."""

    def __init__(self, partner, folder, agents=1):
        self.partner, self.site = partner, partner.new_site(agents)
        self.agents = [FieldAgent(appliance.caller, self.site.site_id, appliance.appliance_id, folder / appliance.appliance_id)
                       for appliance in self.site.appliances]

    def see(self, incident, times, planned="restore_firewall_baseline"):
        """Each agent meets the incident so often, planned by L2, and tells."""
        for agent in self.agents:
            for _ in range(times):
                agent.meet(incident, planned)
            agent.cycle()

    def approve(self, incident):
        candidate = self.partner.find(signature_of(incident), self.site)
        assert candidate is not None, "what the agents saw is no candidate"
        return expect(200, self.partner.api.approve(candidate["id"])).json()


def shown(partner, agent, rule_id):
    """What the dashboard shows of the rule on that agent's appliance: status, kind of agent, whether it was proven."""
    answer = expect(200, partner.api.get(f"{LEARNING}/promoted-rules/{partner.api.rule(rule_id)['id']}/deployments"))
    found = next(each for each in answer["deployments"] if each["appliance_id"] == agent.appliance_id)
    return found["deployment_status"], found["agent"], found["proven_at"] is not None


@pytest.fixture
def old_site(acme, tmp_path):
    return OldSite(acme, tmp_path)


def test_what_an_old_agent_sees_becomes_a_rule_that_heals_there_and_its_execution_proves_the_install(
        acme, tmp_path, deliveries):
    place = OldSite(acme, tmp_path, agents=2)
    one, two = place.agents
    place.see(FIREWALL, times=3)

    candidate = acme.find(signature_of(FIREWALL), place.site)
    assert (candidate["total_occurrences"], candidate["l2_resolutions"], candidate["success_rate"]) == (6, 6, 1)
    assert candidate["recommended_action"] == "restore_firewall_baseline"
    proposed = acme.api.candidate(candidate["id"])["proposed_rule"]
    assert proposed["conditions"] == [{"field": "check_type", "operator": "eq", "value": "firewall"}]

    approved = place.approve(FIREWALL)
    rule_id = approved["rule_id"]
    assert approved["deployed_to"] == 2
    one.cycle()
    two.cycle()
    assert one.files() == two.files() == {rule_id: approved["rule_yaml"]}
    assert deliveries.of(place.site.site_id, rule_id) == {one.appliance_id: "delivered", two.appliance_id: "delivered"}
    assert acme.api.rule(rule_id)["acknowledged_count"] == 0, "an old agent acknowledges nothing"

    assert one.meet(FIREWALL) == rule_id
    one.cycle()
    assert not one.unsent
    proven = deliveries.row(one.appliance_id, rule_id)
    assert proven["deployment_status"] == "applied" and proven["proven_at"] is not None
    assert deliveries.row(two.appliance_id, rule_id)["deployment_status"] == "delivered"
    assert shown(acme, one, rule_id) == ("applied", "old", True)
    assert shown(acme, two, rule_id) == ("delivered", "old", False)
    assert acme.api.rule(rule_id)["acknowledged_count"] == 1

    after = acme.find(signature_of(FIREWALL), place.site)
    assert (after["total_occurrences"], after["l1_resolutions"], after["l2_resolutions"]) == (7, 1, 6)
    history = acme.api.candidate(candidate["id"])["execution_history"]
    assert history[0]["runbook_id"] == rule_id and history[0]["resolution_level"] == "L1"


def test_an_action_that_is_a_runbook_is_taken_too(old_site):
    old_site.see(incident_of("print_spooler"), times=5, planned="RB-WIN-SERVICES-001")
    rule = yaml.safe_load(old_site.approve(incident_of("print_spooler"))["rule_yaml"])
    assert rule["action_params"]["runbook_id"] == "RB-WIN-SERVICES-001"


def test_p22_a_cursor_that_moved_while_the_server_was_away_misses_no_rule(old_site, server):
    agent = old_site.agents[0]
    old_site.see(FIREWALL, times=5)
    rule_id = old_site.approve(FIREWALL)["rule_id"]
    away, agent.caller = agent.caller, Caller(type(server)("http://127.0.0.1:9", None))
    assert agent.pull() == []
    assert agent.since > its_clock()[:11], "its cursor has passed the approval"
    agent.caller = away
    assert agent.pull() == [rule_id]


@pytest.mark.parametrize("since", ["2099-01-01T00:00:00.000001+00:00", "2026-11-22T01:02:03.123456%2B00:00",
                                   "2026-11-22T01:02:03.123456+00:00", "2026-11-22T01:02:03Z"])
def test_p22_a_clock_that_is_wrong_and_a_plus_that_is_not_escaped_filter_nothing(old_site, since):
    agent = old_site.agents[0]
    old_site.see(FIREWALL, times=5)
    rule_id = old_site.approve(FIREWALL)["rule_id"]
    agent.since = since
    assert agent.pull() == [rule_id]


def test_p21_a_rule_it_cannot_take_away_is_not_said_to_be_away(acme, old_site):
    agent = old_site.agents[0]
    old_site.see(FIREWALL, times=5)
    rule_id = old_site.approve(FIREWALL)["rule_id"]
    agent.cycle()
    agent.meet(FIREWALL)
    agent.cycle()
    expect(200, acme.api.set_status(rule_id, "disabled"))
    for _ in range(3):
        agent.cycle()
    assert list(agent.files()) == [rule_id], "it takes nothing away"
    assert shown(acme, agent, rule_id) == ("applied", "old", True), "installed, and cannot be withdrawn"
    assert agent.meet(FIREWALL) == rule_id
    agent.cycle()
    assert not agent.unsent, "and what a withdrawn rule did is still taken"


def test_a_rule_that_was_approved_again_does_not_replace_its_file(acme, old_site):
    agent = old_site.agents[0]
    old_site.see(FIREWALL, times=5)
    first = old_site.approve(FIREWALL)
    agent.cycle()
    expect(200, acme.api.set_status(first["rule_id"], "archived"))
    second = old_site.approve(FIREWALL)
    assert second["rule_id"] == first["rule_id"]
    agent.cycle()
    assert agent.files() == {first["rule_id"]: first["rule_yaml"]}


def test_its_repeated_cycles_count_nothing_twice(acme, old_site):
    agent = old_site.agents[0]
    old_site.see(FIREWALL, times=5)
    before = acme.find(signature_of(FIREWALL), old_site.site)
    for _ in range(5):
        agent.cycle()
    assert acme.find(signature_of(FIREWALL), old_site.site) == before


def test_p28_only_what_names_another_site_stays_in_its_queue_and_it_harms_nothing_there(acme, old_site, database):
    """It sends a refused execution for ever, so nothing else may be refused."""
    agent = old_site.agents[0]
    for odd in ({"resolution_level": "L9"}, {"started_at": "soon"}, {"hostname": "x" * 5000}, {"success": "yes"},
                {"incident_type": "Größe"}, {"duration_seconds": -1}, {"runbook_id": None}):
        agent.meet(FIREWALL)
        agent.unsent[-1].update(odd)
    agent.meet(FIREWALL)
    foreign = agent.unsent[-1]
    foreign["site_id"] = acme.annex.site_id
    for _ in range(3):
        agent.cycle()
    assert agent.unsent == [foreign]
    stored = database.rows("SELECT execution_id, site_id FROM execution_telemetry WHERE appliance_id = %s", agent.appliance_id)
    assert [row["site_id"] for row in stored] == [agent.site_id] * 7


def test_its_questions_are_never_refused(old_site):
    """What it sends from its first minute on, when nobody has decided anything yet."""
    agent = old_site.agents[0]
    assert expect(200, agent.call("GET", f"/api/agent/sync/promoted-rules?site_id={agent.site_id}"))["rules"] == []
    assert expect(200, agent.push())["rejected"] == []
    answer = agent.call("GET", f"/api/agent/sync/promoted-rules?site_id={agent.site_id}&since={its_clock()}")
    assert expect(200, answer)["full"] is True
