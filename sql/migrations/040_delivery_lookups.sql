-- An appliance's delivery of a rule is looked up by both, from either side; an index that only knows the appliance would be as
-- good to the planner as long as it does not know how many rules there are.
CREATE INDEX IF NOT EXISTS deployments_by_appliance ON promoted_rule_deployments (site_id, appliance_id, rule_id);
DROP INDEX IF EXISTS deployments_of_appliance;
