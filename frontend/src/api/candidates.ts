import { request } from "./http";
import { learningBase, learningKey } from "./learning";
import type {
  ApprovalStatus,
  ApproveAnswer,
  ApproveBody,
  CandidateDetail,
  CandidatePage,
  Id,
} from "./types";

export const candidateSorts = [
  "success_rate",
  "-success_rate",
  "total_occurrences",
  "-total_occurrences",
  "last_seen",
  "-last_seen",
  "first_seen",
  "-first_seen",
] as const;
export type CandidateSort = (typeof candidateSorts)[number];

export interface CandidateQuery {
  status: ApprovalStatus | null;
  site_id: string | null;
  q: string;
  sort: CandidateSort | null;
  limit: number;
  cursor: string | null;
}

export const candidatesKey = (query: CandidateQuery) =>
  [...learningKey, "candidates", query] as const;

export function listCandidates(
  query: CandidateQuery,
  signal?: AbortSignal,
): Promise<CandidatePage> {
  return request<CandidatePage>(`${learningBase}/candidates`, {
    query: { ...query },
    signal,
  });
}

export interface ProposalQuery {
  custom_name: string;
  check_type: string | null;
}

const plainProposal: ProposalQuery = { custom_name: "", check_type: null };

export const candidateKey = (id: Id, proposal: ProposalQuery = plainProposal) =>
  [...learningKey, "candidate", String(id), proposal] as const;

/** The candidate, its executions, and the rule that approving now would create under that name. */
export function getCandidate(
  id: Id,
  proposal: ProposalQuery = plainProposal,
  signal?: AbortSignal,
): Promise<CandidateDetail> {
  return request<CandidateDetail>(`${learningBase}/candidates/${encodeURIComponent(id)}`, {
    query: { ...proposal },
    signal,
  });
}

export function approveCandidate(
  id: Id,
  body: ApproveBody,
  idempotencyKey: string,
): Promise<ApproveAnswer> {
  return request<ApproveAnswer>(`${learningBase}/candidates/${encodeURIComponent(id)}/approve`, {
    method: "POST",
    body,
    idempotencyKey,
  });
}

export function rejectCandidate(
  id: Id,
  reason: string,
  idempotencyKey: string,
): Promise<{ status: "rejected"; pattern_id: Id }> {
  return request(`${learningBase}/candidates/${encodeURIComponent(id)}/reject`, {
    method: "POST",
    body: { reason },
    idempotencyKey,
  });
}
