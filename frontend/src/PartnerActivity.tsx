import { DecisionLog } from "./activity/DecisionLog";
import { ExecutionHistory } from "./executions/ExecutionHistory";
import { readChoice, useSearch } from "./lib/url";
import { Views } from "./ui/Views";

const views = ["log", "executions"] as const;
const words = { log: "Log", executions: "Executions" };

/** The Activity tab: what people did, and what ran at all sites. */
export function PartnerActivity() {
  const view = readChoice(useSearch(), "view", views) ?? "log";
  return (
    <>
      <Views tab="activity" label="Activity" words={words} current={view} />
      {view === "log" ? <DecisionLog /> : <ExecutionHistory />}
    </>
  );
}
