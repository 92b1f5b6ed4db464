import type { UseQueryResult } from "@tanstack/react-query";
import type { CandidateDetail } from "../api/types";
import { RiskBadge, riskMeaning } from "../ui/Badge";
import { Notice } from "../ui/Notice";
import { Yaml } from "../ui/Yaml";

/** Why this cannot be approved as things are, as a sentence; null when it can. */
export function refusalOf(detail: CandidateDetail, checkType: string | null): string | null {
  if (detail.candidate.risk_tier === "R3") {
    const why = "Risk R3: this runbook is too dangerous to run without a person. It cannot be approved.";
    return detail.proposal_problem ?? why;
  }
  if (detail.check_type_choices?.length && !checkType && !detail.proposed_rule) {
    return "Choose a check type to see the rule.";
  }
  if (!detail.proposed_rule) {
    return detail.proposal_problem ?? "No rule can be made from this pattern.";
  }
  return null;
}

interface Props {
  query: UseQueryResult<CandidateDetail>;
  refusal: string | null;
  before?: string | null;
  updating?: boolean;
}

/** The very rule that approving now would create. */
export function Proposal({ query, refusal, before = null, updating = false }: Props) {
  const { data, error, refetch } = query;
  if (!data) {
    return (
      <div className="proposal" aria-busy={!error}>
        {error ? (
          <Notice
            tone="bad"
            announce
            action={
              <button type="button" className="button button-small" onClick={() => void refetch()}>
                Try again
              </button>
            }
          >
            The rule could not be shown: {error.message}
          </Notice>
        ) : (
          <div className="skeleton proposal-skeleton" aria-hidden="true" />
        )}
      </div>
    );
  }
  const risk = data.candidate.risk_tier;
  return (
    <div className="proposal">
      {refusal && <Notice tone={risk === "R3" ? "bad" : "warn"}>{refusal}</Notice>}
      {data.rule_yaml && (
        <Yaml
          label={updating ? "Rule it will create (updating …)" : "Rule it will create"}
          text={data.rule_yaml}
          before={before}
        />
      )}
      {risk && (
        <p className="proposal-risk">
          <RiskBadge tier={risk} /> {riskMeaning(risk)}
        </p>
      )}
    </div>
  );
}
