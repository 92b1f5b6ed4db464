import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { Paged } from "../api/types";
import { pageSize } from "../lib/lists";
import type { Pages } from "../lib/pages";
import { ListBody, type EmptyState } from "./ListBody";
import { Pager } from "./Pager";
import { SkeletonRows } from "./Table";

interface Props<Page extends Paged, Row> {
  query: UseQueryResult<Page>;
  pages: Pages;
  /** What is listed, for messages: "candidates". */
  what: string;
  /** What one counts of it, when that is another word. */
  unit?: string;
  rows: (page: Page) => readonly Row[];
  /** How many rows to keep room for while loading. */
  expected: number;
  /** What an empty list says when nothing narrows it down. */
  nothing: EmptyState;
  /** What it says when search or filters do, and how to get rid of them; else false. */
  narrowed?: false | { text: string; clear: () => void };
  children: (rows: readonly Row[], page: Page) => ReactNode;
}

/** A list that comes in pages: its states in their order, and the way to the other pages. */
export function PagedList<Page extends Paged, Row>(props: Props<Page, Row>) {
  const { query, pages, what, unit = what, rows, expected, nothing, narrowed = false, children } = props;
  const toFirst = (
    <button type="button" className="button" onClick={() => pages.change({})}>
      To the first page
    </button>
  );
  const empty = (page: Page): EmptyState | null => {
    if (rows(page).length > 0) return null;
    if (page.total > 0 || pages.cursor) {
      return {
        icon: "inbox",
        title: "This page is empty now",
        text: "The list has become shorter since.",
        action: toFirst,
      };
    }
    if (!narrowed) return nothing;
    return {
      icon: "search",
      title: "Nothing matches",
      text: narrowed.text,
      action: (
        <button type="button" className="button" onClick={narrowed.clear}>
          Clear search and filters
        </button>
      ),
    };
  };
  return (
    <ListBody
      query={query}
      what={what}
      skeleton={<SkeletonRows rows={expected} tall />}
      empty={empty}
      wayOut={pages.cursor && toFirst}
    >
      {(page) => (
        <>
          {children(rows(page), page)}
          <Pager
            pages={pages}
            page={page}
            shown={rows(page).length}
            limit={pageSize}
            what={unit}
            busy={query.isPlaceholderData}
          />
        </>
      )}
    </ListBody>
  );
}
