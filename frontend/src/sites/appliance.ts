/** What a technician reads of an appliance: its state in a word or two, what troubles it. */
import type { Appliance } from "../api/types";
import type { ApplianceState } from "../api/appliances";
import { formatCount, plural } from "../lib/format";
import type { Tone } from "../ui/Badge";
import type { IconName } from "../ui/icons";

export const stateWords: Record<ApplianceState, string> = {
  silent: "Silent",
  failing: "With errors",
  behind: "Behind",
  revoked: "Revoked",
};

export interface Mark {
  tone: Tone;
  icon: IconName;
  words: string;
}

/** An agent that acknowledges nothing withdraws nothing either. */
export const keepsWithdrawn = (one: Appliance): boolean =>
  one.acknowledged_revision === null && one.rules_to_withdraw > 0;

/** Far behind means that the count says nothing to anybody, as after a restored back-up. */
const countedUpTo = 999;

/** The worst first. */
export function marksOf(one: Appliance): Mark[] {
  if (one.status === "revoked") return [{ tone: "neutral", icon: "block", words: "Revoked" }];
  const marks: Mark[] = [];
  if (one.failing) marks.push({ tone: "bad", icon: "warn", words: "Errors" });
  if (one.silent) marks.push({ tone: "warn", icon: "mute", words: "Silent" });
  if (keepsWithdrawn(one)) marks.push({ tone: "warn", icon: "lock", words: "Keeps withdrawn rules" });
  const behind = one.revisions_behind;
  if (behind === null) {
    // An agent that confirms nothing says nothing of where it stands.
    if (marks.length === 0) marks.push({ tone: "neutral", icon: "info", words: "Does not confirm" });
  } else if (behind > 0) {
    const words = behind > countedUpTo ? "Far behind" : `${plural(behind, "change")} behind`;
    marks.push({ tone: "info", icon: "clock", words });
  } else if (marks.length === 0) {
    marks.push({ tone: "good", icon: "check", words: "Up to date" });
  }
  return marks;
}

/** How serious it is, for the list's order and the row's edge. */
export const toneOf = (one: Appliance): Tone => marksOf(one)[0]?.tone ?? "neutral";

/** "3 installed, 1 waiting"; what there is none of is not said. */
export function ruleCounts(one: Appliance): string {
  const parts = [
    [one.rules_applied, "installed"],
    [one.rules_pending, one.acknowledged_revision === null ? "sent or waiting" : "waiting"],
    [one.rules_failed, "failed"],
    [one.rules_to_withdraw, keepsWithdrawn(one) ? "cannot be withdrawn" : "to be withdrawn"],
  ] as const;
  const said = parts.filter(([count]) => count > 0).map(([count, word]) => `${formatCount(count)} ${word}`);
  return said.length > 0 ? said.join(", ") : "none";
}
