/**
 * A stand-in for the server at the network's border: tests say what it answers, and read what it was
 * asked. Everything above `fetch` is the real code.
 */
import { vi } from "vitest";
import type {
  ApiKey,
  Appliance,
  AuditEntry,
  Candidate,
  CandidateDetail,
  Execution,
  Person,
  PromotedRule,
  RuleDeployment,
  RuleDeployments,
  Session,
  Site,
  Stats,
} from "../src/api/types";

export interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: Headers;
  body: unknown;
}

export interface Answer {
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
}

type Handler = (asked: Asked) => Answer | Promise<Answer>;

export class Server {
  readonly asked: Asked[] = [];
  private readonly handlers = new Map<string, Handler>();

  constructor() {
    vi.stubGlobal("fetch", (input: string, init: RequestInit = {}) => this.fetch(input, init));
  }

  /** `on("GET /api/…", answer)`; a later one replaces an earlier. */
  on(call: string, answer: Answer | Handler): this {
    this.handlers.set(call, typeof answer === "function" ? answer : () => answer);
    return this;
  }

  calls(call: string): Asked[] {
    return this.asked.filter(({ method, path }) => `${method} ${path}` === call);
  }

  private async fetch(input: string, init: RequestInit): Promise<Response> {
    const url = new URL(input, "http://dashboard.example");
    const asked: Asked = {
      method: init.method ?? "GET",
      path: url.pathname,
      query: url.searchParams,
      headers: new Headers(init.headers),
      body: typeof init.body === "string" ? JSON.parse(init.body) : null,
    };
    this.asked.push(asked);
    const handler = this.handlers.get(`${asked.method} ${asked.path}`);
    const answer = handler ? await handler(asked) : problem(404, "There is no such thing.");
    return new Response(JSON.stringify(answer.body ?? {}), {
      status: answer.status ?? 200,
      headers: { "Content-Type": "application/json", ...answer.headers },
    });
  }
}

export const unreachable = (): never => {
  throw new TypeError("network");
};

export function problem(status: number, detail: string, extra: object = {}): Answer {
  return { status, body: { type: "about:blank", title: "No", status, detail, ...extra } };
}

export const learning = "/api/partners/me/learning";

export const session = (role: Session["user"]["role"] = "approver"): Session => ({
  partner: { id: "p1", name: "Clearwater IT", slug: "clearwater" },
  user: { email: "dana@clearwater.example", role },
  csrf_token: "token-1",
});

export const stats: Stats = {
  pending_candidates: 2,
  active_promoted_rules: 1,
  total_executions_30d: 1234,
  l1_resolution_rate: 0.7,
  l2_resolution_rate: 0.25,
  l3_escalation_rate: 0.05,
  avg_success_rate: null,
};

export const site: Site = {
  site_id: "north-valley-dental",
  clinic_name: "North Valley Dental",
  appliance_count: 2,
  pattern_count: 12,
  pending_candidates: 2,
  active_rules: 1,
  executions_30d: 1234,
  last_synced_at: "2026-11-20T10:00:00Z",
  silent_appliances: 0,
  failing_appliances: 0,
  last_seen_at: "2026-11-20T10:00:00Z",
};

export const candidate = (id: string, part: Partial<Candidate> = {}): Candidate => ({
  id,
  pattern_signature: `pattern-${id}`,
  site_id: site.site_id,
  site_name: site.clinic_name,
  total_occurrences: 15,
  l1_resolutions: 0,
  l2_resolutions: 12,
  l3_resolutions: 3,
  success_rate: 0.9333,
  avg_resolution_time_ms: 4200,
  recommended_action: "RB-WIN-SERVICES-001",
  first_seen: "2026-09-01T10:00:00Z",
  last_seen: "2026-11-20T10:00:00Z",
  approval_status: "not_submitted",
  ...part,
});

export const execution = (id: string): Execution => ({
  execution_id: id,
  incident_id: `incident-${id}`,
  site_id: site.site_id,
  site_name: site.clinic_name,
  runbook_id: "RB-WIN-SERVICES-001",
  success: true,
  resolution_level: "L2",
  created_at: "2026-11-20T10:00:00Z",
});

export const detail = (
  of: Candidate,
  name = "Auto-promoted",
  digest = "digest-1",
  part: Partial<CandidateDetail> = {},
): CandidateDetail => ({
  candidate: of,
  execution_history: [execution("e1")],
  proposed_rule: { id: "L1-PROMOTED-PATTERN-", name, description: "Promoted" },
  rule_yaml: `id: L1-PROMOTED-PATTERN-\nname: ${name}\npriority: ${digest === "digest-1" ? 50 : 60}\n`,
  rule_digest: digest,
  ...part,
});

export const rule = (id: string, part: Partial<PromotedRule> = {}): PromotedRule => ({
  id,
  rule_id: `L1-PROMOTED-${id.toUpperCase()}`,
  pattern_signature: `pattern-${id}`,
  site_id: site.site_id,
  site_name: site.clinic_name,
  name: `Rule ${id}`,
  status: "active",
  deployment_count: 2,
  acknowledged_count: 1,
  promoted_at: "2026-11-20T10:00:00Z",
  last_deployed_at: "2026-11-20T10:00:00Z",
  notes: null,
  ...part,
});

export const appliance = (id: string, part: Partial<Appliance> = {}): Appliance => ({
  appliance_id: id,
  site_id: site.site_id,
  site_name: site.clinic_name,
  status: "active",
  last_seen_at: "2026-11-20T10:00:00Z",
  silent: false,
  failing: false,
  acknowledged_revision: 4,
  site_revision: 4,
  revisions_behind: 0,
  agent: "flywheel-agent/0.1.0",
  last_error: null,
  last_error_at: null,
  engine_errors: [],
  dropped_executions: 0,
  rules_applied: 2,
  rules_pending: 0,
  rules_failed: 0,
  rules_to_withdraw: 0,
  ...part,
});

export const deployment = (
  id: string,
  part: Partial<RuleDeployment> = {},
): RuleDeployment => ({
  appliance_id: id,
  appliance_status: "active",
  rule_version: 1,
  deployment_status: "applied",
  deployed_at: "2026-11-20T10:00:00Z",
  delivered_at: "2026-11-20T10:01:00Z",
  acknowledged_at: "2026-11-20T10:02:00Z",
  proven_at: null,
  error: null,
  agent: "acknowledging",
  last_seen_at: "2026-11-20T10:00:00Z",
  silent: false,
  ...part,
});

export const deployments = (
  of: readonly RuleDeployment[],
  part: Partial<RuleDeployments> = {},
): RuleDeployments => ({
  rule_id: "L1-PROMOTED-R1",
  status: "active",
  version: 1,
  held: false,
  deployments: [...of],
  ...part,
});

export const person = (name: string, part: Partial<Person> = {}): Person => ({
  id: `id-${name}`,
  email: `${name}@clearwater.example`,
  display_name: `${name}@clearwater.example`,
  role: "viewer",
  status: "active",
  created_at: "2026-09-01T10:00:00Z",
  last_sign_in_at: "2026-11-20T10:00:00Z",
  locked_until: null,
  ...part,
});

export const apiKey = (name: string, part: Partial<ApiKey> = {}): ApiKey => ({
  id: `id-${name}`,
  name,
  prefix: `fwk_${name}`,
  scopes: ["read"],
  acts_as: null,
  status: "active",
  created_at: "2026-09-01T10:00:00Z",
  expires_at: "2999-01-01T00:00:00Z",
  last_used_at: null,
  revoked_at: null,
  replaced_by: null,
  ...part,
});

export const auditEntry = (
  id: string,
  action: string,
  part: Partial<AuditEntry> = {},
): AuditEntry => ({
  id,
  at: "2026-11-20T10:00:00Z",
  actor: "dana@clearwater.example",
  actor_kind: "user",
  action,
  entity: "user",
  site_id: null,
  site_name: null,
  pattern_signature: null,
  rule_id: null,
  before: null,
  after: null,
  reason: null,
  request_id: null,
  ...part,
});

export const appliances = "/api/partners/me/appliances";
export const users = "/api/partners/me/users";
export const keys = "/api/partners/me/keys";

/** Everything a signed-in person's dashboard asks for, with two open candidates and one rule. */
export function signedIn(role: Session["user"]["role"] = "approver"): Server {
  const candidates = [candidate("a"), candidate("b")];
  return new Server()
    .on("GET /api/partner-auth/me", { body: session(role) })
    .on("GET /api/partners/me/sites", { body: { sites: [site] } })
    .on(`GET ${learning}/stats`, { body: stats })
    .on(`GET ${learning}/candidates`, {
      body: { candidates, total: 2, next_cursor: null },
    })
    .on(`GET ${learning}/candidates/a`, ({ query }) => ({
      body: detail(candidate("a"), query.get("custom_name") ?? undefined),
    }))
    .on(`GET ${learning}/promoted-rules`, {
      body: { rules: [rule("r1"), rule("r2")], total: 2, next_cursor: null },
    })
    .on(`GET ${learning}/promoted-rules/r1/deployments`, {
      body: deployments([deployment("box-1"), deployment("box-2")]),
    })
    .on(`GET ${appliances}`, {
      body: { appliances: [appliance("box-1"), appliance("box-2")], total: 2, next_cursor: null },
    })
    .on(`GET ${learning}/execution-history`, {
      body: { executions: [execution("e1")], total: 1, next_cursor: null },
    })
    .on(`GET ${learning}/audit`, { body: { entries: [], total: 0, next_cursor: null } })
    .on(`GET ${users}`, {
      body: {
        users: [person("dana", { role: "admin" }), person("kim", { display_name: "Kim Reyes" })],
        total: 2,
        next_cursor: null,
      },
    })
    .on(`GET ${keys}`, { body: { keys: [apiKey("nightly")], total: 1, next_cursor: null } });
}
