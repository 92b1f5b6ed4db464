import { readChoice, useSearch } from "./lib/url";
import { AppliancesView } from "./sites/AppliancesView";
import { SitesView } from "./sites/SitesView";
import { Views } from "./ui/Views";

const views = ["sites", "appliances"] as const;
const words = { sites: "Sites", appliances: "Appliances" };

/** The Sites tab: where the partner's appliances are, and how each of them is doing. */
export function PartnerSites() {
  const view = readChoice(useSearch(), "view", views) ?? "sites";
  return (
    <>
      <Views tab="sites" label="Sites" words={words} current={view} />
      {view === "sites" ? <SitesView /> : <AppliancesView />}
    </>
  );
}
