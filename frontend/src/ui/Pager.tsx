import type { Paged } from "../api/types";
import { formatCount } from "../lib/format";
import type { Pages } from "../lib/pages";
import { Icon } from "./icons";

interface Props {
  pages: Pages;
  page: Paged;
  /** Rows on this page. */
  shown: number;
  limit: number;
  what: string;
  busy: boolean;
}

export function Pager({ pages, page, shown, limit, what, busy }: Props) {
  const total = `${page.total_is_exact === false ? "more than " : ""}${formatCount(page.total)}`;
  const first = pages.index === null ? null : pages.index * limit + 1;
  const single = pages.index === 0 && page.next_cursor === null;
  return (
    <nav className="pager" aria-label={`Pages of ${what}`}>
      <p aria-live="polite">
        {first === null
          ? `${formatCount(shown)} of ${total} ${what}`
          : `${formatCount(first)}–${formatCount(first + shown - 1)} of ${total} ${what}`}
      </p>
      {!single && (
        <div className="pager-buttons">
          <button
            type="button"
            className="button button-small"
            aria-disabled={pages.index === 0 || busy}
            onClick={() => {
              if (pages.index !== 0 && !busy) pages.previous();
            }}
          >
            <Icon name="left" /> {pages.index === null ? "First page" : "Previous"}
          </button>
          <button
            type="button"
            className="button button-small"
            aria-disabled={page.next_cursor === null || busy}
            onClick={() => {
              if (page.next_cursor !== null && !busy) pages.next(page.next_cursor);
            }}
          >
            Next <Icon name="right" />
          </button>
        </div>
      )}
    </nav>
  );
}
