import { useQuery } from "@tanstack/react-query";
import { listSites, sitesKey } from "./api/sites";
import type { Site } from "./api/types";
import { formatCount } from "./lib/format";
import { usePollInterval } from "./lib/polling";
import { changeSearch, readChoice, readText, useSearch } from "./lib/url";
import { Link } from "./ui/Link";
import { ListBody, Refreshed, Section } from "./ui/ListBody";
import { SearchBox } from "./ui/SearchBox";
import { SkeletonRows, Table, type Column } from "./ui/Table";
import { Time } from "./ui/Time";

type Order = (a: Site, b: Site) => number;
const orders: Record<string, Order> = {
  name: (a, b) => a.clinic_name.localeCompare(b.clinic_name),
  appliances: (a, b) => a.appliance_count - b.appliance_count,
  pending: (a, b) => a.pending_candidates - b.pending_candidates,
  rules: (a, b) => a.active_rules - b.active_rules,
  executions: (a, b) => a.executions_30d - b.executions_30d,
  synced: (a, b) => (a.last_synced_at ?? "").localeCompare(b.last_synced_at ?? ""),
};
const sorts = Object.keys(orders).flatMap((name) => [name, `-${name}`]);

const columns: Column<Site>[] = [
  {
    id: "site",
    label: "Site",
    sort: "name",
    firstSort: "ascending",
    cell: (s) => (
      <>
        <strong>{s.clinic_name}</strong>
        <span className="cell-sub mono">{s.site_id}</span>
      </>
    ),
  },
  {
    id: "appliances",
    label: "Appliances",
    sort: "appliances",
    numeric: true,
    cell: (s) => formatCount(s.appliance_count),
  },
  { id: "patterns", label: "Patterns", numeric: true, cell: (s) => formatCount(s.pattern_count) },
  {
    id: "pending",
    label: "Pending candidates",
    sort: "pending",
    numeric: true,
    cell: (s) => (
      <Link to={{ tab: "learning", view: "candidates", site: s.site_id }}>
        {formatCount(s.pending_candidates)}
        <span className="visually-hidden"> candidates of {s.clinic_name}</span>
      </Link>
    ),
  },
  {
    id: "rules",
    label: "Active rules",
    sort: "rules",
    numeric: true,
    cell: (s) => (
      <Link to={{ tab: "learning", view: "rules", site: s.site_id }}>
        {formatCount(s.active_rules)}
        <span className="visually-hidden"> rules of {s.clinic_name}</span>
      </Link>
    ),
  },
  {
    id: "executions",
    label: "Executions, 30 days",
    sort: "executions",
    numeric: true,
    cell: (s) => (
      <Link to={{ tab: "activity", view: "executions", site: s.site_id }}>
        {formatCount(s.executions_30d)}
        <span className="visually-hidden"> executions at {s.clinic_name}</span>
      </Link>
    ),
  },
  {
    id: "synced",
    label: "Last synced",
    sort: "synced",
    cell: (s) => <Time value={s.last_synced_at} none="never" />,
  },
];

/** The Sites tab: where the partner's appliances are, and how much waits at each. */
export function PartnerSites() {
  const search = useSearch();
  const q = readText(search, "q");
  const sort = readChoice(search, "sort", sorts);
  const query = useQuery({
    queryKey: sitesKey,
    queryFn: ({ signal }) => listSites(signal),
    refetchInterval: usePollInterval(),
  });
  const matching = (sites: Site[]) => {
    const needle = q.toLocaleLowerCase();
    const found = sites.filter((site) =>
      `${site.clinic_name} ${site.site_id}`.toLocaleLowerCase().includes(needle),
    );
    const order = orders[(sort ?? "name").replace(/^-/, "")] ?? orders["name"];
    found.sort(order);
    return sort?.startsWith("-") ? found.toReversed() : found;
  };

  return (
    <Section id="sites" title="Sites" aside={<Refreshed query={query} />}>
      <div role="search" className="filters">
        <SearchBox
          label="Search"
          value={q}
          placeholder="Clinic or site id"
          onChange={(to) => changeSearch({ q: to }, { replace: true })}
        />
      </div>
      <ListBody
        query={query}
        what="sites"
        skeleton={<SkeletonRows rows={6} tall />}
        empty={(sites) => {
          if (matching(sites).length > 0) return null;
          if (sites.length === 0) {
            return {
              icon: "inbox",
              title: "No sites yet",
              text: "Your operator adds sites; they appear here by themselves.",
            };
          }
          return {
            icon: "search",
            title: "Nothing matches",
            text: "No site has this in its name.",
            action: (
              <button type="button" className="button" onClick={() => changeSearch({ q: null })}>
                Clear the search
              </button>
            ),
          };
        }}
      >
        {(sites) => (
          <Table
            caption="Sites"
            columns={columns}
            rows={matching(sites)}
            rowKey={(s) => s.site_id}
            sort={sort}
            onSort={(to) => changeSearch({ sort: to })}
          />
        )}
      </ListBody>
    </Section>
  );
}
