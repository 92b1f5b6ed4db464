import type { PromotedRule } from "../api/types";
import { formatCount } from "../lib/format";
import { RuleBadge } from "../ui/Badge";
import { Dialog } from "../ui/Dialog";
import { Time } from "../ui/Time";
import { Yaml } from "../ui/Yaml";
import { RuleDeployments } from "./RuleDeployments";

interface Props {
  rule: PromotedRule;
  onClose: () => void;
}

/** One rule from close: where it comes from, where it has arrived, and what it says. */
export function RulePanel({ rule, onClose }: Props) {
  return (
    <Dialog title={rule.name} kind="panel" onClose={onClose}>
      <p className="detail-lead">
        <RuleBadge status={rule.status} /> {rule.site_name}
      </p>
      <dl className="facts">
        <div>
          <dt>Rule</dt>
          <dd className="mono">{rule.rule_id}</dd>
        </div>
        <div>
          <dt>Pattern</dt>
          <dd className="mono">{rule.pattern_signature}</dd>
        </div>
        <div>
          <dt>Version</dt>
          <dd>{formatCount(rule.version)}</dd>
        </div>
        <div>
          <dt>Promoted</dt>
          <dd>
            <Time value={rule.promoted_at} />
          </dd>
        </div>
        <div>
          <dt>Promoted by</dt>
          <dd>{rule.promoted_by ?? "–"}</dd>
        </div>
        <div>
          <dt>Last sent</dt>
          <dd>
            <Time value={rule.last_deployed_at} none="not yet" />
          </dd>
        </div>
        <div>
          <dt>Confirmed by appliances</dt>
          <dd>
            {formatCount(rule.acknowledged_count)} of {formatCount(rule.deployment_count)}
          </dd>
        </div>
        <div>
          <dt>Failed at appliances</dt>
          <dd>{formatCount(rule.failed_count)}</dd>
        </div>
      </dl>
      {rule.notes && <blockquote className="log-reason">{rule.notes}</blockquote>}
      <RuleDeployments rule={rule} />
      {rule.rule_yaml && <Yaml label="The rule as appliances get it" text={rule.rule_yaml} />}
    </Dialog>
  );
}
