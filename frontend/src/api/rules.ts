import { request } from "./http";
import { learningBase, learningKey } from "./learning";
import type { DeployAnswer, Id, RuleDeployments, RulePage, RuleStatus } from "./types";

export const ruleSorts = ["promoted_at", "-promoted_at", "rule_id", "-rule_id"] as const;
export type RuleSort = (typeof ruleSorts)[number];

export interface RuleQuery {
  status: RuleStatus | null;
  site_id: string | null;
  q: string;
  sort: RuleSort | null;
  limit: number;
  cursor: string | null;
}

export const rulesKey = (query: RuleQuery) => [...learningKey, "rules", query] as const;

export function listRules(query: RuleQuery, signal?: AbortSignal): Promise<RulePage> {
  return request<RulePage>(`${learningBase}/promoted-rules`, {
    query: { ...query },
    signal,
  });
}

export const deploymentsKey = (id: Id) => [...learningKey, "deployments", id] as const;

/** A rule on all appliances of its site. */
export function listDeployments(id: Id, signal?: AbortSignal): Promise<RuleDeployments> {
  return request(`${learningBase}/promoted-rules/${encodeURIComponent(id)}/deployments`, { signal });
}

export function setRuleStatus(
  id: Id,
  status: RuleStatus,
  idempotencyKey: string,
): Promise<{ status: "updated"; rule_id: string; new_status: RuleStatus }> {
  return request(`${learningBase}/promoted-rules/${encodeURIComponent(id)}/status`, {
    method: "PATCH",
    body: { status },
    idempotencyKey,
  });
}

/** Sends a rule that was held back when it was approved. */
export function deployRule(id: Id, idempotencyKey: string): Promise<DeployAnswer> {
  return request(`${learningBase}/promoted-rules/${encodeURIComponent(id)}/deploy`, {
    method: "POST",
    idempotencyKey,
  });
}
