/**
 * Pages by cursor. The server only knows "after this one", so the way back is kept with the history
 * entry: the cursors of the pages before this one, first page (null) first.
 */
import { useCallback } from "react";
import { changeSearch, readCursor, useSearch, type Change } from "./url";

interface PageState {
  before: (string | null)[];
}

function isPageState(state: unknown): state is PageState {
  return (
    typeof state === "object" &&
    state !== null &&
    Array.isArray((state as PageState).before) &&
    (state as PageState).before.every((c) => c === null || typeof c === "string")
  );
}

export interface Pages {
  cursor: string | null;
  /** 0 for the first page; null when a link led into the middle. */
  index: number | null;
  next: (cursor: string) => void;
  previous: () => void;
  /** Changes filters or order and starts again at the first page. */
  change: (change: Change, options?: { replace?: boolean }) => void;
}

export function usePages(): Pages {
  const cursor = readCursor(useSearch());
  const state: unknown = window.history.state;
  const before = cursor !== null && isPageState(state) ? state.before : [];

  const next = (to: string) =>
    changeSearch({ cursor: to }, { state: { before: [...before, cursor] } });
  const previous = () =>
    changeSearch({ cursor: before.at(-1) ?? null }, { state: { before: before.slice(0, -1) } });
  const change = useCallback(
    (to: Change, options?: { replace?: boolean }) =>
      changeSearch({ ...to, cursor: null }, options ?? {}),
    [],
  );
  const index = cursor === null ? 0 : before.length > 0 ? before.length : null;
  return { cursor, index, next, previous, change };
}
