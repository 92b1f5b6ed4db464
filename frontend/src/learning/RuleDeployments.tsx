import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { deploymentsKey, listDeployments } from "../api/rules";
import type { PromotedRule, RuleDeployments as Answer } from "../api/types";
import { formatCount } from "../lib/format";
import { usePollInterval } from "../lib/polling";
import { LastSeen } from "../sites/LastSeen";
import { Badge } from "../ui/Badge";
import { Link } from "../ui/Link";
import { ListBody, Refreshed } from "../ui/ListBody";
import { SkeletonRows } from "../ui/Table";
import { Time } from "../ui/Time";
import { inOrder } from "./deployment";

/** How many are listed before somebody asks for all. */
const atFirst = 50;

/** Which appliances of the site have the rule, since when, and which could not install it and why. */
export function RuleDeployments({ rule }: { rule: PromotedRule }) {
  const query = useQuery({
    queryKey: deploymentsKey(rule.id),
    queryFn: ({ signal }) => listDeployments(rule.id, signal),
    refetchInterval: usePollInterval(),
  });
  return (
    <section aria-labelledby="rule-appliances">
      <div className="panel-head">
        <h3 id="rule-appliances">On the appliances</h3>
        <Refreshed query={query} />
      </div>
      <ListBody
        query={query}
        what="appliances"
        skeleton={<SkeletonRows rows={2} />}
        empty={(answer) =>
          inOrder(answer).length > 0
            ? null
            : {
                icon: "inbox",
                title: "No appliances yet",
                text: `${rule.site_name} has none. Your operator adds them; each new one gets the rule by itself.`,
              }
        }
      >
        {(answer) => <Deployments answer={answer} />}
      </ListBody>
      <p>
        <Link to={{ tab: "sites", site: rule.site_id }}>
          All about the appliances of {rule.site_name}
        </Link>
      </p>
    </section>
  );
}

function Deployments({ answer }: { answer: Answer }) {
  const [all, setAll] = useState(false);
  const ordered = inOrder(answer);
  const shown = all ? ordered : ordered.slice(0, atFirst);
  return (
    <>
      <ul className="boxes">
        {shown.map(({ one, look }) => (
          <li key={one.appliance_id} className={`box box-${look.tone}`}>
            <p className="box-head">
              <strong className="mono">{one.appliance_id}</strong>
              <Badge tone={look.tone} icon={look.icon}>
                {look.words}
              </Badge>
            </p>
            {one.error && one.deployment_status === "failed" && (
              <p className="box-error">{one.error}</p>
            )}
            {look.since?.at && (
              <p className="cell-sub">
                {look.since.word} <Time value={look.since.at} />
                {one.rule_version !== null && `, version ${formatCount(one.rule_version)}`}
              </p>
            )}
            {look.meaning && <p className="cell-sub">{look.meaning}</p>}
            {one.silent && <LastSeen of={one} />}
          </li>
        ))}
      </ul>
      {shown.length < ordered.length && (
        <button type="button" className="button" onClick={() => setAll(true)}>
          Show all {formatCount(ordered.length)} appliances
        </button>
      )}
    </>
  );
}
