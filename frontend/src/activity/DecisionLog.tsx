import { auditKey, auditSubjects, listAudit, type AuditQuery } from "../api/audit";
import type { AuditEntry } from "../api/types";
import { pageSize, useList } from "../lib/lists";
import { usePages } from "../lib/pages";
import { readChoice, useSearch } from "../lib/url";
import { Select } from "../ui/Field";
import { Icon } from "../ui/icons";
import { Link } from "../ui/Link";
import { Refreshed, Section } from "../ui/ListBody";
import { PagedList } from "../ui/PagedList";
import { Time } from "../ui/Time";
import { changesOf, describe, subjectOf } from "./describe";

const subjectChoices = [
  { value: "decisions", label: "Decisions and rules" },
  { value: "access", label: "People, keys and sign-ins" },
] as const;

/** What people decided and changed, and when they signed in, newest first, as the append-only log has it. */
export function DecisionLog() {
  const search = useSearch();
  const pages = usePages();
  const about = readChoice(search, "about", auditSubjects);
  const query: AuditQuery = { about, limit: pageSize, cursor: pages.cursor };
  const list = useList(auditKey(query), (signal) => listAudit(query, signal));
  return (
    <Section id="log" title="Log" aside={<Refreshed query={list} />}>
      <div role="search" className="filters">
        <Select
          className="filter-lone"
          label="About"
          all="Everything"
          value={about ?? ""}
          choices={subjectChoices}
          onChange={(to) => pages.change({ about: to })}
        />
      </div>
      <PagedList
        query={list}
        pages={pages}
        what="log"
        unit="entries"
        rows={(page) => page.entries}
        expected={8}
        nothing={{
          icon: "inbox",
          title: "Nothing in the log yet",
          text: "Decisions, changes of rules, people and keys, and sign-ins are kept here.",
          action: (
            <Link className="button" to={{ tab: "learning" }}>
              To the candidates
            </Link>
          ),
        }}
        narrowed={
          about !== null && {
            text: "The log has nothing about this yet.",
            clear: () => pages.change({ about: null }),
          }
        }
      >
        {(entries) => (
          <ol className="log">
            {entries.map((entry) => (
              <Entry key={String(entry.id)} entry={entry} />
            ))}
          </ol>
        )}
      </PagedList>
    </Section>
  );
}

function Entry({ entry }: { entry: AuditEntry }) {
  const { icon, tone, words } = describe(entry);
  const changes = changesOf(entry);
  const subject = subjectOf(entry);
  return (
    <li className="log-entry">
      <span className={`log-sign log-${tone}`}>
        <Icon name={icon} />
      </span>
      <div className="log-text">
        <p>
          <strong>{words}</strong>
          {entry.rule_id && (
            <>
              {" "}
              <Link className="mono" to={{ tab: "learning", view: "rules", q: entry.rule_id }}>
                {entry.rule_id}
              </Link>
            </>
          )}
          {!entry.rule_id && entry.pattern_signature && (
            <>
              {" "}
              <Link
                className="mono"
                to={{ tab: "learning", view: "candidates", q: entry.pattern_signature }}
              >
                {entry.pattern_signature}
              </Link>
            </>
          )}
          {subject && <span className="log-subject"> {subject}</span>}
          {(entry.site_name ?? entry.site_id) && <> at {entry.site_name ?? entry.site_id}</>}
        </p>
        <p className="cell-sub">
          {entry.actor ?? entry.actor_kind ?? "somebody"}, <span className="visually-hidden">at </span>
          <Time value={entry.at} />
        </p>
        {entry.reason && <blockquote className="log-reason">{entry.reason}</blockquote>}
        {changes.length > 0 && (
          <details>
            <summary>
              What changed<span className="visually-hidden">: {words}</span>
            </summary>
            <dl className="changes">
              {changes.map(({ name, before, after }) => (
                <div key={name}>
                  <dt className="mono">{name}</dt>
                  <dd>
                    <span className="change-before">{before}</span>
                    <Icon name="right" />
                    <span className="visually-hidden">became</span>
                    <span className="change-after">{after}</span>
                  </dd>
                </div>
              ))}
              {entry.request_id && (
                <div>
                  <dt>Request</dt>
                  <dd className="mono">{entry.request_id}</dd>
                </div>
              )}
            </dl>
          </details>
        )}
      </div>
    </li>
  );
}
