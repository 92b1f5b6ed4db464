import { request } from "./http";
import { learningKey } from "./learning";
import type { AppliancePage } from "./types";

export const applianceStates = ["silent", "failing", "behind", "revoked"] as const;
export type ApplianceState = (typeof applianceStates)[number];

export interface ApplianceQuery {
  site_id: string | null;
  state: ApplianceState | null;
  q: string;
  limit: number;
  cursor: string | null;
}

// What they have installed follows from decisions, so they live under the same key.
export const appliancesKey = (query: ApplianceQuery) =>
  [...learningKey, "appliances", query] as const;

export function listAppliances(
  query: ApplianceQuery,
  signal?: AbortSignal,
): Promise<AppliancePage> {
  return request<AppliancePage>("/api/partners/me/appliances", { query: { ...query }, signal });
}
