import { useEffect, useRef, type RefObject } from "react";

/**
 * When what had the focus inside `container` disappears (a row that was decided, a button that has
 * done its work), the focus moves to `fallback` instead of being lost.
 *
 * It listens to the platform's events, not React's: those are silent while React changes the
 * document, which is when a dialog that closes gives the focus back. What happens in dialogs further
 * inside is theirs.
 */
export function useKeptFocus(
  container: RefObject<HTMLElement | null>,
  fallback: RefObject<HTMLElement | null>,
): void {
  const last = useRef<Element | null>(null);

  useEffect(() => {
    const element = container.current;
    if (!element) return;
    const ownDialog = element.closest("dialog");
    const isOurs = (node: Element) =>
      element.contains(node) && node.closest("dialog") === ownDialog;
    const noteFocus = ({ target }: FocusEvent) => {
      if (target instanceof Element && isOurs(target)) last.current = target;
    };
    const noteLeaving = ({ relatedTarget: to }: FocusEvent) => {
      const intoDialog = to instanceof Element && to.closest("dialog") !== ownDialog;
      if (to instanceof Element && !isOurs(to) && !intoDialog) last.current = null;
    };
    element.addEventListener("focusin", noteFocus);
    element.addEventListener("focusout", noteLeaving);
    return () => {
      element.removeEventListener("focusin", noteFocus);
      element.removeEventListener("focusout", noteLeaving);
    };
  }, [container]);

  useEffect(() => {
    if (!last.current || last.current.isConnected) return;
    last.current = null;
    if (document.activeElement === document.body || document.activeElement === null) {
      fallback.current?.focus({ preventScroll: true });
    }
  });
}
