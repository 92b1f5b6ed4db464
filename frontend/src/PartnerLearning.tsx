import { useQuery } from "@tanstack/react-query";
import { getStats, statsKey } from "./api/learning";
import { ExecutionHistory } from "./executions/ExecutionHistory";
import { CandidatesView } from "./learning/CandidatesView";
import { PromotedRules } from "./learning/PromotedRules";
import { StatsCards } from "./learning/StatsCards";
import { formatCount } from "./lib/format";
import { usePollInterval } from "./lib/polling";
import { readChoice, useSearch } from "./lib/url";
import { Views } from "./ui/Views";

const views = ["candidates", "rules", "history"] as const;

const count = (of: number | undefined, meaning: string) => (
  <span className="views-count">
    {of === undefined ? "" : formatCount(of)}
    <span className="visually-hidden"> {meaning}</span>
  </span>
);

/** The Learning tab: the numbers, the queue of candidates, the rules made of them, what ran. */
export function PartnerLearning() {
  const view = readChoice(useSearch(), "view", views) ?? "candidates";
  const interval = usePollInterval();
  const stats = useQuery({
    queryKey: statsKey,
    queryFn: ({ signal }) => getStats(signal),
    refetchInterval: interval,
  });
  const words = {
    candidates: <>Candidates{count(stats.data?.pending_candidates, "pending")}</>,
    rules: (
      <>
        <span className="wide-only">Promoted rules</span>
        <span className="narrow-only">Rules</span>
        {count(stats.data?.active_promoted_rules, "active")}
      </>
    ),
    history: "Executions",
  };

  return (
    <div className="learning">
      <StatsCards query={stats} />
      <div className="learning-main">
        <Views tab="learning" label="Learning" words={words} current={view} />
        {view === "candidates" && <CandidatesView />}
        {view === "rules" && <PromotedRules />}
        {view === "history" && <ExecutionHistory />}
      </div>
    </div>
  );
}
