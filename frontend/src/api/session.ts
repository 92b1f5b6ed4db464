import { request } from "./http";
import type { Session } from "./types";

export const sessionKey = ["session"] as const;

export function currentSession(signal?: AbortSignal): Promise<Session> {
  return request<Session>("/api/partner-auth/me", {
    quietUnauthorized: true,
    signal,
  });
}

export function signIn(email: string, password: string): Promise<Session> {
  return request<Session>("/api/partner-auth/login", {
    method: "POST",
    body: { email, password },
    quietUnauthorized: true,
  });
}

export function signOut(): Promise<unknown> {
  return request("/api/partner-auth/logout", { method: "POST", quietUnauthorized: true });
}
