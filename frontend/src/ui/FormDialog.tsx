import type { UseMutationResult } from "@tanstack/react-query";
import { useId, type ReactNode, type RefObject } from "react";
import { Dialog } from "./Dialog";
import { Notice } from "./Notice";

interface Props {
  title: string;
  act: string;
  acting: string;
  work: Pick<UseMutationResult<unknown, Error, never>, "isPending" | "error">;
  /** The fields say what was wrong: no need to say it above them, too. */
  explained: boolean;
  focusFirst: RefObject<HTMLElement | null>;
  onSubmit: () => void;
  onClose: () => void;
  children: ReactNode;
}

/** A few fields and one thing to do with them. Enter in a field does it. */
export function FormDialog(props: Props) {
  const { title, act, acting, work, explained, focusFirst, onSubmit, onClose, children } = props;
  const form = useId();
  return (
    <Dialog
      title={title}
      onClose={onClose}
      locked={work.isPending}
      focusFirst={focusFirst}
      footer={
        <>
          <button
            type="button"
            className="button"
            aria-disabled={work.isPending}
            onClick={() => {
              if (!work.isPending) onClose();
            }}
          >
            Cancel
          </button>
          <button
            type="submit"
            form={form}
            className="button button-primary"
            aria-disabled={work.isPending}
          >
            {work.isPending ? acting : act}
          </button>
        </>
      }
    >
      {work.error && !explained && (
        <Notice tone="bad" announce>
          {work.error.message}
        </Notice>
      )}
      <form
        id={form}
        className="form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!work.isPending) onSubmit();
        }}
      >
        {children}
      </form>
    </Dialog>
  );
}
