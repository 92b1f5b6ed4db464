/**
 * What the partner API answers, member by member. The one place where the shape of an answer is
 * written down: the services in this folder return these types and nothing else reads JSON.
 *
 * Rates are fractions 0–1, or null where the denominator is 0. Times are RFC 3339 UTC with `Z`.
 */

export type Id = string | number;

export type Role = "viewer" | "approver" | "admin";
export type ApprovalStatus = "not_submitted" | "pending" | "approved" | "rejected";
export type RuleStatus = "active" | "disabled" | "archived";
export type Level = "L1" | "L2" | "L3";
export type RiskTier = "R0" | "R1" | "R2" | "R3";

export interface Partner {
  id: Id;
  name: string;
  slug: string;
  brand_name?: string | null;
}

export interface User {
  id?: Id;
  email: string;
  role: Role;
  display_name?: string | null;
}

export interface Session {
  partner: Partner;
  user: User;
  csrf_token: string;
}

export interface Stats {
  pending_candidates: number;
  active_promoted_rules: number;
  total_executions_30d: number;
  l1_resolution_rate: number | null;
  l2_resolution_rate: number | null;
  l3_escalation_rate: number | null;
  avg_success_rate: number | null;
}

export interface Candidate {
  id: Id;
  pattern_signature: string;
  site_id: string;
  site_name: string;
  total_occurrences: number;
  l1_resolutions: number;
  l2_resolutions: number;
  l3_resolutions: number;
  success_rate: number | null;
  avg_resolution_time_ms: number | null;
  recommended_action: string | null;
  first_seen: string | null;
  last_seen: string | null;
  approval_status: ApprovalStatus;
  check_type?: string | null;
  incident_type?: string | null;
  risk_tier?: RiskTier | null;
}

/** One page of a list. `total` counts all matches, exactly unless `total_is_exact` is false. */
export interface Paged {
  total: number;
  total_is_exact?: boolean;
  next_cursor: string | null;
}

export interface CandidatePage extends Paged {
  candidates: Candidate[];
}

export interface ProposedRule {
  id: string;
  name: string;
  description: string;
}

/** What was decided before, and by whom; every member null while nothing was. */
export interface PastDecision {
  approved_by: string | null;
  approved_at: string | null;
  custom_rule_name: string | null;
  approval_notes: string | null;
  rejected_by: string | null;
  rejected_at: string | null;
  rejection_reason: string | null;
}

export interface CandidateDetail {
  candidate: Candidate;
  execution_history: Execution[];
  decision?: PastDecision;
  existing_rule?: { id: Id; rule_id: string; status: RuleStatus; version: number } | null;
  /** The very rule that approving now would create; null when none can be made. */
  proposed_rule: ProposedRule | null;
  rule_yaml: string | null;
  rule_digest: string | null;
  /** Why none can be made, as a sentence. */
  proposal_problem?: string | null;
  /** When one has to be named in the approval. */
  check_type_choices?: string[] | null;
}

export interface ApproveBody {
  deploy_immediately: boolean;
  custom_name?: string;
  notes?: string;
  rule_digest?: string;
  check_type?: string;
}

export interface ApproveAnswer {
  /** `pending`: the first of two approvals that a policy asks for. */
  status: "approved" | "pending";
  rule_id?: string;
  pattern_signature?: string;
  site_id?: string;
  rule_yaml?: string;
  deployed_to?: number;
  message?: string;
}

export interface PromotedRule {
  id: Id;
  rule_id: string;
  pattern_signature: string;
  site_id: string;
  site_name: string;
  name: string;
  status: RuleStatus;
  /** Appliances the rule was dispatched to. */
  deployment_count: number;
  /** Appliances that confirmed it is installed. */
  acknowledged_count: number;
  promoted_at: string;
  last_deployed_at: string | null;
  notes: string | null;
  version?: number;
  /** Made, but not sent to any appliance until somebody deploys it. */
  held?: boolean;
  /** Appliances that could not install it. */
  failed_count?: number;
  promoted_by?: string | null;
  rule_yaml?: string | null;
}

export interface RulePage extends Paged {
  rules: PromotedRule[];
}

export interface DeployAnswer {
  status?: string;
  rule_id?: string;
  deployed_to?: number;
  message?: string;
}

export interface Execution {
  execution_id: string;
  incident_id: string | null;
  site_id: string;
  site_name: string;
  runbook_id: string | null;
  success: boolean | null;
  resolution_level: Level | null;
  created_at: string;
  pattern_signature?: string | null;
  hostname?: string | null;
  rule_id?: string | null;
  failure_type?: string | null;
  duration_seconds?: number | null;
}

export interface ExecutionPage extends Paged {
  executions: Execution[];
}

export interface Site {
  site_id: string;
  clinic_name: string;
  appliance_count: number;
  pattern_count: number;
  pending_candidates: number;
  active_rules: number;
  executions_30d: number;
  last_synced_at: string | null;
  /** Active appliances of which nothing was heard for too long. */
  silent_appliances: number;
  /** Active appliances with errors or rules they could not install. */
  failing_appliances: number;
  last_seen_at: string | null;
}

export type ApplianceStatus = "active" | "revoked";

export interface EngineError {
  file: string;
  error: string;
}

export interface Appliance {
  appliance_id: string;
  site_id: string;
  site_name: string;
  status: ApplianceStatus;
  last_seen_at: string | null;
  silent: boolean;
  failing: boolean;
  /** Null for agents that never acknowledge; so is `revisions_behind`. */
  acknowledged_revision: number | null;
  site_revision: number;
  revisions_behind: number | null;
  agent: string | null;
  last_error: string | null;
  last_error_at: string | null;
  engine_errors: EngineError[];
  dropped_executions: number;
  rules_applied: number;
  rules_pending: number;
  rules_failed: number;
  /** Disabled or archived, and perhaps still there. */
  rules_to_withdraw: number;
}

export interface AppliancePage extends Paged {
  appliances: Appliance[];
}

export type DeploymentStatus = "pending" | "delivered" | "applied" | "failed" | "removed";

/** What became of a rule at one appliance; what it was never sent to has no status. */
export interface RuleDeployment {
  appliance_id: string;
  appliance_status: ApplianceStatus;
  rule_version: number | null;
  deployment_status: DeploymentStatus | null;
  deployed_at: string | null;
  delivered_at: string | null;
  acknowledged_at: string | null;
  /** When an execution showed that an agent has it which never acknowledges. */
  proven_at: string | null;
  error: string | null;
  agent: "acknowledging" | "old" | "unknown";
  last_seen_at: string | null;
  silent: boolean;
}

export interface RuleDeployments {
  rule_id: string;
  status: RuleStatus;
  version: number;
  held: boolean;
  deployments: RuleDeployment[];
}

export interface AuditEntry {
  id: Id;
  at: string;
  actor: string | null;
  actor_kind: string | null;
  action: string;
  entity: string | null;
  site_id: string | null;
  site_name: string | null;
  pattern_signature: string | null;
  rule_id: string | null;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  reason: string | null;
  request_id: string | null;
}

export interface AuditPage extends Paged {
  entries: AuditEntry[];
}

export type PersonStatus = "invited" | "active" | "disabled";

/** Somebody who may sign in for the partner, as admins see them. */
export interface Person {
  id: Id;
  email: string;
  /** The address, while nobody has given another. */
  display_name: string;
  role: Role;
  status: PersonStatus;
  created_at: string;
  last_sign_in_at: string | null;
  /** Until when too many failed sign-ins keep them out; null when nothing does. */
  locked_until: string | null;
}

export interface PersonPage extends Paged {
  users: Person[];
}

/** What a person sets a password with: once, and until then. */
export interface PasswordLink {
  token: string;
  expires_at: string;
}

export interface LinkAnswer {
  user: Person;
  link: PasswordLink;
}

export type Scope = "read" | "decide" | "admin";
export type KeyStatus = "active" | "expired" | "revoked";

export interface ApiKey {
  id: Id;
  name: string;
  prefix: string;
  scopes: Scope[];
  /** The address of the person it acts as; null when it acts for the partner. */
  acts_as: string | null;
  status: KeyStatus;
  created_at: string;
  expires_at: string;
  last_used_at: string | null;
  revoked_at: string | null;
  replaced_by: Id | null;
}

export interface ApiKeyPage extends Paged {
  keys: ApiKey[];
}

/** The one answer in which the key itself is. */
export interface NewKeyAnswer {
  api_key: string;
  key: ApiKey;
  /** After a rotation: the one it replaces, with the time it still has. */
  previous?: ApiKey;
}

/** RFC 9457. */
export interface Problem {
  type?: string;
  title?: string;
  status?: number;
  detail?: string;
  request_id?: string;
  errors?: { pointer?: string; detail?: string }[];
}
