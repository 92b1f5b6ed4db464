import { createContext, useContext } from "react";
import type { Session } from "../api/types";

export const SessionContext = createContext<Session | null>(null);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("useSession outside of a session");
  return session;
}

/** Whether this person may approve, reject, and change rules. The server checks it again. */
export function useCanDecide(): boolean {
  const { role } = useSession().user;
  return role === "approver" || role === "admin";
}

/** Whether this person may see and change people and keys. The server checks it again. */
export function useIsAdmin(): boolean {
  return useSession().user.role === "admin";
}
