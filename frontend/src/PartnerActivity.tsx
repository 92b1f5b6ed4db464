import { DecisionLog } from "./activity/DecisionLog";
import { ExecutionHistory } from "./executions/ExecutionHistory";
import { readChoice, useSearch } from "./lib/url";
import { Link } from "./ui/Link";

const views = ["decisions", "executions"] as const;
const words = { decisions: "Decisions", executions: "Executions" };

/** The Activity tab: what people decided, and what ran at all sites. */
export function PartnerActivity() {
  const view = readChoice(useSearch(), "view", views) ?? "decisions";
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
      {view === "decisions" ? <DecisionLog /> : <ExecutionHistory />}
    </>
  );
}
