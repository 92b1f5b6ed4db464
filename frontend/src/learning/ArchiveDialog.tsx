import { useMutation, useQueryClient } from "@tanstack/react-query";
import { learningKey } from "../api/learning";
import { setRuleStatus } from "../api/rules";
import type { PromotedRule } from "../api/types";
import { useAttempt } from "../lib/idempotency";
import { ConfirmDialog } from "../ui/ConfirmDialog";
import { useToast } from "../ui/Toasts";

interface Props {
  rule: PromotedRule;
  onClose: () => void;
}

/** Archiving is final, so it is asked about. */
export function ArchiveDialog({ rule, onClose }: Props) {
  const client = useQueryClient();
  const toast = useToast();
  const attempt = useAttempt();
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
    <ConfirmDialog
      title="Archive this rule?"
      keep="Keep it"
      act="Archive for good"
      acting="Archiving …"
      work={work}
      onClose={onClose}
    >
      <p>
        <strong>{rule.name}</strong> (<span className="mono">{rule.rule_id}</span>) is withdrawn from
        the appliances of {rule.site_name} and cannot be enabled again. Approving its pattern anew makes
        the next version. To stop it for a while, disable it instead.
      </p>
    </ConfirmDialog>
  );
}
