import { useQuery } from "@tanstack/react-query";
import { candidateKey, getCandidate } from "../api/candidates";
import type { Candidate, CandidateDetail, Execution } from "../api/types";
import { formatCount, formatDuration, formatRate } from "../lib/format";
import { usePollInterval } from "../lib/polling";
import { isUndecided } from "../lib/selection";
import { useCanDecide } from "../session/context";
import { ApprovalBadge, LevelBadge, OutcomeBadge } from "../ui/Badge";
import { Dialog } from "../ui/Dialog";
import { LevelBar } from "../ui/LevelBar";
import { Link } from "../ui/Link";
import { ListBody } from "../ui/ListBody";
import { SkeletonRows, Table, type Column } from "../ui/Table";
import { Time } from "../ui/Time";
import { Proposal, refusalOf } from "./Proposal";

interface Props {
  id: string;
  onClose: () => void;
  onApprove: (candidate: Candidate) => void;
  onReject: (candidate: Candidate) => void;
}

/** One candidate from close: its numbers, the rule it would become, and what has run for it. */
export function CandidateDetailPanel({ id, onClose, onApprove, onReject }: Props) {
  const canDecide = useCanDecide();
  const query = useQuery({
    queryKey: candidateKey(id),
    queryFn: ({ signal }) => getCandidate(id, undefined, signal),
    refetchInterval: usePollInterval(),
  });
  const candidate = query.data?.candidate;
  const needsChoice = Boolean(query.data?.check_type_choices?.length);
  const refusal = query.data ? refusalOf(query.data, null) : null;
  const mayApprove =
    candidate && candidate.approval_status !== "approved" && (!refusal || needsChoice);

  return (
    <Dialog
      title={candidate ? <span className="mono">{candidate.pattern_signature}</span> : "Candidate"}
      kind="panel"
      onClose={onClose}
      footer={
        canDecide &&
        candidate &&
        candidate.approval_status !== "approved" && (
          <>
            {isUndecided(candidate) && (
              <button type="button" className="button" onClick={() => onReject(candidate)}>
                Reject …
              </button>
            )}
            <button
              type="button"
              className="button button-primary"
              aria-disabled={!mayApprove}
              onClick={() => {
                if (mayApprove) onApprove(candidate);
              }}
            >
              {candidate.approval_status === "rejected" ? "Approve after all …" : "Approve …"}
            </button>
          </>
        )
      }
    >
      <ListBody
        query={query}
        what="candidate"
        skeleton={<SkeletonRows rows={6} tall />}
        empty={() => null}
      >
        {(detail) => (
          <>
            <Facts detail={detail} />
            <PastRejection detail={detail} />
            <section aria-labelledby="detail-rule">
              <h3 id="detail-rule">Proposed rule</h3>
              {detail.candidate.approval_status === "approved" ? (
                <ApprovedAlready detail={detail} />
              ) : (
                <Proposal
                  query={query}
                  refusal={
                    needsChoice && !detail.proposed_rule
                      ? "Its runbook answers several checks. Which one the rule is for is chosen on approving."
                      : refusal
                  }
                />
              )}
            </section>
            <section aria-labelledby="detail-history">
              <h3 id="detail-history">Executions of this pattern</h3>
              <PatternExecutions executions={detail.execution_history} />
            </section>
          </>
        )}
      </ListBody>
    </Dialog>
  );
}

function Facts({ detail }: { detail: CandidateDetail }) {
  const c = detail.candidate;
  const counts = [c.l1_resolutions, c.l2_resolutions, c.l3_resolutions] as const;
  return (
    <>
      <p className="detail-lead">
        <ApprovalBadge status={c.approval_status} /> {c.site_name}
      </p>
      <dl className="facts">
        <Fact name="Success">{formatRate(c.success_rate)}</Fact>
        <Fact name="Occurrences">{formatCount(c.total_occurrences)}</Fact>
        <Fact name="Takes">{formatDuration(c.avg_resolution_time_ms)}</Fact>
        <Fact name="Action">
          <span className="mono">{c.recommended_action ?? "–"}</span>
        </Fact>
        <Fact name="Check type">
          <span className="mono">{c.check_type ?? "–"}</span>
        </Fact>
        <Fact name="First seen">
          <Time value={c.first_seen} />
        </Fact>
        <Fact name="Last seen">
          <Time value={c.last_seen} />
        </Fact>
      </dl>
      <LevelBar
        shares={counts}
        values={[formatCount(counts[0]), formatCount(counts[1]), formatCount(counts[2])]}
      />
    </>
  );
}

function ApprovedAlready({ detail }: { detail: CandidateDetail }) {
  const { candidate, decision, existing_rule: rule } = detail;
  return (
    <>
      <p>
        Approved
        {decision?.approved_by && ` by ${decision.approved_by}`}
        {decision?.approved_at && (
          <>
            , <Time value={decision.approved_at} />
          </>
        )}
        .{" "}
        <Link
          to={{ tab: "learning", view: "rules", q: rule?.rule_id ?? candidate.pattern_signature }}
        >
          Show its rule
        </Link>
      </p>
      {decision?.approval_notes && (
        <blockquote className="log-reason">{decision.approval_notes}</blockquote>
      )}
    </>
  );
}

/** Who said no, and why; for those who think about it again. */
function PastRejection({ detail }: { detail: CandidateDetail }) {
  const { candidate, decision } = detail;
  if (candidate.approval_status !== "rejected" || !decision?.rejection_reason) return null;
  return (
    <div>
      <p className="cell-sub">
        Rejected{decision.rejected_by && ` by ${decision.rejected_by}`},{" "}
        <Time value={decision.rejected_at} />
      </p>
      <blockquote className="log-reason">{decision.rejection_reason}</blockquote>
    </div>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

const columns: Column<Execution>[] = [
  { id: "when", label: "When", cell: (e) => <Time value={e.created_at} /> },
  {
    id: "runbook",
    label: "Runbook",
    cell: (e) => (
      <>
        <span className="mono">{e.runbook_id ?? "–"}</span>
        {e.hostname && <span className="cell-sub">on {e.hostname}</span>}
      </>
    ),
  },
  { id: "level", label: "Level", cell: (e) => <LevelBadge level={e.resolution_level} /> },
  {
    id: "took",
    label: "Took",
    numeric: true,
    cell: (e) => formatDuration(e.duration_seconds == null ? null : e.duration_seconds * 1000),
  },
  { id: "outcome", label: "Outcome", cell: (e) => <OutcomeBadge success={e.success} /> },
];

function PatternExecutions({ executions }: { executions: Execution[] }) {
  if (executions.length === 0) {
    return <p className="muted">No execution of this pattern has been reported yet.</p>;
  }
  return (
    <Table
      caption="Executions of this pattern"
      columns={columns}
      rows={executions}
      rowKey={(e) => e.execution_id}
    />
  );
}
