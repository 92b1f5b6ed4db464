import type { Role, Scope } from "../api/types";

export const roles = [
  { value: "viewer", label: "Viewer", meaning: "Sees everything, decides nothing." },
  { value: "approver", label: "Approver", meaning: "Approves and rejects, switches rules." },
  { value: "admin", label: "Admin", meaning: "Decides, too, and manages people and keys." },
] as const satisfies readonly { value: Role; label: string; meaning: string }[];

export const scopes = [
  { value: "read", label: "Read", meaning: "Looks at everything that is shown here." },
  { value: "decide", label: "Decide", meaning: "Approves, rejects, switches rules. Does not include reading." },
  { value: "admin", label: "Admin", meaning: "Both, and people and keys. For few programs." },
] as const satisfies readonly { value: Scope; label: string; meaning: string }[];

export const roleWords = Object.fromEntries(roles.map((r) => [r.value, r.label])) as Record<Role, string>;
export const scopeWords = Object.fromEntries(scopes.map((s) => [s.value, s.label])) as Record<
  Scope,
  string
>;
