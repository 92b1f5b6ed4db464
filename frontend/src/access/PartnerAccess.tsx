import { readChoice, useSearch } from "../lib/url";
import { Views } from "../ui/Views";
import { KeysView } from "./KeysView";
import { PeopleView } from "./PeopleView";

const views = ["people", "keys"] as const;
const words = { people: "People", keys: "API keys" };

/** The Access tab, for admins: who may sign in, and which keys programs have. */
export default function PartnerAccess() {
  const view = readChoice(useSearch(), "view", views) ?? "people";
  return (
    <>
      <Views tab="access" label="Access" words={words} current={view} />
      {view === "people" ? <PeopleView /> : <KeysView />}
    </>
  );
}
