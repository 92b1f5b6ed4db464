import { useId, useLayoutEffect, useRef, type ReactNode, type RefObject } from "react";
import { noteClosed, noteOpened } from "../lib/openDialogs";
import { useHoldPolling } from "../lib/polling";
import { useKeptFocus } from "./focus";
import { Icon } from "./icons";

interface Props {
  title: ReactNode;
  /** Asked for by Escape or the cross; the owner decides by no longer rendering the dialog. */
  onClose: () => void;
  children: ReactNode;
  footer?: ReactNode;
  /** `panel`: from the side, for reading. It does not hold the polling. */
  kind?: "modal" | "panel";
  size?: "small" | "large";
  /** Gets the focus on opening; without it the dialog's heading does. */
  focusFirst?: RefObject<HTMLElement | null>;
  /** While something is under way that closing would not stop. */
  locked?: boolean;
}

/**
 * The platform's modal dialog: it traps the focus, makes the rest inert, and gives the focus back on
 * closing. It is closed in the clean-up of a layout effect, while the element is still in the
 * document: taking it out while open would drop the focus to the body.
 */
export function Dialog({
  title,
  onClose,
  children,
  footer,
  kind = "modal",
  size = "small",
  focusFirst,
  locked = false,
}: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const titleId = useId();
  useHoldPolling(kind === "modal");
  useKeptFocus(dialog, heading);

  useLayoutEffect(() => {
    const element = dialog.current;
    if (!element) return;
    element.showModal();
    noteOpened(element);
    (focusFirst?.current ?? heading.current)?.focus();
    return () => {
      noteClosed(element);
      element.close();
    };
  }, [focusFirst]);

  return (
    <dialog
      ref={dialog}
      className={`dialog dialog-${kind} dialog-${size}`}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        if (!locked) onClose();
      }}
    >
      <header className="dialog-head">
        <h2 id={titleId} ref={heading} tabIndex={-1}>
          {title}
        </h2>
        <button
          type="button"
          className="button-quiet button-icon"
          onClick={onClose}
          disabled={locked}
          aria-label="Close"
        >
          <Icon name="cross" />
        </button>
      </header>
      {/* A panel may hold nothing but text: its body has to be scrollable by keyboard all the same. */}
      <div
        className="dialog-body"
        {...(kind === "panel"
          ? { tabIndex: 0, role: "group", "aria-labelledby": titleId }
          : undefined)}
      >
        {children}
      </div>
      {footer && <footer className="dialog-foot">{footer}</footer>}
    </dialog>
  );
}
