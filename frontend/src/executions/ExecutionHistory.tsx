import { executionsKey, listExecutions, type ExecutionQuery } from "../api/executions";
import type { Execution, Level } from "../api/types";
import { formatDuration, humanize } from "../lib/format";
import { pageSize, useList, useSiteChoices } from "../lib/lists";
import { usePages } from "../lib/pages";
import { readChoice, readSignature, readSiteId, readText, useSearch } from "../lib/url";
import { LevelBadge, levelWords, OutcomeBadge } from "../ui/Badge";
import { Select } from "../ui/Field";
import { Refreshed, Section } from "../ui/ListBody";
import { PagedList } from "../ui/PagedList";
import { SearchBox } from "../ui/SearchBox";
import { Table, type Column } from "../ui/Table";
import { Time } from "../ui/Time";

const levels: readonly Level[] = ["L1", "L2", "L3"];
const levelChoices = levels.map((value) => ({ value, label: levelWords[value] }));
const outcomes = ["success", "failure"] as const;
const outcomeChoices = [
  { value: "success", label: "Success" },
  { value: "failure", label: "Failure" },
] as const;

const columns: Column<Execution>[] = [
  { id: "when", label: "When", cell: (e) => <Time value={e.created_at} /> },
  {
    id: "site",
    label: "Site",
    cell: (e) => (
      <>
        {e.site_name}
        {e.hostname && <span className="cell-sub">on {e.hostname}</span>}
      </>
    ),
  },
  {
    id: "runbook",
    label: "Runbook and pattern",
    cell: (e) => (
      <>
        <span className="mono">{e.runbook_id ?? "–"}</span>
        {e.pattern_signature && <span className="cell-sub mono">{e.pattern_signature}</span>}
      </>
    ),
  },
  { id: "level", label: "Resolved by", cell: (e) => <LevelBadge level={e.resolution_level} /> },
  {
    id: "outcome",
    label: "Outcome",
    cell: (e) => (
      <>
        <OutcomeBadge success={e.success} />
        {e.failure_type && <span className="cell-sub">{humanize(e.failure_type)}</span>}
      </>
    ),
  },
  {
    id: "took",
    label: "Took",
    numeric: true,
    cell: (e) => formatDuration(e.duration_seconds == null ? null : e.duration_seconds * 1000),
  },
  {
    id: "incident",
    label: "Incident",
    cell: (e) => <span className="mono cell-id">{e.incident_id ?? "–"}</span>,
  },
];

/** What ran at the sites, newest first. */
export function ExecutionHistory() {
  const search = useSearch();
  const pages = usePages();
  const outcome = readChoice(search, "outcome", outcomes);
  const query: ExecutionQuery = {
    site_id: readSiteId(search),
    level: readChoice(search, "level", levels),
    success: outcome === null ? null : outcome === "success",
    runbook_id: readText(search, "runbook", 100),
    pattern_signature: readSignature(search),
    limit: pageSize,
    cursor: pages.cursor,
  };
  const list = useList(executionsKey(query), (signal) => listExecutions(query, signal));
  const sites = useSiteChoices(query.site_id);
  const narrowed = Boolean(
    query.site_id || query.level || outcome || query.runbook_id || query.pattern_signature,
  );
  const clear = () =>
    pages.change({ site: null, level: null, outcome: null, runbook: null, pattern: null });

  return (
    <Section id="executions" title="Execution history" aside={<Refreshed query={list} />}>
      <div role="search" className="filters">
        <SearchBox
          label="Runbook"
          value={query.runbook_id}
          placeholder="Whole id"
          onChange={(runbook) => pages.change({ runbook }, { replace: true })}
        />
        <SearchBox
          label="Pattern"
          value={query.pattern_signature}
          placeholder="Whole signature"
          onChange={(pattern) => pages.change({ pattern }, { replace: true })}
        />
        <Select
          label="Site"
          all="All sites"
          value={query.site_id ?? ""}
          choices={sites}
          onChange={(site) => pages.change({ site })}
        />
        <Select
          label="Resolved by"
          all="Every level"
          value={query.level ?? ""}
          choices={levelChoices}
          onChange={(level) => pages.change({ level })}
        />
        <Select
          label="Outcome"
          all="Every outcome"
          value={outcome ?? ""}
          choices={outcomeChoices}
          onChange={(to) => pages.change({ outcome: to })}
        />
      </div>
      <PagedList
        query={list}
        pages={pages}
        what="executions"
        rows={(page) => page.executions}
        expected={12}
        nothing={{
          icon: "inbox",
          title: "Nothing has run yet",
          text: "Executions appear here as soon as an appliance reports one.",
        }}
        narrowed={narrowed && { text: "No execution fits these filters.", clear }}
      >
        {(executions) => (
          <Table
            caption="Executions"
            columns={columns}
            rows={executions}
            rowKey={(e) => e.execution_id}
          />
        )}
      </PagedList>
    </Section>
  );
}
