import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useState } from "react";
import {
  candidatesKey,
  candidateSorts,
  listCandidates,
  type CandidateQuery,
  type CandidateSort,
} from "../api/candidates";
import type { ApprovalStatus, Candidate, CandidatePage, Id } from "../api/types";
import { pageSize, useList, useSiteChoices } from "../lib/lists";
import { usePages } from "../lib/pages";
import { isUndecided, pickedOf, useSelection, type Picked } from "../lib/selection";
import {
  changeSearch,
  readCandidateId,
  readChoice,
  readSiteId,
  readText,
  useSearch,
} from "../lib/url";
import { useCanDecide, useSession } from "../session/context";
import { approvalWords } from "../ui/Badge";
import { Select } from "../ui/Field";
import { Refreshed, Section, type EmptyState } from "../ui/ListBody";
import { PagedList } from "../ui/PagedList";
import { SearchBox } from "../ui/SearchBox";
import { ApproveDialog } from "./ApproveDialog";
import { CandidateDetailPanel } from "./CandidateDetailPanel";
import { CandidatesTable } from "./CandidatesTable";
import { RejectDialog } from "./RejectDialog";
import { SelectionBar } from "./SelectionBar";

const statuses: readonly ApprovalStatus[] = ["not_submitted", "pending", "approved", "rejected"];
const statusChoices = statuses.map((value) => ({ value, label: approvalWords[value] }));

const sortChoices: readonly { value: CandidateSort; label: string }[] = [
  { value: "-success_rate", label: "Best success first" },
  { value: "success_rate", label: "Worst success first" },
  { value: "-total_occurrences", label: "Most frequent first" },
  { value: "total_occurrences", label: "Least frequent first" },
  { value: "-last_seen", label: "Last seen first" },
  { value: "last_seen", label: "Last seen last" },
  { value: "-first_seen", label: "Newest first" },
  { value: "first_seen", label: "Oldest first" },
];

const notYet: EmptyState = {
  icon: "inbox",
  title: "Nothing yet",
  text: "A pattern becomes a candidate after 5 occurrences, 3 of them solved by the planner, with at least 90 % success.",
};

type OpenDialog = { kind: "approve"; candidate: Candidate } | { kind: "reject"; picked: Picked[] };

/** The queue: what has proved itself and waits for somebody to say yes or no. */
export function CandidatesView() {
  const search = useSearch();
  const pages = usePages();
  const client = useQueryClient();
  const canDecide = useCanDecide();
  const { partner, user } = useSession();
  const selection = useSelection(`${partner.id}/${user.email}`);
  const [dialog, setDialog] = useState<OpenDialog | null>(null);

  const query: CandidateQuery = {
    status: readChoice(search, "status", statuses),
    site_id: readSiteId(search),
    q: readText(search, "q"),
    sort: readChoice(search, "sort", candidateSorts),
    limit: pageSize,
    cursor: pages.cursor,
  };
  const list = useList(candidatesKey(query), (signal) => listCandidates(query, signal));
  const sites = useSiteChoices(query.site_id);
  const openId = readCandidateId(search);
  const filtered = Boolean(query.q || query.status || query.site_id);

  // What somebody else decided meanwhile can no longer be ticked.
  const { picked, remove } = selection;
  useEffect(() => {
    const decided = (list.data?.candidates ?? [])
      .filter((c) => !isUndecided(c) && picked.has(String(c.id)))
      .map((c) => String(c.id));
    if (decided.length > 0) remove(decided);
  }, [list.data, picked, remove]);

  const clearFilters = () => pages.change({ q: null, status: null, site: null });
  const closeDialog = useCallback(() => setDialog(null), []);
  const approve = useCallback(
    (candidate: Candidate) => setDialog({ kind: "approve", candidate }),
    [],
  );
  const reject = useCallback(
    (candidate: Candidate) => setDialog({ kind: "reject", picked: [pickedOf(candidate)] }),
    [],
  );
  const { change } = pages;
  const sortBy = useCallback((sort: string | null) => change({ sort }), [change]);
  const show = useCallback((id: Id) => changeSearch({ candidate: String(id) }), []);

  const selectAllMatching = async () => {
    let cursor: string | null = null;
    do {
      const each: CandidateQuery = { ...query, limit: 200, cursor };
      const page: CandidatePage = await client.fetchQuery({
        queryKey: candidatesKey(each),
        queryFn: ({ signal }) => listCandidates(each, signal),
      });
      selection.add(page.candidates);
      cursor = page.next_cursor;
    } while (cursor !== null);
  };

  const waiting = query.status === "not_submitted" || query.status === "pending";
  const allDone = waiting && !query.q && !query.site_id;
  const done: EmptyState = {
    icon: "check",
    title: "All done",
    text: "Nothing waits for a decision. New candidates appear here by themselves.",
    action: (
      <button type="button" className="button" onClick={clearFilters}>
        Show decided ones too
      </button>
    ),
  };

  return (
    <Section id="candidates" title="Candidates" aside={<Refreshed query={list} />}>
      <div role="search" className="filters">
        <SearchBox
          label="Search"
          value={query.q}
          placeholder="Pattern, site or action"
          onChange={(q) => pages.change({ q }, { replace: true })}
        />
        <Select
          label="Status"
          all="Every status"
          value={query.status ?? ""}
          choices={statusChoices}
          onChange={(status) => pages.change({ status })}
        />
        <Select
          label="Site"
          all="All sites"
          value={query.site_id ?? ""}
          choices={sites}
          onChange={(site) => pages.change({ site })}
        />
        <Select
          label="Order"
          all="Undecided first"
          value={query.sort ?? ""}
          choices={sortChoices}
          onChange={(sort) => pages.change({ sort })}
        />
      </div>
      <PagedList
        query={list}
        pages={pages}
        what="candidates"
        rows={(page) => page.candidates}
        expected={10}
        nothing={allDone ? done : notYet}
        narrowed={
          filtered &&
          !allDone && { text: "No candidate fits this search and these filters.", clear: clearFilters }
        }
      >
        {(candidates, page) => (
          <>
            {canDecide && (
              <SelectionBar
                selection={selection}
                page={page}
                onSelectAll={selectAllMatching}
                onReject={() => setDialog({ kind: "reject", picked: [...picked.values()] })}
              />
            )}
            <CandidatesTable
              candidates={candidates}
              selection={canDecide ? selection : null}
              sort={query.sort}
              onSort={sortBy}
              onShow={show}
              onApprove={approve}
              onReject={reject}
            />
          </>
        )}
      </PagedList>
      {openId && (
        <CandidateDetailPanel
          key={openId}
          id={openId}
          onClose={() => changeSearch({ candidate: null })}
          onApprove={approve}
          onReject={reject}
        />
      )}
      {dialog?.kind === "approve" && (
        <ApproveDialog candidate={dialog.candidate} onClose={closeDialog} />
      )}
      {dialog?.kind === "reject" && (
        <RejectDialog
          picked={dialog.picked}
          onRejected={(id) => remove([id])}
          onClose={closeDialog}
        />
      )}
    </Section>
  );
}
