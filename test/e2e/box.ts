/** Appliances that a test speaks for: by their tokens, to the agents' API, without the browser and its session. */
import { flywheelctl, fresh, instance, learning, withKey } from "./instance";

type Answer = Record<string, unknown>;

async function ask(method: string, url: string, headers: Record<string, string>, body?: object): Promise<Answer> {
  const answer = await fetch(url, {
    method,
    headers: { ...headers, ...(body && { "Content-Type": "application/json" }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${url} answered ${answer.status}: ${text}`);
  return JSON.parse(text) as Answer;
}

/** A call of the partner's API, as a script with the instance's key makes it. */
export const decide = (method: string, path: string, body?: object): Promise<Answer> =>
  ask(method, `${learning}/${path}`, withKey, body);

export class Box {
  private readonly token: string;

  constructor(
    readonly site: string,
    readonly id: string,
  ) {
    this.token = flywheelctl("appliance", "add", "--site", site, "--appliance-id", id)["token"]!;
  }

  private call(method: "GET" | "POST", path: string, body?: object): Promise<Answer> {
    const whose = body && { site_id: this.site, appliance_id: this.id, ...body };
    return ask(method, `${instance.url}/api/agent/${path}`, { Authorization: `Bearer ${this.token}` }, whose);
  }

  /** Counters of which the server makes a candidate. */
  pushPattern(pattern_signature: string): Promise<Answer> {
    const now = new Date().toISOString();
    const counters = {
      pattern_signature,
      total_occurrences: 9,
      l1_resolutions: 0,
      l2_resolutions: 9,
      l3_resolutions: 0,
      success_count: 9,
      total_resolution_time_ms: 90_000,
      last_seen: now,
      recommended_action: "RB-WIN-SERVICES-001",
      check_type: "windows_service",
    };
    return this.call("POST", "sync/pattern-stats", { synced_at: now, pattern_stats: [counters] });
  }

  /** Fetches the rules; gives their revision. */
  async pull(): Promise<number> {
    return (await this.call("GET", "sync/promoted-rules"))["revision"] as number;
  }

  acknowledge(
    revision: number,
    said: { applied?: string[]; failed?: { rule_id: string; error: string }[] },
  ): Promise<Answer> {
    const agent = "flywheel-agent/0.1.0";
    return this.call("POST", "sync/ack", { revision, applied: [], failed: [], agent, ...said });
  }

  /** Reports that a rule acted. */
  execute(rule_id: string, pattern_signature: string): Promise<Answer> {
    const now = new Date().toISOString();
    const execution = {
      execution_id: fresh("exec"),
      incident_id: fresh("incident"),
      runbook_id: rule_id,
      rule_id,
      pattern_signature,
      started_at: now,
      completed_at: now,
      duration_seconds: 1,
      success: true,
      resolution_level: "L1",
    };
    return this.call("POST", "executions", { execution, reported_at: now });
  }
}

export interface Clinic {
  site: string;
  boxes: Box[];
  rule: string;
  pattern: string;
}

/** A site of its own, with appliances and a rule that has just been approved. */
export async function newClinic(boxes: number): Promise<Clinic> {
  const site = fresh("e2e-site");
  const pattern = fresh("pattern");
  flywheelctl("site", "add", "--partner", instance.partner_slug, "--site-id", site, "--name", `Clinic ${site}`);
  const all = Array.from({ length: boxes }, (_, n) => new Box(site, `${site}-box-${n + 1}`));
  await all[0]!.pushPattern(pattern);
  const { candidates } = (await decide("GET", `candidates?site_id=${site}`)) as unknown as { candidates: { id: string }[] };
  const approval = await decide("POST", `candidates/${candidates[0]!.id}/approve`, {});
  return { site, boxes: all, pattern, rule: approval["rule_id"] as string };
}
