import { request } from "./http";
import { learningBase, learningKey } from "./learning";
import type { AuditPage } from "./types";

/** Decisions and what became of them; or people, keys and sign-ins. */
export const auditSubjects = ["decisions", "access"] as const;

export interface AuditQuery {
  about: (typeof auditSubjects)[number] | null;
  limit: number;
  cursor: string | null;
}

export const auditKey = (query: AuditQuery) => [...learningKey, "audit", query] as const;

/** What people did, newest first. */
export function listAudit(query: AuditQuery, signal?: AbortSignal): Promise<AuditPage> {
  return request<AuditPage>(`${learningBase}/audit`, {
    query: { ...query },
    signal,
  });
}
