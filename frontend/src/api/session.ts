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

/** By the link of an invitation or a reset; works signed out. */
export function setPassword(token: string, password: string): Promise<{ email: string }> {
  return request("/api/partner-auth/password", {
    method: "POST",
    body: { token, password },
    quietUnauthorized: true,
  });
}

/** The person's other sessions end. */
export function changePassword(current: string, next: string): Promise<unknown> {
  return request("/api/partner-auth/change-password", {
    method: "POST",
    body: { current_password: current, new_password: next },
  });
}

export function signOut(): Promise<unknown> {
  return request("/api/partner-auth/logout", { method: "POST", quietUnauthorized: true });
}
