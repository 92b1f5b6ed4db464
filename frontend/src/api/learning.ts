import { request } from "./http";
import type { Stats } from "./types";

/** Everything under this key changes when a decision is made. */
export const learningKey = ["learning"] as const;
export const learningBase = "/api/partners/me/learning";

export const statsKey = [...learningKey, "stats"] as const;

export function getStats(signal?: AbortSignal): Promise<Stats> {
  return request<Stats>(`${learningBase}/stats`, { signal });
}
