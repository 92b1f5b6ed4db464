import { useMutation } from "@tanstack/react-query";
import type { CandidatePage } from "../api/types";
import { formatCount, plural } from "../lib/format";
import { isUndecided, type Selection } from "../lib/selection";

interface Props {
  selection: Selection;
  page: CandidatePage;
  onSelectAll: () => Promise<void>;
  onReject: () => void;
}

/** What is ticked and what can be done with it. Always there, so that ticking moves nothing. */
export function SelectionBar({ selection, page, onSelectAll, onReject }: Props) {
  const count = selection.picked.size;
  const elsewhere = count - page.candidates.filter((c) => selection.has(c.id)).length;
  const open = page.candidates.filter(isUndecided);
  const wholePage = open.length > 0 && open.every((c) => selection.has(c.id));
  const more = page.next_cursor !== null || page.total > page.candidates.length;
  const selectAll = useMutation({ mutationFn: onSelectAll });

  return (
    <div className="selection-bar" role="group" aria-label="Selected candidates">
      <p role="status">
        {selectAll.error
          ? selectAll.error.message
          : count === 0
            ? "Tick candidates to reject several at once."
            : `${plural(count, "candidate")} selected${
                elsewhere > 0 ? `, ${formatCount(elsewhere)} not on this page` : ""
              }`}
      </p>
      {count > 0 && (
        <div className="row-actions">
          {wholePage && more && (
            <button
              type="button"
              className="button button-small"
              aria-disabled={selectAll.isPending}
              onClick={() => {
                if (!selectAll.isPending) selectAll.mutate();
              }}
            >
              {selectAll.isPending
                ? "Selecting …"
                : `Select all undecided of ${formatCount(page.total)} matching`}
            </button>
          )}
          <button type="button" className="button button-small" onClick={selection.clear}>
            Clear
          </button>
          <button type="button" className="button button-small button-danger" onClick={onReject}>
            Reject {formatCount(count)} …
          </button>
        </div>
      )}
    </div>
  );
}
