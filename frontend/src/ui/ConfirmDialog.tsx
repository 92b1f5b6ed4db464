import type { UseMutationResult } from "@tanstack/react-query";
import { useRef, type ReactNode } from "react";
import { Dialog } from "./Dialog";
import { Notice } from "./Notice";

interface Props {
  title: string;
  /** What doing nothing is called. */
  keep: string;
  act: string;
  acting: string;
  /** For what is neither large nor final. */
  harmless?: boolean;
  work: Pick<UseMutationResult<unknown, Error, void>, "mutate" | "isPending" | "error">;
  onClose: () => void;
  children: ReactNode;
}

/** Asks before something that is large or cannot be undone. The safe answer has the focus. */
export function ConfirmDialog(props: Props) {
  const { title, keep, act, acting, harmless = false, work, onClose, children } = props;
  const safe = useRef<HTMLButtonElement>(null);
  return (
    <Dialog
      title={title}
      onClose={onClose}
      locked={work.isPending}
      focusFirst={safe}
      footer={
        <>
          <button
            type="button"
            ref={safe}
            className="button"
            aria-disabled={work.isPending}
            onClick={() => {
              if (!work.isPending) onClose();
            }}
          >
            {keep}
          </button>
          <button
            type="button"
            className={harmless ? "button button-primary" : "button button-danger"}
            aria-disabled={work.isPending}
            onClick={() => {
              if (!work.isPending) work.mutate();
            }}
          >
            {work.isPending ? acting : act}
          </button>
        </>
      }
    >
      {work.error && (
        <Notice tone="bad" announce>
          {work.error.message}
        </Notice>
      )}
      {children}
    </Dialog>
  );
}
