import { applianceStates } from "../api/appliances";
import { useSiteChoices } from "../lib/lists";
import { usePages } from "../lib/pages";
import { readChoice, readSiteId, readText, useSearch } from "../lib/url";
import { Select } from "../ui/Field";
import { Refreshed, Section } from "../ui/ListBody";
import { SearchBox } from "../ui/SearchBox";
import { stateWords } from "./appliance";
import { ApplianceList, useAppliances } from "./ApplianceList";

const stateChoices = applianceStates.map((value) => ({ value, label: stateWords[value] }));

/** All appliances of the partner: for finding the ones that need somebody. */
export function AppliancesView() {
  const search = useSearch();
  const pages = usePages();
  const filter = {
    site_id: readSiteId(search),
    state: readChoice(search, "state", applianceStates),
    q: readText(search, "q"),
  };
  const list = useAppliances(filter, pages.cursor);
  const sites = useSiteChoices(filter.site_id);
  return (
    <Section id="appliances" title="Appliances" aside={<Refreshed query={list} />}>
      <div role="search" className="filters">
        <SearchBox
          label="Search"
          value={filter.q}
          placeholder="Appliance or site"
          onChange={(q) => pages.change({ q }, { replace: true })}
        />
        <Select
          label="State"
          all="Every state"
          value={filter.state ?? ""}
          choices={stateChoices}
          onChange={(state) => pages.change({ state })}
        />
        <Select
          label="Site"
          all="All sites"
          value={filter.site_id ?? ""}
          choices={sites}
          onChange={(site) => pages.change({ site })}
        />
      </div>
      <ApplianceList
        list={list}
        pages={pages}
        expected={8}
        withSite
        narrowed={
          Boolean(filter.q || filter.state || filter.site_id) && {
            text: "No appliance fits this search and these filters.",
            clear: () => pages.change({ q: null, state: null, site: null }),
          }
        }
      />
    </Section>
  );
}
