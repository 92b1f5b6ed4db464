import { useId, useRef, useState, type ReactNode } from "react";
import { copyField } from "../lib/clipboard";
import { Dialog } from "./Dialog";
import { Icon } from "./icons";
import { Notice } from "./Notice";

interface Props {
  title: string;
  /** What it is, for the button: "link". */
  what: string;
  secret: string;
  onClose: () => void;
  /** What to do with it. */
  children: ReactNode;
}

/** Shows a secret that cannot be shown again. Closing before it was copied is asked about once. */
export function OnceDialog({ title, what, secret, onClose, children }: Props) {
  const id = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const [copied, setCopied] = useState<"no" | "yes" | "refused">("no");
  const [warned, setWarned] = useState(false);

  const copy = async () => {
    if (!field.current) return;
    setCopied((await copyField(field.current)) ? "yes" : "refused");
    if (field.current?.isConnected) button.current?.focus();
  };
  const close = () => {
    if (copied !== "no" || warned) onClose();
    else setWarned(true);
  };

  return (
    <Dialog
      title={title}
      onClose={close}
      footer={
        <button type="button" className="button" onClick={close}>
          {warned && copied === "no" ? "Close without copying" : "Done"}
        </button>
      }
    >
      {warned && copied === "no" && (
        <Notice tone="warn" announce>
          You have not copied the {what} yet. It cannot be shown again.
        </Notice>
      )}
      <div className="once">
        <label htmlFor={id}>The {what}, shown only now</label>
        <textarea
          id={id}
          ref={field}
          className="mono"
          readOnly
          rows={2}
          spellCheck={false}
          value={secret}
          onFocus={({ target }) => target.select()}
          onCopy={() => setCopied("yes")}
        />
        <p className="once-actions">
          <button
            type="button"
            ref={button}
            className="button button-primary"
            onClick={() => void copy()}
          >
            <Icon name={copied === "yes" ? "check" : "copy"} /> Copy the {what}
          </button>
          <span role="status">
            {copied === "yes" && "Copied."}
            {copied === "refused" && "The browser refuses: copy it by hand."}
          </span>
        </p>
      </div>
      {children}
    </Dialog>
  );
}
