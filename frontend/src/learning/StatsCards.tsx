import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { Stats } from "../api/types";
import { formatCount, formatRate } from "../lib/format";
import { LevelBar } from "../ui/LevelBar";
import { Notice } from "../ui/Notice";

export function StatsCards({ query }: { query: UseQueryResult<Stats> }) {
  const { data, error, isFetching, refetch } = query;
  const failed = Boolean(error);
  const retry = (
    <button type="button" className="button button-small" onClick={() => void refetch()}>
      Try again
    </button>
  );
  return (
    <section className="stats" aria-label="Figures" aria-busy={!data && !error}>
      {error && !(isFetching && !data) && (
        <div className="stats-problem">
          <Notice tone={data ? "warn" : "bad"} action={retry} announce>
            The figures could not be {data ? "refreshed" : "loaded"}: {error.message}
          </Notice>
        </div>
      )}
      <dl className="cards">
        <Card name="Pending candidates" note="wait for a decision" failed={failed}>
          {data && formatCount(data.pending_candidates)}
        </Card>
        <Card name="Active promoted rules" note="run on appliances" failed={failed}>
          {data && formatCount(data.active_promoted_rules)}
        </Card>
        <Card name="Executions" note="in the last 30 days" failed={failed}>
          {data && formatCount(data.total_executions_30d)}
        </Card>
        <Card name="Average success" note="of eligible patterns" failed={failed}>
          {data && formatRate(data.avg_success_rate)}
        </Card>
        <div className="card card-wide">
          <dt>How incidents are resolved</dt>
          <dd>
            {data ? (
              <LevelBar
                shares={[
                  data.l1_resolution_rate,
                  data.l2_resolution_rate,
                  data.l3_escalation_rate,
                ]}
                values={[
                  formatRate(data.l1_resolution_rate),
                  formatRate(data.l2_resolution_rate),
                  formatRate(data.l3_escalation_rate),
                ]}
              />
            ) : (
              <Waiting failed={failed} />
            )}
          </dd>
        </div>
      </dl>
    </section>
  );
}

interface CardProps {
  name: string;
  note: string;
  failed: boolean;
  children: ReactNode;
}

function Card({ name, note, failed, children }: CardProps) {
  return (
    <div className="card">
      <dt>{name}</dt>
      <dd>
        <span className="card-value">{children ?? <Waiting failed={failed} />}</span>
        <span className="card-note">{note}</span>
      </dd>
    </div>
  );
}

function Waiting({ failed }: { failed: boolean }) {
  if (failed) return <span className="muted">–</span>;
  return <span className="skeleton" aria-hidden="true" />;
}
