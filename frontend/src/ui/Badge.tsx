import type { ApprovalStatus, Level, RiskTier, RuleStatus } from "../api/types";
import { Icon, type IconName } from "./icons";

export type Tone = "neutral" | "accent" | "good" | "warn" | "bad" | "info";

interface Props {
  tone: Tone;
  icon?: IconName;
  children: React.ReactNode;
  title?: string;
}

/** A word with a sign and a colour: any two of the three would do. */
export function Badge({ tone, icon, children, title }: Props) {
  return (
    <span className={`badge badge-${tone}`} title={title}>
      {icon && <Icon name={icon} />}
      {children}
    </span>
  );
}

export const approvalWords: Record<ApprovalStatus, string> = {
  not_submitted: "Waiting",
  pending: "Half approved",
  approved: "Approved",
  rejected: "Rejected",
};
const approvalLooks: Record<ApprovalStatus, [Tone, IconName]> = {
  not_submitted: ["info", "clock"],
  pending: ["warn", "half"],
  approved: ["good", "check"],
  rejected: ["bad", "cross"],
};
export function ApprovalBadge({ status }: { status: ApprovalStatus }) {
  const [tone, icon] = approvalLooks[status] ?? ["neutral", "info"];
  return (
    <Badge tone={tone} icon={icon}>
      {approvalWords[status] ?? status}
    </Badge>
  );
}

export const ruleWords: Record<RuleStatus, string> = {
  active: "Active",
  disabled: "Disabled",
  archived: "Archived",
};
const ruleLooks: Record<RuleStatus, [Tone, IconName]> = {
  active: ["good", "play"],
  disabled: ["warn", "pause"],
  archived: ["neutral", "archive"],
};
export function RuleBadge({ status }: { status: RuleStatus }) {
  const [tone, icon] = ruleLooks[status] ?? ["neutral", "info"];
  return (
    <Badge tone={tone} icon={icon}>
      {ruleWords[status] ?? status}
    </Badge>
  );
}

export const levelWords: Record<Level, string> = {
  L1: "L1 · rule",
  L2: "L2 · planner",
  L3: "L3 · person",
};
const levelTones: Record<Level, Tone> = { L1: "accent", L2: "info", L3: "warn" };
export function LevelBadge({ level }: { level: Level | null }) {
  if (level === null) return <span className="muted">unknown</span>;
  return <Badge tone={levelTones[level] ?? "neutral"}>{levelWords[level] ?? level}</Badge>;
}

/** Only a clear yes is a success: an answer without one has not shown that anything was healed. */
export function OutcomeBadge({ success }: { success: boolean | null }) {
  return success === true ? (
    <Badge tone="good" icon="check">
      Success
    </Badge>
  ) : (
    <Badge tone="bad" icon="cross">
      Failure
    </Badge>
  );
}

const riskLooks: Record<RiskTier, [Tone, IconName, string]> = {
  R0: ["good", "check", "Looks only, changes nothing."],
  R1: ["neutral", "info", "Changes something that is easily undone."],
  R2: ["warn", "warn", "Can interrupt work at the site."],
  R3: ["bad", "block", "Too dangerous to run without a person."],
};
export function RiskBadge({ tier }: { tier: RiskTier }) {
  const [tone, icon, meaning] = riskLooks[tier] ?? ["neutral", "info", ""];
  return (
    <Badge tone={tone} icon={icon} title={meaning}>
      Risk {tier}
    </Badge>
  );
}
export const riskMeaning = (tier: RiskTier): string => riskLooks[tier]?.[2] ?? "";
