import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { learningKey } from "../api/learning";
import { setRuleStatus } from "../api/rules";
import type { PromotedRule } from "../api/types";
import { useAttempt } from "../lib/idempotency";
import { Dialog } from "../ui/Dialog";
import { Notice } from "../ui/Notice";
import { useToast } from "../ui/Toasts";

interface Props {
  rule: PromotedRule;
  onClose: () => void;
}

/** Archiving is final, so it is asked about; the safe answer has the focus. */
export function ArchiveDialog({ rule, onClose }: Props) {
  const client = useQueryClient();
  const toast = useToast();
  const attempt = useAttempt();
  const cancel = useRef<HTMLButtonElement>(null);
  const work = useMutation({
    mutationFn: () =>
      attempt.run({ id: rule.id, status: "archived" }, (key) =>
        setRuleStatus(rule.id, "archived", key),
      ),
    onSuccess: () => {
      toast({ tone: "good", text: `Rule ${rule.rule_id} is archived.` });
      onClose();
      void client.invalidateQueries({ queryKey: learningKey });
    },
  });
  return (
    <Dialog
      title="Archive this rule?"
      onClose={onClose}
      locked={work.isPending}
      focusFirst={cancel}
      footer={
        <>
          <button
            type="button"
            ref={cancel}
            className="button"
            aria-disabled={work.isPending}
            onClick={() => {
              if (!work.isPending) onClose();
            }}
          >
            Keep it
          </button>
          <button
            type="button"
            className="button button-danger"
            aria-disabled={work.isPending}
            onClick={() => {
              if (!work.isPending) work.mutate();
            }}
          >
            {work.isPending ? "Archiving …" : "Archive for good"}
          </button>
        </>
      }
    >
      {work.error && (
        <Notice tone="bad" announce>
          {work.error.message}
        </Notice>
      )}
      <p>
        <strong>{rule.name}</strong> (<span className="mono">{rule.rule_id}</span>) is withdrawn from
        the appliances of {rule.site_name} and cannot be enabled again. Approving its pattern anew makes
        the next version. To stop it for a while, disable it instead.
      </p>
    </Dialog>
  );
}
