import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import {
  approveCandidate,
  candidateKey,
  getCandidate,
  type ProposalQuery,
} from "../api/candidates";
import { ApiError } from "../api/http";
import { learningKey } from "../api/learning";
import type { ApproveAnswer, ApproveBody, Candidate, CandidateDetail } from "../api/types";
import { checkName, checkNotes } from "../lib/checks";
import { useDebounced } from "../lib/debounce";
import { plural } from "../lib/format";
import { useAttempt } from "../lib/idempotency";
import { Dialog } from "../ui/Dialog";
import { Field } from "../ui/Field";
import { Link } from "../ui/Link";
import { Notice } from "../ui/Notice";
import { useToast } from "../ui/Toasts";
import { Proposal, refusalOf } from "./Proposal";

interface Props {
  candidate: Candidate;
  onClose: () => void;
}

interface Draft {
  name: string;
  notes: string;
  deploy: boolean;
  checkType: string | null;
}

/** What was typed for a candidate and not sent yet: closing the dialog by mistake loses nothing. */
const drafts = new Map<string, Draft>();
const emptyDraft: Draft = { name: "", notes: "", deploy: true, checkType: null };

/** The rule is no longer the one that was on the screen when the button was pressed. */
class ProposalChanged extends Error {
  constructor(readonly before: string | null) {
    super("The rule has changed since it was shown.");
  }
}

export function ApproveDialog({ candidate, onClose }: Props) {
  const id = String(candidate.id);
  const client = useQueryClient();
  const toast = useToast();
  const attempt = useAttempt();
  const nameInput = useRef<HTMLInputElement>(null);
  const [draft, setDraft] = useState<Draft>(() => drafts.get(id) ?? emptyDraft);
  const [serverErrors, setServerErrors] = useState<{ name?: string; notes?: string }>({});
  const [shownErrors, setShownErrors] = useState({ name: false, notes: false });
  /** The rule as it was before it changed under the person's eyes. */
  const [changedFrom, setChangedFrom] = useState<string | null>(null);

  const change = (part: Partial<Draft>) => {
    const next = { ...draft, ...part };
    setDraft(next);
    drafts.set(id, next);
  };

  const typedName = draft.name.trim();
  const nameProblem = checkName(draft.name);
  const notesProblem = checkNotes(draft.notes);
  const restedName = useDebounced(nameProblem ? "" : typedName, 250);
  const wanted = (custom_name: string): ProposalQuery => ({
    custom_name,
    check_type: draft.checkType,
  });
  const load = (proposal: ProposalQuery, fresh: boolean) =>
    client.fetchQuery({
      queryKey: candidateKey(id, proposal),
      queryFn: ({ signal }) => getCandidate(id, proposal, signal),
      staleTime: fresh ? 0 : Infinity,
    });

  const asked = wanted(restedName);
  const preview = useQuery<CandidateDetail>({
    queryKey: candidateKey(id, asked),
    queryFn: ({ signal }) => getCandidate(id, asked, signal),
    // Under another name the rule is nearly the same: keep it there. For another check type it is not.
    placeholderData: (previous, query) =>
      (query?.queryKey[3] as ProposalQuery | undefined)?.check_type === draft.checkType
        ? previous
        : undefined,
    staleTime: 0,
    refetchOnWindowFocus: false,
  });
  const detail = preview.data;
  const refusal = detail ? refusalOf(detail, draft.checkType) : null;
  const decided = detail?.candidate.approval_status === "approved";
  const ready = Boolean(detail?.proposed_rule) && !refusal && !decided;

  const approve = useMutation({
    mutationFn: async (): Promise<ApproveAnswer> => {
      const shown = detail;
      const current = await load(wanted(typedName), false);
      if (shown && current.rule_digest !== shown.rule_digest) {
        throw new ProposalChanged(shown.rule_yaml);
      }
      const body: ApproveBody = {
        deploy_immediately: draft.deploy,
        ...(typedName ? { custom_name: typedName } : {}),
        ...(draft.notes.trim() ? { notes: draft.notes.trim() } : {}),
        ...(current.rule_digest ? { rule_digest: current.rule_digest } : {}),
        ...(draft.checkType ? { check_type: draft.checkType } : {}),
      };
      try {
        return await attempt.run(body, (key) => approveCandidate(id, body, key));
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 409) throw error;
        const fresh = await load(wanted(typedName), true);
        const open = fresh.candidate.approval_status !== "approved";
        if (open && fresh.rule_digest !== current.rule_digest) {
          throw new ProposalChanged(current.rule_yaml);
        }
        throw error;
      }
    },
    onMutate: () => setChangedFrom(null),
    onSuccess: (answer) => {
      drafts.delete(id);
      toast(toastOf(answer, candidate));
      onClose();
      void client.invalidateQueries({ queryKey: learningKey });
    },
    onError: (error) => {
      if (error instanceof ProposalChanged) {
        setChangedFrom(error.before);
      } else if (error instanceof ApiError) {
        const name = error.fieldError("/custom_name");
        const notes = error.fieldError("/notes");
        setServerErrors({ ...(name ? { name } : {}), ...(notes ? { notes } : {}) });
      }
    },
  });

  const submit = () => {
    if (approve.isPending || !ready) return;
    setShownErrors({ name: true, notes: true });
    if (nameProblem) nameInput.current?.focus();
    if (!nameProblem && !notesProblem) approve.mutate();
  };

  const previewNameError =
    preview.error instanceof ApiError ? preview.error.fieldError("/custom_name") : null;
  const nameError =
    (shownErrors.name && nameProblem) || serverErrors.name || previewNameError || null;
  const notesError = (shownErrors.notes && notesProblem) || serverErrors.notes || null;
  const fieldsExplain = Boolean(serverErrors.name || serverErrors.notes);
  // Kept from the answer that asked for one: a rule that is made already may no longer list them.
  const [choices, setChoices] = useState<string[]>([]);
  const offered = detail?.check_type_choices ?? [];
  if (choices.length === 0 && offered.length > 0) setChoices(offered);
  const changed = approve.error instanceof ProposalChanged;

  return (
    <Dialog
      title="Approve this candidate"
      onClose={onClose}
      size="large"
      focusFirst={nameInput}
      locked={approve.isPending}
      footer={
        <>
          <button
            type="button"
            className="button"
            onClick={() => {
              if (!approve.isPending) onClose();
            }}
            aria-disabled={approve.isPending}
          >
            Cancel
          </button>
          <button
            type="button"
            className="button button-primary"
            aria-disabled={!ready || approve.isPending}
            onClick={submit}
          >
            {approve.isPending
              ? "Approving …"
              : draft.deploy
                ? "Approve and deploy"
                : "Approve, hold back"}
          </button>
        </>
      }
    >
      {changed && (
        <Notice tone="warn" announce>
          {approve.error?.message} Lines that are new are marked below. Look at it again and approve
          it if it is still right.
        </Notice>
      )}
      {approve.error && !changed && !fieldsExplain && (
        <Notice tone="bad" announce>
          {approve.error.message}
        </Notice>
      )}
      <div className="approve">
        <div className="approve-form">
          <p>
            <span className="mono">{candidate.pattern_signature}</span> at {candidate.site_name}
          </p>
          <Field
            label="Rule name"
            optional
            error={nameError}
            hint="Shown in lists and in the rule. Empty: named after its action."
          >
            {(control) => (
              <input
                {...control}
                ref={nameInput}
                type="text"
                autoComplete="off"
                value={draft.name}
                onChange={(event) => {
                  change({ name: event.target.value });
                  setServerErrors({});
                  setShownErrors({ ...shownErrors, name: false });
                }}
                onBlur={() => setShownErrors({ ...shownErrors, name: true })}
              />
            )}
          </Field>
          {choices.length > 0 && (
            <Field
              label="Check type"
              hint="The runbook answers several checks: say which one this rule is for."
            >
              {(control) => (
                <select
                  {...control}
                  value={draft.checkType ?? ""}
                  onChange={(event) => change({ checkType: event.target.value || null })}
                >
                  <option value="">Choose …</option>
                  {choices.map((choice) => (
                    <option key={choice}>{choice}</option>
                  ))}
                </select>
              )}
            </Field>
          )}
          <Field label="Notes" optional error={notesError} hint="Kept with the rule.">
            {(control) => (
              <textarea
                {...control}
                rows={3}
                value={draft.notes}
                onChange={(event) => {
                  change({ notes: event.target.value });
                  setServerErrors({});
                  setShownErrors({ ...shownErrors, notes: false });
                }}
                onBlur={() => setShownErrors({ ...shownErrors, notes: true })}
              />
            )}
          </Field>
          <label className="tick">
            <input
              type="checkbox"
              checked={draft.deploy}
              onChange={(event) => change({ deploy: event.target.checked })}
            />
            <span>
              Deploy immediately
              <span className="field-line">
                {draft.deploy
                  ? "The rule is queued for every appliance of the site."
                  : "The rule is made and held back; deploy it later from the list of rules."}
              </span>
            </span>
          </label>
        </div>
        <Proposal
          query={preview}
          refusal={refusal}
          before={changedFrom}
          updating={!nameProblem && (preview.isPlaceholderData || typedName !== restedName)}
        />
      </div>
    </Dialog>
  );
}

function toastOf(answer: ApproveAnswer, candidate: Candidate) {
  if (answer.status === "pending") {
    return {
      tone: "info" as const,
      text: answer.message ?? "Your approval is recorded. A second person has to approve, too.",
    };
  }
  const sent = answer.deployed_to ?? 0;
  const rule = answer.rule_id ?? "The rule";
  return {
    tone: "good" as const,
    text:
      sent > 0
        ? `Rule ${rule} is active and queued for ${plural(sent, "appliance")} of ${candidate.site_name}.`
        : (answer.message ?? `Rule ${rule} is made. It is not queued for any appliance.`),
    action: answer.rule_id && (
      <Link to={{ tab: "learning", view: "rules", q: answer.rule_id }}>Show the rule</Link>
    ),
  };
}
