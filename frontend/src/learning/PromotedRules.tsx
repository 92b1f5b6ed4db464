import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { learningKey } from "../api/learning";
import {
  deployRule,
  listRules,
  rulesKey,
  ruleSorts,
  setRuleStatus,
  type RuleQuery,
  type RuleSort,
} from "../api/rules";
import type { Id, PromotedRule, RuleStatus } from "../api/types";
import { plural } from "../lib/format";
import { newKey } from "../lib/idempotency";
import { pageSize, useList, useSiteChoices } from "../lib/lists";
import { usePages } from "../lib/pages";
import { readChoice, readSiteId, readText, useSearch } from "../lib/url";
import { useCanDecide } from "../session/context";
import { ruleWords } from "../ui/Badge";
import { Select } from "../ui/Field";
import { Link } from "../ui/Link";
import { Refreshed, Section } from "../ui/ListBody";
import { PagedList } from "../ui/PagedList";
import { SearchBox } from "../ui/SearchBox";
import { useToast } from "../ui/Toasts";
import { ArchiveDialog } from "./ArchiveDialog";
import { RulePanel } from "./RulePanel";
import { RulesTable } from "./RulesTable";

const statuses: readonly RuleStatus[] = ["active", "disabled", "archived"];
const statusChoices = statuses.map((value) => ({ value, label: ruleWords[value] }));
const sortChoices: readonly { value: RuleSort; label: string }[] = [
  { value: "promoted_at", label: "Oldest first" },
  { value: "rule_id", label: "Rule id, A to Z" },
  { value: "-rule_id", label: "Rule id, Z to A" },
];

/** The rules that approvals made, whether they run, and where they have arrived. */
export function PromotedRules() {
  const search = useSearch();
  const pages = usePages();
  const canDecide = useCanDecide();
  const [archiving, setArchiving] = useState<PromotedRule | null>(null);
  const [shown, setShown] = useState<Id | null>(null);
  const query: RuleQuery = {
    status: readChoice(search, "status", statuses),
    site_id: readSiteId(search),
    q: readText(search, "q"),
    sort: readChoice(search, "sort", ruleSorts),
    limit: pageSize,
    cursor: pages.cursor,
  };
  const list = useList(rulesKey(query), (signal) => listRules(query, signal));
  const sites = useSiteChoices(query.site_id);
  const status = useStatusChange();
  const deploy = useDeploy();

  const shownRule = list.data?.rules.find((rule) => rule.id === shown);

  return (
    <Section id="rules" title="Promoted rules" aside={<Refreshed query={list} />}>
      <div role="search" className="filters">
        <SearchBox
          label="Search"
          value={query.q}
          placeholder="Rule, name, pattern or site"
          onChange={(q) => pages.change({ q }, { replace: true })}
        />
        <Select
          label="Status"
          all="Every status"
          value={query.status ?? ""}
          choices={statusChoices}
          onChange={(to) => pages.change({ status: to })}
        />
        <Select
          label="Site"
          all="All sites"
          value={query.site_id ?? ""}
          choices={sites}
          onChange={(site) => pages.change({ site })}
        />
        <Select
          label="Order"
          all="Newest first"
          value={query.sort === "-promoted_at" ? "" : (query.sort ?? "")}
          choices={sortChoices}
          onChange={(sort) => pages.change({ sort })}
        />
      </div>
      <PagedList
        query={list}
        pages={pages}
        what="rules"
        rows={(page) => page.rules}
        expected={10}
        nothing={{
          icon: "inbox",
          title: "No rules yet",
          text: "A rule appears here as soon as a candidate is approved.",
          action: (
            <Link className="button" to={{ tab: "learning" }}>
              To the candidates
            </Link>
          ),
        }}
        narrowed={
          Boolean(query.q || query.status || query.site_id) && {
            text: "No rule fits this search and these filters.",
            clear: () => pages.change({ q: null, status: null, site: null }),
          }
        }
      >
        {(rules) => (
          <RulesTable
            rules={rules.map((rule) => ({ ...rule, status: status.shown(rule) }))}
            canDecide={canDecide}
            sort={query.sort}
            onSort={(sort) => pages.change({ sort })}
            isBusy={(rule) => status.isBusy(rule) || deploy.isBusy(rule)}
            onShow={(rule) => setShown(rule.id)}
            onSwitch={(rule, on) => status.change(rule, on ? "active" : "disabled")}
            onDeploy={deploy.start}
            onArchive={setArchiving}
          />
        )}
      </PagedList>
      {shownRule && <RulePanel rule={shownRule} onClose={() => setShown(null)} />}
      {archiving && <ArchiveDialog rule={archiving} onClose={() => setArchiving(null)} />}
    </Section>
  );
}

/** A status that was asked for: laid over the list until the list knows it, busy only until the answer is there. */
interface Asked {
  to: RuleStatus;
  answered: boolean;
}

/**
 * Enabling and disabling, shown before the server has answered. What is kept is only the one status
 * that was asked for last, laid over whatever the list says: taking it away undoes this change and no other.
 */
function useStatusChange() {
  const client = useQueryClient();
  const toast = useToast();
  const [asked, setAsked] = useState<ReadonlyMap<string, Asked>>(new Map());
  const ask = (rule: PromotedRule, one: Asked) =>
    setAsked((all) => new Map(all).set(String(rule.id), one));
  // Whoever asked for something else meanwhile keeps it.
  const forget = (rule: PromotedRule, to: RuleStatus) =>
    setAsked((all) =>
      all.get(String(rule.id))?.to === to
        ? new Map([...all].filter(([id]) => id !== String(rule.id)))
        : all,
    );

  const work = useMutation({
    mutationFn: ({ rule, to }: { rule: PromotedRule; to: RuleStatus }) =>
      setRuleStatus(rule.id, to, newKey()),
    onMutate: async ({ rule, to }) => {
      ask(rule, { to, answered: false });
      await client.cancelQueries({ queryKey: [...learningKey, "rules"] });
    },
    onSuccess: async ({ new_status }, { rule, to }) => {
      ask(rule, { to, answered: true });
      toast({
        tone: "good",
        text: `Rule ${rule.rule_id} is ${new_status === "active" ? "enabled" : "disabled"}.`,
      });
      await client.invalidateQueries({ queryKey: learningKey });
    },
    onError: (error, { rule, to }) => {
      toast({
        tone: "bad",
        text: `Rule ${rule.rule_id} could not be ${to === "active" ? "enabled" : "disabled"}: ${error.message}`,
      });
    },
    onSettled: (_answer, _error, { rule, to }) => forget(rule, to),
  });

  return {
    shown: (rule: PromotedRule): RuleStatus => asked.get(String(rule.id))?.to ?? rule.status,
    isBusy: (rule: PromotedRule): boolean => asked.get(String(rule.id))?.answered === false,
    change: (rule: PromotedRule, to: RuleStatus) => work.mutate({ rule, to }),
  };
}

/** Sending a rule that was held back. */
function useDeploy() {
  const client = useQueryClient();
  const toast = useToast();
  const [busy, setBusy] = useState<ReadonlySet<string>>(new Set());
  const work = useMutation({
    mutationFn: (rule: PromotedRule) => deployRule(rule.id, newKey()),
    onMutate: (rule) => setBusy((all) => new Set(all).add(String(rule.id))),
    onSuccess: async (answer, rule) => {
      const sent = answer.deployed_to ?? 0;
      toast({
        tone: sent > 0 ? "good" : "info",
        text:
          sent > 0
            ? `Rule ${rule.rule_id} is queued for ${plural(sent, "appliance")} of ${rule.site_name}.`
            : (answer.message ?? `Rule ${rule.rule_id} is not queued for any appliance.`),
      });
      await client.invalidateQueries({ queryKey: learningKey });
    },
    onError: (error, rule) => {
      toast({ tone: "bad", text: `Rule ${rule.rule_id} could not be sent: ${error.message}` });
    },
    onSettled: (_answer, _error, rule) =>
      setBusy((all) => new Set([...all].filter((id) => id !== String(rule.id)))),
  });
  return {
    isBusy: (rule: PromotedRule): boolean => busy.has(String(rule.id)),
    start: (rule: PromotedRule) => work.mutate(rule),
  };
}
