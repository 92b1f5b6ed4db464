import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { rejectCandidate } from "../api/candidates";
import { ApiError } from "../api/http";
import { learningKey } from "../api/learning";
import { checkReason } from "../lib/checks";
import { formatCount, plural } from "../lib/format";
import { Attempt } from "../lib/idempotency";
import type { Picked } from "../lib/selection";
import { Dialog } from "../ui/Dialog";
import { Field } from "../ui/Field";
import { Notice } from "../ui/Notice";
import { useToast } from "../ui/Toasts";

interface Props {
  picked: Picked[];
  onRejected: (id: string) => void;
  onClose: () => void;
}

interface Failure {
  picked: Picked;
  message: string;
}

const atOnce = 4;

/** Says no to one candidate or to many, with the reason that the log keeps. */
export function RejectDialog({ picked, onRejected, onClose }: Props) {
  const client = useQueryClient();
  const toast = useToast();
  const [left, setLeft] = useState(picked);
  const [reason, setReason] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const [done, setDone] = useState(0);
  const [failures, setFailures] = useState<Failure[]>([]);
  const stop = useRef(false);
  const attempts = useRef(new Map<string, Attempt>());
  const box = useRef<HTMLTextAreaElement>(null);
  const many = picked.length > 1;

  const work = useMutation({
    mutationFn: async () => {
      const queue = [...left];
      const failed: Failure[] = [];
      let rejected = 0;
      const worker = async () => {
        for (let one = queue.shift(); one; one = queue.shift()) {
          if (stop.current) {
            queue.unshift(one);
            return;
          }
          const { id } = one;
          const attempt = attempts.current.get(id) ?? new Attempt();
          attempts.current.set(id, attempt);
          try {
            const body = { reason: reason.trim() };
            await attempt.run(body, (key) => rejectCandidate(id, body.reason, key));
            rejected += 1;
            setDone((count) => count + 1);
            onRejected(id);
          } catch (error) {
            const message = error instanceof Error ? error.message : String(error);
            const field = error instanceof ApiError ? error.fieldError("/reason") : null;
            if (field) setProblem(field);
            failed.push({ picked: one, message: field ?? message });
          }
        }
      };
      await Promise.all(Array.from({ length: atOnce }, worker));
      return { rejected, failed, notTried: queue };
    },
    onMutate: async () => {
      stop.current = false;
      setDone(0);
      setFailures([]);
      await client.cancelQueries({ queryKey: learningKey });
    },
    onSuccess: ({ rejected, failed, notTried }) => {
      if (rejected > 0) {
        toast({ tone: "good", text: `${plural(rejected, "candidate")} rejected.` });
      }
      setFailures(failed);
      setLeft([...failed.map((f) => f.picked), ...notTried]);
      if (failed.length === 0) onClose();
      void client.invalidateQueries({ queryKey: learningKey });
    },
  });

  const submit = () => {
    if (work.isPending) return;
    const found = checkReason(reason);
    setProblem(found);
    if (found) box.current?.focus();
    else work.mutate();
  };

  return (
    <Dialog
      title={many ? `Reject ${formatCount(picked.length)} candidates` : "Reject this candidate"}
      onClose={onClose}
      locked={work.isPending}
      focusFirst={box}
      footer={
        <>
          {work.isPending && many && (
            <p role="status" className="foot-status">
              {formatCount(done)} of {formatCount(left.length)} rejected
            </p>
          )}
          <button
            type="button"
            className="button"
            onClick={() => {
              if (work.isPending) stop.current = true;
              else onClose();
            }}
          >
            {work.isPending ? "Stop" : "Cancel"}
          </button>
          <button
            type="button"
            className="button button-danger"
            aria-disabled={work.isPending}
            onClick={submit}
          >
            {work.isPending
              ? "Rejecting …"
              : many
                ? `Reject ${plural(left.length, "candidate")}`
                : "Reject"}
          </button>
        </>
      }
    >
      {failures.length > 0 && (
        <Notice tone="bad" announce>
          {many && <p>{plural(failures.length, "candidate")} could not be rejected:</p>}
          <ul className="plain-list">
            {failures.slice(0, 10).map(({ picked: one, message }) => (
              <li key={one.id}>
                {many && <span className="mono">{one.signature}: </span>}
                {message}
              </li>
            ))}
            {failures.length > 10 && <li>and {formatCount(failures.length - 10)} more</li>}
          </ul>
        </Notice>
      )}
      {many ? (
        <details className="picked-list">
          <summary>Which ones</summary>
          <ul className="plain-list">
            {left.map((one) => (
              <li key={one.id}>
                <span className="mono">{one.signature}</span>{" "}
                <span className="muted">{one.site}</span>
              </li>
            ))}
          </ul>
        </details>
      ) : (
        <p>
          <span className="mono">{picked[0]?.signature}</span> at {picked[0]?.site} will not become a
          rule. It can still be approved later.
        </p>
      )}
      <Field label="Reason" error={problem} hint="Kept in the log for everybody to read.">
        {(control) => (
          <textarea
            {...control}
            ref={box}
            rows={4}
            required
            value={reason}
            onChange={(event) => {
              setReason(event.target.value);
              setProblem(null);
            }}
            onBlur={() => {
              if (reason !== "") setProblem(checkReason(reason));
            }}
          />
        )}
      </Field>
    </Dialog>
  );
}
