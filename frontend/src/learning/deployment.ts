/** What a technician reads of a rule at one appliance. */
import type { RuleDeployment, RuleDeployments } from "../api/types";
import type { Tone } from "../ui/Badge";
import type { IconName } from "../ui/icons";

export interface DeploymentLook {
  tone: Tone;
  icon: IconName;
  words: string;
  /** What stands before the time, and the time. */
  since?: { word: string; at: string | null };
  /** What it means, where the words do not say it. */
  meaning?: string;
}

type Rule = Pick<RuleDeployments, "status" | "held">;

/** Appliances of the site shall have it. */
const isWanted = (rule: Rule): boolean => rule.status === "active" && !rule.held;

export function lookOf(rule: Rule, one: RuleDeployment): DeploymentLook {
  const wanted = isWanted(rule);
  if (one.appliance_status === "revoked") {
    return {
      tone: "neutral",
      icon: "block",
      words: "Appliance revoked",
      meaning: "It can no longer fetch or report anything.",
    };
  }
  switch (one.deployment_status) {
    case "pending":
      return wanted ? waiting(one) : { tone: "neutral", icon: "cross", words: "Withdrawn before it was fetched" };
    case "delivered":
      return delivered(wanted, one);
    case "applied":
      return applied(wanted, one);
    case "failed":
      return {
        tone: wanted ? "bad" : "neutral",
        icon: "warn",
        words: wanted ? "Failed" : "Failed, and withdrawn",
        since: { word: "since", at: one.acknowledged_at },
      };
    case "removed":
      return {
        tone: "neutral",
        icon: "cross",
        words: "Removed",
        since: { word: "confirmed", at: one.acknowledged_at },
      };
    case null:
      return notSent(wanted, rule.held);
  }
}

const waiting = (one: RuleDeployment): DeploymentLook => ({
  tone: "info",
  icon: "clock",
  words: "Waiting",
  since: { word: "queued", at: one.deployed_at },
  meaning: "The appliance gets it when it asks next.",
});

function notSent(wanted: boolean, held: boolean): DeploymentLook {
  if (held) return { tone: "neutral", icon: "pause", words: "Held back" };
  return wanted
    ? { tone: "info", icon: "clock", words: "Not sent yet" }
    : { tone: "neutral", icon: "cross", words: "Never sent" };
}

function delivered(wanted: boolean, one: RuleDeployment): DeploymentLook {
  const since = { word: "sent", at: one.delivered_at };
  if (one.agent === "old") {
    return wanted
      ? {
          tone: "info",
          icon: "send",
          words: "Sent; this agent does not confirm",
          since,
          meaning: "An execution of the rule will show that it is installed.",
        }
      : {
          tone: "warn",
          icon: "lock",
          words: "Sent; cannot be withdrawn (old agent)",
          since,
          meaning: "Whether it was installed is not known. Update the agent, or remove the file there.",
        };
  }
  return wanted
    ? { tone: "info", icon: "send", words: "Sent, not confirmed yet", since }
    : { tone: "warn", icon: "clock", words: "Being withdrawn", since };
}

function applied(wanted: boolean, one: RuleDeployment): DeploymentLook {
  if (one.agent !== "acknowledging") {
    return {
      tone: "warn",
      icon: "lock",
      words: "Installed, cannot be withdrawn (old agent)",
      since: { word: "shown by an execution", at: one.proven_at },
      ...(!wanted && {
        meaning: "It still runs there. Update the agent, or remove the file from the appliance.",
      }),
    };
  }
  const since = { word: "since", at: one.acknowledged_at };
  return wanted
    ? { tone: "good", icon: "check", words: "Installed", since }
    : {
        tone: "warn",
        icon: "clock",
        words: "Still installed, being withdrawn",
        since,
        meaning: "The appliance removes it when it asks next.",
      };
}

const urgency: Record<Tone, number> = { bad: 0, warn: 1, info: 2, accent: 3, good: 3, neutral: 4 };

/** What needs somebody first; appliances that are gone and never had it are left out. */
export function inOrder(rule: RuleDeployments): { one: RuleDeployment; look: DeploymentLook }[] {
  return rule.deployments
    .filter((one) => one.appliance_status === "active" || one.deployment_status !== null)
    .map((one) => ({ one, look: lookOf(rule, one) }))
    .toSorted((a, b) => urgency[a.look.tone] - urgency[b.look.tone]);
}
