/** The running instance: where it is, who may sign in, and what its operator can do. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Instance {
  url: string;
  partner_slug: string;
  email: string;
  password: string;
  api_key: string;
}

const here = dirname(fileURLToPath(import.meta.url));
const folder = process.env.FLYWHEEL_DIR ?? "";

export const instance = JSON.parse(
  readFileSync(join(folder, "quickstart.json"), "utf8"),
) as Instance;
instance.url = instance.url.replace(/\/+$/, "");

/** The session that most tests share: signing in is limited to ten a minute. */
export const sessionFile = join(here, ".results", "session.json");

export const learning = `${instance.url}/api/partners/me/learning`;
export const withKey = { "X-API-Key": instance.api_key };

/** Runs the operators' command and returns what it printed. */
export function flywheelctl(...args: string[]): Record<string, string> {
  const command = join(here, "..", "..", "deploy", "flywheelctl");
  return JSON.parse(execFileSync(command, args, { encoding: "utf8" })) as Record<string, string>;
}

/** A name that no run before this one has used. */
export const fresh = (what: string) => `${what}-${Date.now().toString(36)}`;
