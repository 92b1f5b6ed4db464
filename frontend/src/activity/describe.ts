import type { AuditEntry } from "../api/types";
import { humanize } from "../lib/format";
import type { IconName } from "../ui/icons";

interface Description {
  words: string;
  icon: IconName;
  tone: "good" | "bad" | "warn" | "neutral";
}

const known: Record<string, Description> = {
  "candidate.approved": { words: "Approved", icon: "check", tone: "good" },
  "candidate.rejected": { words: "Rejected", icon: "cross", tone: "bad" },
  "rule.created": { words: "Rule made", icon: "check", tone: "good" },
  "rule.regenerated": { words: "Rule made anew", icon: "refresh", tone: "good" },
  "rule.deployed": { words: "Rule deployed", icon: "send", tone: "good" },
  "rule.enabled": { words: "Rule enabled", icon: "play", tone: "good" },
  "rule.disabled": { words: "Rule disabled", icon: "pause", tone: "warn" },
  "rule.archived": { words: "Rule archived", icon: "archive", tone: "neutral" },
  "user.signed_in": { words: "Signed in", icon: "person", tone: "neutral" },
  "user.sign_in_failed": { words: "Sign-in failed", icon: "warn", tone: "warn" },
  "user.signed_out": { words: "Signed out", icon: "person", tone: "neutral" },
  "user.created": { words: "Person added", icon: "person", tone: "good" },
  "user.invited": { words: "Invited", icon: "person", tone: "good" },
  "user.changed": { words: "Person changed", icon: "person", tone: "neutral" },
  "user.disabled": { words: "Disabled", icon: "block", tone: "warn" },
  "user.enabled": { words: "Enabled", icon: "check", tone: "good" },
  "user.password_reset": { words: "Password link made for", icon: "key", tone: "neutral" },
  "user.password_set": { words: "Password set", icon: "key", tone: "neutral" },
  "user.locked": { words: "Locked after failed sign-ins:", icon: "lock", tone: "warn" },
  "user.unlocked": { words: "Unlocked", icon: "lock", tone: "good" },
  "key.created": { words: "Key made", icon: "key", tone: "good" },
  "key.rotated": { words: "Key rotated", icon: "refresh", tone: "neutral" },
  "key.revoked": { words: "Key revoked", icon: "block", tone: "warn" },
  "appliance.token_rotated": { words: "Appliance's token rotated", icon: "refresh", tone: "neutral" },
  "site.erased": { words: "Data of a site erased", icon: "block", tone: "warn" },
  "audit.pruned": { words: "Oldest log entries removed", icon: "archive", tone: "neutral" },
};

const halfApproved: Description = {
  words: "Approved once, waits for a second person",
  icon: "half",
  tone: "warn",
};

/** An entry of the log as a person would say it. Actions that are not known here are shown as they are. */
export function describe({ action, after }: AuditEntry): Description {
  const status = after?.["approval_status"] ?? after?.["status"];
  if (action === "candidate.approved" && status === "pending") return halfApproved;
  return known[action] ?? { words: humanize(action), icon: "gear", tone: "neutral" };
}

/** Whom or which key it is about, when it says so and is not the one who did it. */
export function subjectOf({ action, actor, before, after }: AuditEntry): string | null {
  if (!action.startsWith("user.") && !action.startsWith("key.")) return null;
  for (const name of ["email", "name", "prefix"]) {
    const value = after?.[name] ?? before?.[name];
    if (typeof value === "string" && value !== actor) return value;
  }
  return null;
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
