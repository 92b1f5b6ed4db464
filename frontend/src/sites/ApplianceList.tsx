import { appliancesKey, listAppliances, type ApplianceState } from "../api/appliances";
import type { Appliance } from "../api/types";
import { plural } from "../lib/format";
import { pageSize, useList } from "../lib/lists";
import type { Pages } from "../lib/pages";
import { Badge } from "../ui/Badge";
import { Link } from "../ui/Link";
import { PagedList } from "../ui/PagedList";
import { Time } from "../ui/Time";
import { keepsWithdrawn, marksOf, ruleCounts, toneOf } from "./appliance";
import { LastSeen } from "./LastSeen";

interface Filter {
  site_id: string | null;
  state: ApplianceState | null;
  q: string;
}

/** The list of appliances that fit a filter; it refreshes by itself. */
export function useAppliances(filter: Filter, cursor: string | null) {
  const query = { ...filter, limit: pageSize, cursor };
  return useList(appliancesKey(query), (signal) => listAppliances(query, signal));
}

interface Props {
  list: ReturnType<typeof useAppliances>;
  pages: Pages;
  expected: number;
  /** Appliances of several sites: each says whose it is. */
  withSite?: boolean;
  narrowed?: false | { text: string; clear: () => void };
}

export function ApplianceList({ list, pages, expected, withSite = false, narrowed = false }: Props) {
  return (
    <PagedList
      query={list}
      pages={pages}
      what="appliances"
      rows={(page) => page.appliances}
      expected={expected}
      nothing={{
        icon: "inbox",
        title: "No appliances yet",
        text: "Your operator adds appliances; they appear here by themselves.",
      }}
      narrowed={narrowed}
    >
      {(appliances) => (
        <ul className="boxes">
          {appliances.map((one) => (
            <li key={one.appliance_id} className={`box box-${toneOf(one)}`}>
              <ApplianceBox one={one} withSite={withSite} />
            </li>
          ))}
        </ul>
      )}
    </PagedList>
  );
}

function ApplianceBox({ one, withSite }: { one: Appliance; withSite: boolean }) {
  return (
    <>
      <p className="box-head">
        <strong className="mono">{one.appliance_id}</strong>
        <span className="badges">
          {marksOf(one).map(({ tone, icon, words }) => (
            <Badge key={words} tone={tone} icon={icon}>
              {words}
            </Badge>
          ))}
        </span>
      </p>
      {withSite && (
        <p>
          <Link to={{ tab: "sites", site: one.site_id }}>{one.site_name}</Link>
        </p>
      )}
      <Troubles one={one} />
      <p className="box-facts cell-sub">
        <LastSeen of={one} marked />
        <span>Rules: {ruleCounts(one)}</span>
        {agentOf(one) && <span>{agentOf(one)}</span>}
      </p>
    </>
  );
}

function agentOf(one: Appliance): string | null {
  if (one.agent !== null || one.acknowledged_revision !== null) return one.agent;
  return one.last_seen_at === null ? null : "Old agent: it confirms nothing and withdraws nothing";
}

/** Why it is marked, in the appliance's own words. */
function Troubles({ one }: { one: Appliance }) {
  const { last_error: error, engine_errors: files, dropped_executions: dropped } = one;
  const keeps = keepsWithdrawn(one);
  if (error === null && files.length === 0 && dropped === 0 && one.rules_failed === 0 && !keeps) return null;
  return (
    <ul className="box-troubles">
      {error !== null && (
        <li className="box-error">
          Refused the server’s rules, the old ones stay in force: {error}{" "}
          {one.last_error_at && (
            <span className="muted">
              (<Time value={one.last_error_at} />)
            </span>
          )}
        </li>
      )}
      {one.rules_failed > 0 && (
        <li className="box-error">
          {plural(one.rules_failed, "rule")} could not be installed.{" "}
          <Link to={{ tab: "learning", view: "rules", site: one.site_id }}>
            Rules of {one.site_name}
          </Link>
        </li>
      )}
      {files.map(({ file, error: why }, index) => (
        <li key={index} className="box-error">
          <span className="mono">{file}</span>: {why}
        </li>
      ))}
      {keeps && (
        <li>
          {plural(one.rules_to_withdraw, "withdrawn rule")} may still run here. Update the agent, or
          remove the file from the appliance.
        </li>
      )}
      {dropped > 0 && (
        <li>
          {plural(dropped, "execution report")} lost: its queue was full, or they were too old.
        </li>
      )}
    </ul>
  );
}
