import { request } from "./http";
import { learningBase, learningKey } from "./learning";
import type { ExecutionPage, Level } from "./types";

export interface ExecutionQuery {
  site_id: string | null;
  level: Level | null;
  success: boolean | null;
  runbook_id: string;
  pattern_signature: string;
  limit: number;
  cursor: string | null;
}

export const executionsKey = (query: ExecutionQuery) =>
  [...learningKey, "executions", query] as const;

export function listExecutions(
  query: ExecutionQuery,
  signal?: AbortSignal,
): Promise<ExecutionPage> {
  return request<ExecutionPage>(`${learningBase}/execution-history`, {
    query: { ...query },
    signal,
  });
}
