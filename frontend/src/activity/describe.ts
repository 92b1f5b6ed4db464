import type { AuditEntry } from "../api/types";
import { humanize } from "../lib/format";
import type { IconName } from "../ui/icons";

interface Description {
  words: string;
  icon: IconName;
  tone: "good" | "bad" | "warn" | "neutral";
}

const statusOf = (value: Record<string, unknown> | null, member: string): unknown =>
  value?.[member] ?? null;

/** An entry of the log as a person would say it. Actions that are not known here are shown as they are. */
export function describe(entry: AuditEntry): Description {
  const action = entry.action.toLowerCase();
  const after = statusOf(entry.after, "status") ?? statusOf(entry.after, "approval_status");
  if (/approv/.test(action)) {
    return after === "pending"
      ? { words: "Approved once, waits for a second person", icon: "half", tone: "warn" }
      : { words: "Approved", icon: "check", tone: "good" };
  }
  if (/reject/.test(action)) return { words: "Rejected", icon: "cross", tone: "bad" };
  if (/deploy|dispatch/.test(action)) return { words: "Deployed", icon: "send", tone: "good" };
  if (/archiv/.test(action) || after === "archived") {
    return { words: "Archived", icon: "archive", tone: "neutral" };
  }
  if (/disabl/.test(action) || after === "disabled") {
    return { words: "Disabled", icon: "pause", tone: "warn" };
  }
  if (/enabl/.test(action) || (/status/.test(action) && after === "active")) {
    return { words: "Enabled", icon: "play", tone: "good" };
  }
  if (/promot|creat/.test(action)) return { words: humanize(entry.action), icon: "check", tone: "good" };
  return { words: humanize(entry.action), icon: "gear", tone: "neutral" };
}

export interface MemberChange {
  name: string;
  before: string;
  after: string;
}

const textOf = (value: unknown): string => {
  if (value === undefined || value === null || value === "") return "–";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
};

/** The members that differ between before and after. */
export function changesOf({ before, after }: AuditEntry): MemberChange[] {
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  return [...names]
    .map((name) => ({ name, before: textOf(before?.[name]), after: textOf(after?.[name]) }))
    .filter((change) => change.before !== change.after);
}
