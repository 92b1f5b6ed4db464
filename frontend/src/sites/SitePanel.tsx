import type { Site } from "../api/types";
import { plural } from "../lib/format";
import { usePages } from "../lib/pages";
import { Dialog } from "../ui/Dialog";
import { Link } from "../ui/Link";
import { Refreshed } from "../ui/ListBody";
import { ApplianceList, useAppliances } from "./ApplianceList";
import { SiteMarks } from "./SiteMarks";

/** One site from close: its appliances, what they have and what troubles them. */
export function SitePanel({ site, onClose }: { site: Site; onClose: () => void }) {
  const pages = usePages();
  const list = useAppliances({ site_id: site.site_id, state: null, q: "" }, pages.cursor);
  return (
    <Dialog title={site.clinic_name} kind="panel" onClose={onClose}>
      <p className="detail-lead">
        <span className="mono">{site.site_id}</span> <SiteMarks site={site} />
      </p>
      <ul className="box-facts">
        <li>
          <Link to={{ tab: "learning", view: "rules", site: site.site_id }}>
            {plural(site.active_rules, "active rule")}
          </Link>
        </li>
        <li>
          <Link to={{ tab: "learning", view: "candidates", site: site.site_id }}>
            {plural(site.pending_candidates, "pending candidate")}
          </Link>
        </li>
        <li>
          <Link to={{ tab: "activity", view: "executions", site: site.site_id }}>
            {plural(site.executions_30d, "execution")} in 30 days
          </Link>
        </li>
      </ul>
      <section aria-labelledby="site-appliances">
        <div className="panel-head">
          <h3 id="site-appliances">Appliances</h3>
          <Refreshed query={list} />
        </div>
        <ApplianceList list={list} pages={pages} expected={Math.min(site.appliance_count, 4)} />
      </section>
    </Dialog>
  );
}
