import type { PromotedRule } from "../api/types";
import { formatCount } from "../lib/format";
import { Badge, RuleBadge } from "../ui/Badge";
import { Icon } from "../ui/icons";
import { Switch } from "../ui/Switch";
import { Table, type Column } from "../ui/Table";
import { Time } from "../ui/Time";

interface Props {
  rules: readonly PromotedRule[];
  canDecide: boolean;
  sort: string | null;
  onSort: (sort: string | null) => void;
  isBusy: (rule: PromotedRule) => boolean;
  onShow: (rule: PromotedRule) => void;
  onSwitch: (rule: PromotedRule, on: boolean) => void;
  onDeploy: (rule: PromotedRule) => void;
  onArchive: (rule: PromotedRule) => void;
}

/** Made and active, but never sent anywhere. */
export const isHeldBack = (rule: PromotedRule): boolean =>
  rule.status === "active" && rule.held === true;

/** Appliances that shall have it and could not install it. */
const failures = (rule: PromotedRule): number =>
  rule.status === "active" ? (rule.failed_count ?? 0) : 0;

export function RulesTable(props: Props) {
  const { rules, canDecide, sort, onSort, isBusy, onShow, onSwitch, onDeploy, onArchive } = props;
  const columns: Column<PromotedRule>[] = [
    {
      id: "rule",
      label: "Rule",
      sort: "rule_id",
      firstSort: "ascending",
      cell: (r) => (
        <>
          <button type="button" className="link-button" onClick={() => onShow(r)}>
            <span className="visually-hidden">Details of </span>
            {r.name}
          </button>
          <span className="cell-sub mono">{r.rule_id}</span>
          {r.notes && <span className="cell-sub cell-notes">{r.notes}</span>}
        </>
      ),
    },
    {
      id: "site",
      label: "Site",
      cell: (r) => (
        <>
          {r.site_name}
          <span className="cell-sub mono">{r.pattern_signature}</span>
        </>
      ),
    },
    { id: "status", label: "Status", cell: (r) => <RuleBadge status={r.status} /> },
    { id: "delivery", label: "Delivery", cell: (r) => <Delivery rule={r} /> },
    {
      id: "promoted",
      label: "Promoted",
      sort: "promoted_at",
      cell: (r) => <Time value={r.promoted_at} />,
    },
  ];
  if (canDecide) {
    columns.push({
      id: "actions",
      label: "Change",
      cell: (r) => {
        if (r.status === "archived") return <span className="muted">final</span>;
        const busy = isBusy(r);
        return (
          <div className="row-actions">
            <Switch
              on={r.status === "active"}
              label={`Rule ${r.rule_id} enabled`}
              busy={busy}
              onChange={(on) => onSwitch(r, on)}
            />
            {isHeldBack(r) && (
              <button
                type="button"
                className="button button-small button-primary"
                aria-disabled={busy}
                onClick={() => {
                  if (!busy) onDeploy(r);
                }}
              >
                <Icon name="send" /> Deploy<span className="visually-hidden"> {r.rule_id}</span>
              </button>
            )}
            <button
              type="button"
              className="button button-small"
              aria-disabled={busy}
              onClick={() => {
                if (!busy) onArchive(r);
              }}
            >
              Archive<span className="visually-hidden"> {r.rule_id}</span> …
            </button>
          </div>
        );
      },
    });
  }
  return (
    <Table
      caption="Promoted rules"
      columns={columns}
      rows={rules}
      rowKey={(r) => String(r.id)}
      rowClass={(r) => (failures(r) > 0 ? "row-bad" : "")}
      sort={sort}
      onSort={onSort}
    />
  );
}

/** How many appliances have confirmed it, of those it was dispatched to. */
function Delivery({ rule }: { rule: PromotedRule }) {
  if (rule.held && rule.status !== "archived") {
    return (
      <Badge tone="info" icon="pause">
        Held back
      </Badge>
    );
  }
  const { acknowledged_count: confirmed, deployment_count: sent } = rule;
  const all = sent > 0 && confirmed >= sent;
  return (
    <div className="delivery">
      <span>
        {formatCount(confirmed)} of {formatCount(sent)} confirmed
      </span>
      <svg className="delivery-bar" width="100%" height="100%" aria-hidden="true" focusable="false">
        <rect
          className={all ? "delivery-all" : "delivery-some"}
          height="100%"
          width={`${sent > 0 ? Math.min(100, (confirmed / sent) * 100) : 0}%`}
        />
      </svg>
      {failures(rule) > 0 && (
        <span>
          <Badge tone="bad" icon="warn">
            {formatCount(rule.failed_count)} failed
          </Badge>
        </span>
      )}
      {rule.last_deployed_at && (
        <span className="cell-sub">
          sent <Time value={rule.last_deployed_at} />
        </span>
      )}
    </div>
  );
}
