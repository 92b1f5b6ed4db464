"""What the server believes about who has which rule: its rows, read with the operators' login."""


class Deliveries:
    def __init__(self, database):
        self.database = database

    def of(self, site_id, rule_id):
        """{appliance: status} of a rule."""
        return {row["appliance_id"]: row["deployment_status"] for row in self.database.rows(
            "SELECT appliance_id, deployment_status FROM promoted_rule_deployments WHERE site_id = %s AND rule_id = %s",
            site_id, rule_id)}

    def row(self, appliance_id, rule_id):
        return self.database.row("SELECT * FROM promoted_rule_deployments WHERE appliance_id = %s AND rule_id = %s",
                                 appliance_id, rule_id)

    def at(self, appliance_id):
        """What the appliance has told last: revision, errors, version; None when it never told anything."""
        rows = self.database.rows("SELECT * FROM appliance_rule_sync WHERE appliance_id = %s", appliance_id)
        return rows[0] if rows else None

    def revision(self, site_id):
        return self.database.row("SELECT rules_revision FROM sites WHERE site_id = %s", site_id)["rules_revision"]
