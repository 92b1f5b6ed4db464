/**
 * Which candidates are ticked. Kept by id, not by place in the list, and with the browser's tab: it
 * survives a refresh of the list, another page of it, and a reload.
 */
import { useCallback, useMemo, useRef, useState } from "react";
import type { Candidate } from "../api/types";

export interface Picked {
  id: string;
  signature: string;
  site: string;
}

const storageKey = "flywheel.selection";

function restore(owner: string): Map<string, Picked> {
  try {
    const stored: unknown = JSON.parse(sessionStorage.getItem(storageKey) ?? "null");
    const { owner: whose, picked } = stored as { owner: string; picked: Picked[] };
    if (whose !== owner) return new Map();
    return new Map(
      picked
        .filter((p) => [p.id, p.signature, p.site].every((text) => typeof text === "string"))
        .map((p) => [p.id, p]),
    );
  } catch {
    return new Map();
  }
}

function keep(owner: string, picked: Map<string, Picked>): void {
  try {
    sessionStorage.setItem(storageKey, JSON.stringify({ owner, picked: [...picked.values()] }));
  } catch {
    // No storage: the selection still lives as long as the page.
  }
}

export const isUndecided = (candidate: Candidate): boolean =>
  candidate.approval_status === "not_submitted" || candidate.approval_status === "pending";

export const pickedOf = (candidate: Candidate): Picked => ({
  id: String(candidate.id),
  signature: candidate.pattern_signature,
  site: candidate.site_name,
});

export interface Selection {
  picked: ReadonlyMap<string, Picked>;
  has: (id: Candidate["id"]) => boolean;
  /** Ticks or unticks one; with `range`, everything on `page` between it and the one before. */
  toggle: (candidate: Candidate, page: readonly Candidate[], range: boolean) => void;
  add: (candidates: readonly Candidate[]) => void;
  remove: (ids: Iterable<string>) => void;
  clear: () => void;
}

export function useSelection(owner: string): Selection {
  const [picked, setPicked] = useState(() => restore(owner));
  const anchor = useRef<string | null>(null);

  const update = useCallback(
    (change: (next: Map<string, Picked>) => void) => {
      setPicked((old) => {
        const next = new Map(old);
        change(next);
        keep(owner, next);
        return next;
      });
    },
    [owner],
  );

  const toggle = useCallback<Selection["toggle"]>(
    (candidate, page, range) => {
      const id = String(candidate.id);
      const from = page.findIndex((c) => String(c.id) === anchor.current);
      const to = page.findIndex((c) => String(c.id) === id);
      const touched =
        range && from >= 0 && to >= 0
          ? page.slice(Math.min(from, to), Math.max(from, to) + 1).filter(isUndecided)
          : [candidate];
      anchor.current = id;
      update((next) => {
        const tick = !next.has(id);
        for (const one of touched) {
          if (tick) next.set(String(one.id), pickedOf(one));
          else next.delete(String(one.id));
        }
      });
    },
    [update],
  );
  const add = useCallback<Selection["add"]>(
    (candidates) =>
      update((next) => {
        for (const one of candidates) if (isUndecided(one)) next.set(String(one.id), pickedOf(one));
      }),
    [update],
  );
  const remove = useCallback<Selection["remove"]>(
    (ids) =>
      update((next) => {
        for (const id of ids) next.delete(id);
      }),
    [update],
  );
  const clear = useCallback(() => update((next) => next.clear()), [update]);

  return useMemo(
    () => ({ picked, has: (id) => picked.has(String(id)), toggle, add, remove, clear }),
    [picked, toggle, add, remove, clear],
  );
}
