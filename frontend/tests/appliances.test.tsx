import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { App, newQueryClient } from "../src/App";
import type { RuleDeployment } from "../src/api/types";
import { inOrder, lookOf } from "../src/learning/deployment";
import { marksOf, ruleCounts } from "../src/sites/appliance";
import {
  appliance,
  appliances,
  deployment,
  deployments,
  learning,
  problem,
  rule,
  signedIn,
  site,
} from "./server";

function open(address: string) {
  window.history.replaceState(null, "", address);
  render(<App client={newQueryClient()} />);
  return userEvent.setup();
}

const wanted = { status: "active", held: false } as const;
const withdrawn = { status: "disabled", held: false } as const;
const nothing = {
  rule_version: null,
  deployment_status: null,
  deployed_at: null,
  delivered_at: null,
  acknowledged_at: null,
  agent: "unknown",
} as const satisfies Partial<RuleDeployment>;

const looks: [string, Parameters<typeof lookOf>[0], Partial<RuleDeployment>, string, string][] = [
  ["queued", wanted, { deployment_status: "pending" }, "info", "Waiting"],
  ["queued, then withdrawn", withdrawn, { deployment_status: "pending" }, "neutral", "Withdrawn before it was fetched"],
  ["fetched", wanted, { deployment_status: "delivered" }, "info", "Sent, not confirmed yet"],
  ["fetched, then withdrawn", withdrawn, { deployment_status: "delivered" }, "warn", "Being withdrawn"],
  ["fetched by an old agent", wanted, { deployment_status: "delivered", agent: "old" }, "info", "Sent; this agent does not confirm"],
  ["fetched by an old agent, then withdrawn", withdrawn, { deployment_status: "delivered", agent: "old" }, "warn", "Sent; cannot be withdrawn (old agent)"],
  ["confirmed", wanted, {}, "good", "Installed"],
  ["confirmed, then withdrawn", withdrawn, {}, "warn", "Still installed, being withdrawn"],
  ["proven by an execution", wanted, { agent: "old", proven_at: "2026-11-20T11:00:00Z" }, "warn", "Installed, cannot be withdrawn (old agent)"],
  ["failed", wanted, { deployment_status: "failed", error: "no room" }, "bad", "Failed"],
  ["failed, then withdrawn", withdrawn, { deployment_status: "failed" }, "neutral", "Failed, and withdrawn"],
  ["removed", withdrawn, { deployment_status: "removed" }, "neutral", "Removed"],
  ["never sent", wanted, nothing, "info", "Not sent yet"],
  ["never sent, held back", { status: "active", held: true }, nothing, "neutral", "Held back"],
  ["never sent, disabled", withdrawn, nothing, "neutral", "Never sent"],
  ["at a revoked appliance", wanted, { appliance_status: "revoked" }, "neutral", "Appliance revoked"],
];
for (const [what, of, part, tone, reads] of looks) {
  test(`a rule that is ${what} reads "${reads}"`, () => {
    expect(lookOf(of, deployment("box-1", part))).toMatchObject({ tone, words: reads });
  });
}

test("an old agent's proof is dated by the execution, a confirmation by the appliance", () => {
  const proven = deployment("box-1", { agent: "old", proven_at: "2026-11-20T11:00:00Z" });
  expect(lookOf(wanted, proven).since?.at).toBe("2026-11-20T11:00:00Z");
  expect(lookOf(wanted, deployment("box-1")).since?.at).toBe("2026-11-20T10:02:00Z");
});

test("what needs somebody comes first; revoked appliances that never had the rule are left out", () => {
  const ordered = inOrder(
    deployments([
      deployment("a"),
      deployment("b", { deployment_status: "pending" }),
      deployment("c", { ...nothing, appliance_status: "revoked" }),
      deployment("d", { deployment_status: "failed" }),
      deployment("e", { agent: "old", proven_at: "2026-11-20T11:00:00Z" }),
      deployment("f", { deployment_status: "failed" }),
    ]),
  );
  expect(ordered.map(({ one }) => one.appliance_id)).toEqual(["d", "f", "e", "b", "a"]);
});

const words = (part: Parameters<typeof appliance>[1]) =>
  marksOf(appliance("box-1", part)).map((mark) => mark.words);

test("an appliance is marked by what troubles it, the worst first", () => {
  expect(words({})).toEqual(["Up to date"]);
  expect(words({ revisions_behind: 1 })).toEqual(["1 change behind"]);
  expect(words({ revisions_behind: 1_000_000 })).toEqual(["Far behind"]);
  expect(words({ silent: true })).toEqual(["Silent"]);
  expect(words({ silent: true, failing: true, revisions_behind: 3 })).toEqual([
    "Errors",
    "Silent",
    "3 changes behind",
  ]);
  const old = { acknowledged_revision: null, revisions_behind: null, agent: null };
  expect(words(old)).toEqual(["Does not confirm"]);
  expect(words({ ...old, silent: true })).toEqual(["Silent"]);
  expect(words({ ...old, rules_to_withdraw: 1 })).toEqual(["Keeps withdrawn rules"]);
  expect(words({ status: "revoked", revisions_behind: 9 })).toEqual(["Revoked"]);
});

test("of an appliance's rules only what there is is counted", () => {
  expect(ruleCounts(appliance("box-1"))).toBe("2 installed");
  expect(ruleCounts(appliance("box-1", { rules_applied: 0 }))).toBe("none");
  expect(
    ruleCounts(appliance("box-1", { rules_pending: 1, rules_failed: 3, rules_to_withdraw: 1 })),
  ).toBe("2 installed, 1 waiting, 3 failed, 1 to be withdrawn");
});

test("a site with silent appliances says so, in its row and above the list, and leads to them", async () => {
  const server = signedIn().on("GET /api/partners/me/sites", {
    body: { sites: [site, { ...site, site_id: "quiet", clinic_name: "Quiet Clinic", silent_appliances: 2 }] },
  });
  const user = open("/?tab=sites");
  const row = await screen.findByRole("row", { name: /Quiet Clinic/ });
  expect(row.textContent).toContain("All silent");
  expect(screen.getByRole("row", { name: /North Valley Dental/ }).textContent).not.toContain("silent");
  expect(screen.getByText(/2 appliances at Quiet Clinic have not been heard from/)).toBeTruthy();
  await user.click(screen.getByRole("link", { name: "Show them" }));
  await waitFor(() =>
    expect(server.calls(`GET ${appliances}`).at(-1)?.query.get("state")).toBe("silent"),
  );
});

test("opening a site shows its appliances, with what troubles them in their own words; closing it forgets the address", async () => {
  const server = signedIn().on(`GET ${appliances}`, {
    body: {
      appliances: [
        appliance("box-1"),
        appliance("box-2", {
          failing: true,
          last_error: "signed by no key that is known here",
          last_error_at: "2026-11-20T10:00:00Z",
          engine_errors: [{ file: "own.yaml", error: "no conditions" }],
          rules_failed: 1,
          dropped_executions: 1,
        }),
        appliance("box-3", { silent: true, last_seen_at: null }),
      ],
      total: 3,
      next_cursor: null,
    },
  });
  const user = open("/?tab=sites");
  await user.click(await screen.findByRole("button", { name: /North Valley Dental/ }));
  const panel = await screen.findByRole("dialog", { name: "North Valley Dental" });
  const box = async (name: string) => (await within(panel).findByText(name)).closest("li")!;
  expect((await box("box-1")).textContent).toContain("Up to date");
  const bad = (await box("box-2")).textContent;
  expect(bad).toContain("the old ones stay in force: signed by no key that is known here");
  expect(bad).toContain("own.yaml: no conditions");
  expect(bad).toContain("1 rule could not be installed");
  expect(bad).toContain("1 execution report lost");
  expect((await box("box-3")).textContent).toContain("Last seen never");
  expect(server.calls(`GET ${appliances}`)[0]?.query.get("site_id")).toBe(site.site_id);
  expect(window.location.search).toContain(`site=${site.site_id}`);
  await user.click(within(panel).getByRole("button", { name: "Close" }));
  expect(screen.queryByRole("dialog")).toBeNull();
  expect(window.location.search).not.toContain("site=");
});

test("an address that names no site of the partner opens nothing", async () => {
  const server = signedIn();
  open("/?tab=sites&site=somebody-elses");
  await screen.findByRole("table", { name: "Sites" });
  expect(screen.queryByRole("dialog")).toBeNull();
  expect(server.calls(`GET ${appliances}`)).toHaveLength(0);
});

test("a rule's panel says which appliance could not install it and why; an error can be tried again", async () => {
  let away = true;
  signedIn().on(`GET ${learning}/promoted-rules/r1/deployments`, () =>
    away
      ? problem(503, "The database is away.")
      : {
          body: deployments([
            deployment("box-1"),
            deployment("box-2", { deployment_status: "failed", error: "a file of the clinic's own has this id" }),
          ]),
        },
  );
  const user = open("/?tab=learning&view=rules");
  await user.click(await screen.findByRole("button", { name: "Details of Rule r1" }));
  const panel = await screen.findByRole("dialog", { name: "Rule r1" });
  const alert = await within(panel).findByRole("alert", {}, { timeout: 10_000 });
  expect(alert.textContent).toContain("The appliances could not be loaded");
  away = false;
  await user.click(within(alert).getByRole("button", { name: "Try again" }));
  const failed = (await within(panel).findByText("box-2")).closest("li")!;
  expect(failed.textContent).toContain("Failed");
  expect(failed.textContent).toContain("a file of the clinic's own has this id");
  expect(failed.previousElementSibling).toBeNull();
});

test("a rule that failed at an appliance stands out in the list; not when it is disabled", async () => {
  signedIn().on(`GET ${learning}/promoted-rules`, {
    body: {
      rules: [rule("r1", { failed_count: 1 }), rule("r2", { failed_count: 1, status: "disabled" })],
      total: 2,
      next_cursor: null,
    },
  });
  open("/?tab=learning&view=rules");
  const row = await screen.findByRole("row", { name: /Rule r1/ });
  expect(row.textContent).toContain("1 failed");
  expect(row.className).toBe("row-bad");
  expect(screen.getByRole("row", { name: /Rule r2/ }).textContent).not.toContain("failed");
});
