import { request } from "./http";
import { learningBase, learningKey } from "./learning";
import type { AuditPage } from "./types";

export interface AuditQuery {
  limit: number;
  cursor: string | null;
}

export const auditKey = (query: AuditQuery) => [...learningKey, "audit", query] as const;

/** What people decided, newest first. */
export function listAudit(query: AuditQuery, signal?: AbortSignal): Promise<AuditPage> {
  return request<AuditPage>(`${learningBase}/audit`, {
    query: { ...query },
    signal,
  });
}
