/**
 * The views refresh by themselves, except while that would be in the person's way: while a write is
 * under way, a dialog is open, or something is being typed.
 */
import { useIsMutating } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";

export const pollEvery = 15_000;

let holds = 0;
const listeners = new Set<() => void>();

function changeHolds(by: number): void {
  holds += by;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Holds all polling while `active`. */
export function useHoldPolling(active: boolean): void {
  useEffect(() => {
    if (!active) return;
    changeHolds(1);
    return () => changeHolds(-1);
  }, [active]);
}

/** For a query's `refetchInterval`. */
export function usePollInterval(): number | false {
  const held = useSyncExternalStore(subscribe, () => holds > 0);
  const writing = useIsMutating() > 0;
  return held || writing ? false : pollEvery;
}
