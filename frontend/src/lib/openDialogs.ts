/**
 * Which modal dialogs are open, the topmost last. Everything outside the topmost one is inert: what
 * must be seen and read out meanwhile, such as a message, has to be inside it.
 */
import { useSyncExternalStore } from "react";

let open: readonly HTMLDialogElement[] = [];
const listeners = new Set<() => void>();

function change(next: readonly HTMLDialogElement[]): void {
  open = next;
  for (const listener of listeners) listener();
}

export function noteOpened(dialog: HTMLDialogElement): void {
  change([...open, dialog]);
}

export function noteClosed(dialog: HTMLDialogElement): void {
  change(open.filter((other) => other !== dialog));
}

export function useTopDialog(): HTMLDialogElement | null {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => open.at(-1) ?? null,
  );
}
