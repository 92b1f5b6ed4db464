import { DecisionLog } from "./activity/DecisionLog";
import { ExecutionHistory } from "./executions/ExecutionHistory";
import { readChoice, useSearch } from "./lib/url";
import { Link } from "./ui/Link";

const views = ["log", "executions"] as const;
const words = { log: "Log", executions: "Executions" };

/** The Activity tab: what people did, and what ran at all sites. */
export function PartnerActivity() {
  const view = readChoice(useSearch(), "view", views) ?? "log";
  return (
    <>
      <nav className="views" aria-label="Activity">
        {views.map((name) => (
          <Link
            key={name}
            to={{ tab: "activity", view: name }}
            aria-current={name === view ? "true" : undefined}
          >
            {words[name]}
          </Link>
        ))}
      </nav>
      {view === "log" ? <DecisionLog /> : <ExecutionHistory />}
    </>
  );
}
