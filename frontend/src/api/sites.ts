import { request } from "./http";
import { learningKey } from "./learning";
import type { Site } from "./types";

// Its counts change with every decision, so it lives under the same key.
export const sitesKey = [...learningKey, "sites"] as const;

export async function listSites(signal?: AbortSignal): Promise<Site[]> {
  const answer = await request<{ sites: Site[] }>("/api/partners/me/sites", { signal });
  return answer.sites;
}
