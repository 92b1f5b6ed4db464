import { memo } from "react";
import type { Candidate, Id } from "../api/types";
import { formatCount, formatRate } from "../lib/format";
import { isUndecided, type Selection } from "../lib/selection";
import { ApprovalBadge } from "../ui/Badge";
import { LevelBar } from "../ui/LevelBar";
import { Table, type Column } from "../ui/Table";
import { Time } from "../ui/Time";

interface Props {
  candidates: readonly Candidate[];
  /** Null for those who may not decide. */
  selection: Selection | null;
  sort: string | null;
  onSort: (sort: string | null) => void;
  onShow: (id: Id) => void;
  onApprove: (candidate: Candidate) => void;
  onReject: (candidate: Candidate) => void;
}

/** Long, and beside much that changes by itself: drawn anew only when what it shows has changed. */
export const CandidatesTable = memo(function CandidatesTable(props: Props) {
  const { candidates, selection, sort, onSort, onShow, onApprove, onReject } = props;
  const columns: Column<Candidate>[] = [
    {
      id: "pattern",
      label: "Pattern",
      cell: (c) => (
        <>
          <button type="button" className="link-button mono" onClick={() => onShow(c.id)}>
            <span className="visually-hidden">Details of </span>
            {c.pattern_signature}
          </button>
          <span className="cell-sub">
            {c.recommended_action ?? "no action"}
            {c.risk_tier && ` · risk ${c.risk_tier}`}
          </span>
        </>
      ),
    },
    { id: "site", label: "Site", cell: (c) => c.site_name },
    {
      id: "success",
      label: "Success",
      sort: "success_rate",
      numeric: true,
      cell: (c) => formatRate(c.success_rate),
    },
    {
      id: "occurrences",
      label: "Occurrences",
      sort: "total_occurrences",
      numeric: true,
      cell: (c) => formatCount(c.total_occurrences),
    },
    {
      id: "levels",
      label: "Resolved by",
      cell: (c) => {
        const counts = [c.l1_resolutions, c.l2_resolutions, c.l3_resolutions] as const;
        return (
          <LevelBar
            small
            shares={counts}
            values={[formatCount(counts[0]), formatCount(counts[1]), formatCount(counts[2])]}
          />
        );
      },
    },
    {
      id: "seen",
      label: "Last seen",
      sort: "last_seen",
      cell: (c) => <Time value={c.last_seen} />,
    },
    { id: "status", label: "Status", cell: (c) => <ApprovalBadge status={c.approval_status} /> },
  ];
  if (selection) {
    columns.unshift(tickColumn(candidates, selection));
    columns.push({
      id: "actions",
      label: "Decision",
      cell: (c) =>
        isUndecided(c) ? (
          <div className="row-actions">
            <button
              type="button"
              className="button button-small button-primary"
              onClick={() => onApprove(c)}
            >
              Approve<span className="visually-hidden"> {c.pattern_signature} at {c.site_name}</span>
            </button>
            <button type="button" className="button button-small" onClick={() => onReject(c)}>
              Reject<span className="visually-hidden"> {c.pattern_signature} at {c.site_name}</span>
            </button>
          </div>
        ) : (
          <span className="muted">decided</span>
        ),
    });
  }
  return (
    <Table
      caption="Candidates for promotion"
      columns={columns}
      rows={candidates}
      rowKey={(c) => String(c.id)}
      rowClass={(c) => (selection?.has(c.id) ? "row-picked" : "")}
      sort={sort}
      onSort={onSort}
    />
  );
});

function tickColumn(page: readonly Candidate[], selection: Selection): Column<Candidate> {
  const open = page.filter(isUndecided);
  const ticked = open.filter((c) => selection.has(c.id)).length;
  const all = open.length > 0 && ticked === open.length;
  return {
    id: "tick",
    label: "Select",
    head: (
      <input
        type="checkbox"
        aria-label="Select all undecided on this page"
        checked={all}
        disabled={open.length === 0}
        ref={(box) => {
          if (box) box.indeterminate = ticked > 0 && !all;
        }}
        onChange={() => {
          if (all) selection.remove(open.map((c) => String(c.id)));
          else selection.add(open);
        }}
      />
    ),
    cell: (c) =>
      isUndecided(c) ? (
        <input
          type="checkbox"
          aria-label={`Select ${c.pattern_signature} at ${c.site_name}`}
          checked={selection.has(c.id)}
          onChange={(event) =>
            selection.toggle(c, page, (event.nativeEvent as MouseEvent).shiftKey === true)
          }
        />
      ) : null,
  };
}
