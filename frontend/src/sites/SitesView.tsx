import { useQuery } from "@tanstack/react-query";
import { listSites, sitesKey } from "../api/sites";
import type { Site } from "../api/types";
import { formatCount, plural } from "../lib/format";
import { usePollInterval } from "../lib/polling";
import { changeSearch, readChoice, readSiteId, readText, useSearch } from "../lib/url";
import { Link } from "../ui/Link";
import { ListBody, Refreshed, Section } from "../ui/ListBody";
import { Notice } from "../ui/Notice";
import { SearchBox } from "../ui/SearchBox";
import { SkeletonRows, Table, type Column } from "../ui/Table";
import { Time } from "../ui/Time";
import { SiteMarks } from "./SiteMarks";
import { SitePanel } from "./SitePanel";

type Order = (a: Site, b: Site) => number;
const trouble = (s: Site) => s.silent_appliances * 1000 + s.failing_appliances;
const orders: Record<string, Order> = {
  name: (a, b) => a.clinic_name.localeCompare(b.clinic_name),
  trouble: (a, b) => trouble(a) - trouble(b) || a.appliance_count - b.appliance_count,
  pending: (a, b) => a.pending_candidates - b.pending_candidates,
  rules: (a, b) => a.active_rules - b.active_rules,
  executions: (a, b) => a.executions_30d - b.executions_30d,
  seen: (a, b) => (a.last_seen_at ?? "").localeCompare(b.last_seen_at ?? ""),
};
const sorts = Object.keys(orders).flatMap((name) => [name, `-${name}`]);

const columns: Column<Site>[] = [
  {
    id: "clinic",
    label: "Site",
    sort: "name",
    firstSort: "ascending",
    cell: (s) => (
      <>
        <button
          type="button"
          className="link-button"
          onClick={() => changeSearch({ site: s.site_id })}
        >
          <span className="visually-hidden">Appliances of </span>
          {s.clinic_name}
        </button>
        <span className="cell-sub mono">{s.site_id}</span>
      </>
    ),
  },
  {
    id: "appliances",
    label: "Appliances",
    sort: "trouble",
    cell: (s) => (
      <span className="badges">
        <span className="appliance-count">{formatCount(s.appliance_count)}</span>
        <SiteMarks site={s} />
      </span>
    ),
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
    id: "seen",
    label: "Last seen",
    sort: "seen",
    cell: (s) => <Time value={s.last_seen_at} none="never" />,
  },
];

/** A silent appliance heals nothing and learns of nothing: its site stands out, all the more when it is the last one. */
function rowClass(site: Site): string {
  const { appliance_count: all, silent_appliances: silent, failing_appliances: failing } = site;
  if (failing > 0 || (silent > 0 && silent >= all)) return "row-bad";
  return silent > 0 ? "row-warn" : "";
}

/** Where the partner's appliances are, how they are, and how much waits at each site. */
export function SitesView() {
  const search = useSearch();
  const q = readText(search, "q");
  const sort = readChoice(search, "sort", sorts);
  const openId = readSiteId(search);
  const query = useQuery({
    queryKey: sitesKey,
    queryFn: ({ signal }) => listSites(signal),
    refetchInterval: usePollInterval(),
  });
  const open = query.data?.find((site) => site.site_id === openId);
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
          <>
            <SilentNotice sites={sites} />
            <Table
              caption="Sites"
              columns={columns}
              rows={matching(sites)}
              rowKey={(s) => s.site_id}
              rowClass={rowClass}
              sort={sort}
              onSort={(to) => changeSearch({ sort: to })}
            />
          </>
        )}
      </ListBody>
      {open && (
        <SitePanel
          key={open.site_id}
          site={open}
          onClose={() => changeSearch({ site: null, cursor: null })}
        />
      )}
    </Section>
  );
}

/** Above the table, so that it is seen on a phone, too, where the sites are a long stack of cards. */
function SilentNotice({ sites }: { sites: readonly Site[] }) {
  const silent = sites.reduce((sum, site) => sum + site.silent_appliances, 0);
  if (silent === 0) return null;
  const names = sites.filter((site) => site.silent_appliances > 0).map((s) => s.clinic_name);
  return (
    <Notice
      tone="warn"
      action={
        <Link
          className="button button-small"
          to={{ tab: "sites", view: "appliances", state: "silent" }}
        >
          Show {silent === 1 ? "it" : "them"}
        </Link>
      }
    >
      {plural(silent, "appliance")} at {names.length > 2 ? `${names.length} sites` : names.join(" and ")}{" "}
      {silent === 1 ? "has" : "have"} not been heard from for more than an hour.
    </Notice>
  );
}
