import { useQuery } from "@tanstack/react-query";
import { getStats, statsKey } from "./api/learning";
import { ExecutionHistory } from "./executions/ExecutionHistory";
import { CandidatesView } from "./learning/CandidatesView";
import { PromotedRules } from "./learning/PromotedRules";
import { StatsCards } from "./learning/StatsCards";
import { formatCount } from "./lib/format";
import { usePollInterval } from "./lib/polling";
import { readChoice, useSearch } from "./lib/url";
import { Link } from "./ui/Link";

const views = ["candidates", "rules", "history"] as const;

/** The Learning tab: the numbers, the queue of candidates, the rules made of them, what ran. */
export function PartnerLearning() {
  const view = readChoice(useSearch(), "view", views) ?? "candidates";
  const interval = usePollInterval();
  const stats = useQuery({
    queryKey: statsKey,
    queryFn: ({ signal }) => getStats(signal),
    refetchInterval: interval,
  });
  const counts = {
    candidates: stats.data?.pending_candidates,
    rules: stats.data?.active_promoted_rules,
  };
  const words = {
    candidates: "Candidates",
    rules: (
      <>
        <span className="wide-only">Promoted rules</span>
        <span className="narrow-only">Rules</span>
      </>
    ),
    history: "Executions",
  };

  return (
    <div className="learning">
      <StatsCards query={stats} />
      <div className="learning-main">
        <nav className="views" aria-label="Learning">
          {views.map((name) => (
            <Link
              key={name}
              to={{ tab: "learning", view: name }}
              aria-current={name === view ? "true" : undefined}
            >
              {words[name]}
              {name !== "history" && (
                <span className="views-count">
                  {counts[name] === undefined ? "" : formatCount(counts[name])}
                  <span className="visually-hidden">
                    {name === "candidates" ? " pending" : " active"}
                  </span>
                </span>
              )}
            </Link>
          ))}
        </nav>
        {view === "candidates" && <CandidatesView />}
        {view === "rules" && <PromotedRules />}
        {view === "history" && <ExecutionHistory />}
      </div>
    </div>
  );
}
