import { act, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { App, newQueryClient } from "../src/App";
import {
  candidate,
  detail,
  learning,
  problem,
  rule,
  Server,
  session,
  signedIn,
  unreachable,
} from "./server";

function open(address = "/") {
  window.history.replaceState(null, "", address);
  const client = newQueryClient();
  render(<App client={client} />);
  return { client, user: userEvent.setup() };
}

const openApproval = async (user: ReturnType<typeof userEvent.setup>, id = "a") => {
  await user.click(await screen.findByRole("button", { name: `Approve pattern-${id} at North Valley Dental` }));
  return screen.findByRole("dialog", { name: "Approve this candidate" });
};

test("without a session there is the sign-in page, and after it the place that was asked for", async () => {
  const server = signedIn()
    .on("GET /api/partner-auth/me", problem(401, "Sign in first."))
    .on("POST /api/partner-auth/login", ({ body }) =>
      (body as { password: string }).password === "right"
        ? { body: session() }
        : problem(401, "Email or password is wrong."),
    );
  const { user } = open("/?tab=sites");
  await user.type(await screen.findByLabelText("Email"), "dana@clearwater.example");
  await user.type(screen.getByLabelText("Password"), "wrong{Enter}");
  expect((await screen.findByRole("alert")).textContent).toContain("Email or password is wrong.");
  expect(screen.getByLabelText<HTMLInputElement>("Password").value).toBe("");
  await user.type(screen.getByLabelText("Password"), "right{Enter}");
  expect(await screen.findByRole("heading", { name: "Sites", level: 2 })).toBeTruthy();
  expect(server.calls("POST /api/partner-auth/login")).toHaveLength(2);
});

test("figures without a denominator are dashes", async () => {
  signedIn();
  open();
  const card = (await screen.findByText("Average success")).parentElement!;
  await waitFor(() => expect(within(card).getByText("–")).toBeTruthy());
  expect(screen.getByText("70%")).toBeTruthy();
});

test("approving shows the rule under the typed name, sends its digest and a key, and tells the result", async () => {
  const server = signedIn().on(`POST ${learning}/candidates/a/approve`, {
    body: { status: "approved", rule_id: "L1-PROMOTED-PATTERN-", deployed_to: 2, message: "Done." },
  });
  const { user } = open();
  const dialog = await openApproval(user);
  await user.type(within(dialog).getByLabelText(/Rule name/), "Spooler");
  await user.type(within(dialog).getByLabelText(/Notes/), "By day, too.");
  await waitFor(() => expect(within(dialog).getByText(/Spooler/)).toBeTruthy());
  await user.click(within(dialog).getByRole("button", { name: "Approve and deploy" }));
  expect(await screen.findByText(/is active and queued for 2 appliances/)).toBeTruthy();
  expect(screen.queryByRole("dialog")).toBeNull();

  const [sent] = server.calls(`POST ${learning}/candidates/a/approve`);
  expect(sent!.body).toEqual({
    deploy_immediately: true,
    custom_name: "Spooler",
    notes: "By day, too.",
    rule_digest: "digest-1",
  });
  expect(sent!.headers.get("Idempotency-Key")).toMatch(/^[0-9a-f]{32}$/);
  expect(sent!.headers.get("X-CSRF-Token")).toBe("token-1");
});

test("P10: when the rule has changed since it was shown, the new one is shown and asked about again", async () => {
  let digest = "digest-1";
  const server = signedIn()
    .on(`GET ${learning}/candidates/a`, () => ({ body: detail(candidate("a"), "Auto", digest) }))
    .on(`POST ${learning}/candidates/a/approve`, ({ body }) =>
      (body as { rule_digest: string }).rule_digest === digest
        ? { body: { status: "approved", rule_id: "L1-X", deployed_to: 1 } }
        : problem(409, "The proposed rule has changed."),
    );
  const { user } = open();
  const dialog = await openApproval(user);
  await within(dialog).findByText(/50/);
  digest = "digest-2";
  await user.click(within(dialog).getByRole("button", { name: "Approve and deploy" }));
  expect(await within(dialog).findByText(/has changed since it was shown/)).toBeTruthy();
  const marked = dialog.querySelectorAll("mark");
  expect([...marked].map((line) => line.textContent?.trim())).toEqual(["priority: 60"]);
  expect(server.calls(`POST ${learning}/candidates/a/approve`)).toHaveLength(1);

  await user.click(within(dialog).getByRole("button", { name: "Approve and deploy" }));
  expect(await screen.findByText(/L1-X is active/)).toBeTruthy();
  const keys = server
    .calls(`POST ${learning}/candidates/a/approve`)
    .map((call) => call.headers.get("Idempotency-Key"));
  expect(new Set(keys).size).toBe(2);
});

test("P10: a name typed in haste does not slip past a rule that changed meanwhile", async () => {
  let digest = "digest-1";
  const server = signedIn().on(`GET ${learning}/candidates/a`, ({ query }) => ({
    body: detail(candidate("a"), query.get("custom_name") ?? "Auto", digest),
  }));
  const { user } = open();
  const dialog = await openApproval(user);
  await within(dialog).findByText(/50/);
  digest = "digest-2";
  fireEvent.change(within(dialog).getByLabelText(/Rule name/), { target: { value: "Haste" } });
  fireEvent.click(within(dialog).getByRole("button", { name: "Approve and deploy" }));
  expect(await within(dialog).findByText(/has changed since it was shown/)).toBeTruthy();
  expect(server.calls(`POST ${learning}/candidates/a/approve`)).toHaveLength(0);
});

test("P4: when somebody else was faster, the dialog says so and approves nothing more", async () => {
  let status: "not_submitted" | "approved" = "not_submitted";
  signedIn()
    .on(`GET ${learning}/candidates/a`, () => ({
      body: detail(candidate("a", { approval_status: status })),
    }))
    .on(`POST ${learning}/candidates/a/approve`, () => {
      status = "approved";
      return problem(409, "Already approved as rule L1-PROMOTED-PATTERN-.");
    });
  const { user } = open();
  const dialog = await openApproval(user);
  await within(dialog).findByText(/priority/);
  await user.click(within(dialog).getByRole("button", { name: "Approve and deploy" }));
  expect(await within(dialog).findByText(/Already approved as rule/)).toBeTruthy();
  const button = within(dialog).getByRole("button", { name: "Approve and deploy" });
  await waitFor(() => expect(button.getAttribute("aria-disabled")).toBe("true"));
});

test("P38: an approval whose answer was lost is tried again under the same key", async () => {
  let lost = true;
  const server = signedIn().on(`POST ${learning}/candidates/a/approve`, () => {
    if (lost) return unreachable();
    return { body: { status: "approved", rule_id: "L1-X", deployed_to: 1 } };
  });
  const { user } = open();
  const dialog = await openApproval(user);
  await within(dialog).findByText(/priority/);
  await user.click(within(dialog).getByRole("button", { name: "Approve and deploy" }));
  expect(await within(dialog).findByText(/could not be reached/)).toBeTruthy();
  lost = false;
  await user.click(within(dialog).getByRole("button", { name: "Approve and deploy" }));
  await screen.findByText(/L1-X is active/);
  const keys = server
    .calls(`POST ${learning}/candidates/a/approve`)
    .map((call) => call.headers.get("Idempotency-Key"));
  expect(keys).toHaveLength(2);
  expect(keys[0]).toBe(keys[1]);
});

test("a 422 is shown beside its field and goes away with the next letter", async () => {
  signedIn().on(
    `POST ${learning}/candidates/a/approve`,
    problem(422, "The request does not fit.", {
      errors: [{ pointer: "/custom_name", detail: "This name is taken." }],
    }),
  );
  const { user } = open();
  const dialog = await openApproval(user);
  await within(dialog).findByText(/priority/);
  const name = within(dialog).getByLabelText(/Rule name/);
  await user.type(name, "Taken");
  await user.click(within(dialog).getByRole("button", { name: "Approve and deploy" }));
  expect(await within(dialog).findByText("This name is taken.")).toBeTruthy();
  expect(name.getAttribute("aria-invalid")).toBe("true");
  await user.type(name, "!");
  expect(within(dialog).queryByText("This name is taken.")).toBeNull();
});

test("Enter in the name does not approve", async () => {
  const server = signedIn();
  const { user } = open();
  const dialog = await openApproval(user);
  await within(dialog).findByText(/priority/);
  await user.type(within(dialog).getByLabelText(/Rule name/), "Name{Enter}");
  expect(server.calls(`POST ${learning}/candidates/a/approve`)).toHaveLength(0);
});

test("risk R3 is said and cannot be approved", async () => {
  const server = signedIn().on(`GET ${learning}/candidates/a`, {
    body: detail(candidate("a", { risk_tier: "R3" }), "Auto", "digest-1", {
      proposed_rule: null,
      rule_yaml: null,
      rule_digest: null,
      proposal_problem: "Runbook RB-WIN-SEC-005 is of risk R3.",
    }),
  });
  const { user } = open();
  const dialog = await openApproval(user);
  expect(await within(dialog).findByText("Runbook RB-WIN-SEC-005 is of risk R3.")).toBeTruthy();
  const button = within(dialog).getByRole("button", { name: "Approve and deploy" });
  expect(button.getAttribute("aria-disabled")).toBe("true");
  await user.click(button);
  expect(server.calls(`POST ${learning}/candidates/a/approve`)).toHaveLength(0);
});

test("P9: when the runbook answers several checks, one is chosen and sent", async () => {
  const choices = { check_type_choices: ["windows_service", "print_spooler"] };
  const server = signedIn()
    .on(`GET ${learning}/candidates/a`, ({ query }) => ({
      body: query.get("check_type")
        ? detail(candidate("a"))
        : { ...detail(candidate("a")), ...choices, proposed_rule: null, rule_yaml: null, rule_digest: null },
    }))
    .on(`POST ${learning}/candidates/a/approve`, {
      body: { status: "approved", rule_id: "L1-X", deployed_to: 1 },
    });
  const { user } = open();
  const dialog = await openApproval(user);
  const button = within(dialog).getByRole("button", { name: "Approve and deploy" });
  expect(await within(dialog).findByText("Choose a check type to see the rule.")).toBeTruthy();
  expect(button.getAttribute("aria-disabled")).toBe("true");
  await user.selectOptions(within(dialog).getByLabelText(/Check type/), "print_spooler");
  await within(dialog).findByText(/priority/);
  await user.click(button);
  await screen.findByText(/L1-X is active/);
  const [sent] = server.calls(`POST ${learning}/candidates/a/approve`);
  expect(sent!.body).toMatchObject({ check_type: "print_spooler", rule_digest: "digest-1" });
});

test("a session that ends in the middle leaves what was typed, and a new sign-in goes on", async () => {
  let ended = true;
  const server = signedIn()
    .on(`POST ${learning}/candidates/a/approve`, () =>
      ended
        ? problem(401, "Your session has ended.")
        : { body: { status: "approved", rule_id: "L1-X", deployed_to: 1 } },
    )
    .on("POST /api/partner-auth/login", () => {
      ended = false;
      return { body: { ...session(), csrf_token: "token-2" } };
    });
  const { user } = open();
  const dialog = await openApproval(user);
  await within(dialog).findByText(/priority/);
  await user.type(within(dialog).getByLabelText(/Rule name/), "Kept");
  await user.click(within(dialog).getByRole("button", { name: "Approve and deploy" }));
  const again = await screen.findByRole("dialog", { name: "Your session has ended" });
  await user.type(within(again).getByLabelText("Password"), "right{Enter}");
  await waitFor(() =>
    expect(screen.queryByRole("dialog", { name: "Your session has ended" })).toBeNull(),
  );
  expect(within(dialog).getByLabelText<HTMLInputElement>(/Rule name/).value).toBe("Kept");
  await user.click(within(dialog).getByRole("button", { name: "Approve and deploy" }));
  await screen.findByText(/L1-X is active/);
  const last = server.calls(`POST ${learning}/candidates/a/approve`).at(-1)!;
  expect(last.headers.get("X-CSRF-Token")).toBe("token-2");
});

test("rejecting asks for a reason and refuses a blank one", async () => {
  const server = signedIn().on(`POST ${learning}/candidates/a/reject`, {
    body: { status: "rejected", pattern_id: "a" },
  });
  const { user } = open();
  await user.click(await screen.findByRole("button", { name: /^Reject pattern-a / }));
  const dialog = await screen.findByRole("dialog", { name: "Reject this candidate" });
  await user.type(within(dialog).getByLabelText("Reason"), "   ");
  await user.click(within(dialog).getByRole("button", { name: "Reject" }));
  expect(await within(dialog).findByText(/Say why/)).toBeTruthy();
  expect(server.calls(`POST ${learning}/candidates/a/reject`)).toHaveLength(0);
  await user.type(within(dialog).getByLabelText("Reason"), "Too risky.");
  await user.click(within(dialog).getByRole("button", { name: "Reject" }));
  expect(await screen.findByText("1 candidate rejected.")).toBeTruthy();
  expect(server.calls(`POST ${learning}/candidates/a/reject`)[0]!.body).toEqual({
    reason: "Too risky.",
  });
});

test("P5: of many rejections, those that failed are named and stay selected", async () => {
  signedIn()
    .on(`POST ${learning}/candidates/a/reject`, { body: { status: "rejected", pattern_id: "a" } })
    .on(`POST ${learning}/candidates/b/reject`, problem(409, "It is approved already."));
  const { user } = open();
  await user.click(await screen.findByLabelText("Select all undecided on this page"));
  await user.click(screen.getByRole("button", { name: "Reject 2 …" }));
  const dialog = await screen.findByRole("dialog", { name: "Reject 2 candidates" });
  await user.type(within(dialog).getByLabelText("Reason"), "Not now.");
  await user.click(within(dialog).getByRole("button", { name: "Reject 2 candidates" }));
  expect(await within(dialog).findByText("It is approved already.")).toBeTruthy();
  expect(await screen.findByText("1 candidate rejected.")).toBeTruthy();
  await user.click(within(dialog).getByRole("button", { name: "Cancel" }));
  expect(screen.getByText("1 candidate selected")).toBeTruthy();
});

const box = (id: string) =>
  screen.getByLabelText<HTMLInputElement>(`Select pattern-${id} at North Valley Dental`);

test("a selection spans a shift-click and survives a refresh that reorders the list", async () => {
  const all = ["a", "b", "c", "d"].map((id) => candidate(id));
  let order = all;
  signedIn().on(`GET ${learning}/candidates`, () => ({
    body: { candidates: order, total: 4, next_cursor: null },
  }));
  const { client } = open();
  await screen.findByLabelText(/Select pattern-a/);
  fireEvent.click(box("a"));
  fireEvent.click(box("c"), { shiftKey: true });
  expect(screen.getByText("3 candidates selected")).toBeTruthy();
  order = all.toReversed();
  await act(() => client.invalidateQueries());
  await waitFor(() =>
    expect(screen.getAllByLabelText(/^Select pattern/)[0]).toBe(box("d")),
  );
  expect(["a", "b", "c", "d"].map((id) => box(id).checked)).toEqual([true, true, true, false]);
});

test("what somebody else decided meanwhile is no longer selected", async () => {
  let status: "not_submitted" | "rejected" = "not_submitted";
  signedIn().on(`GET ${learning}/candidates`, () => ({
    body: {
      candidates: [candidate("a", { approval_status: status }), candidate("b")],
      total: 2,
      next_cursor: null,
    },
  }));
  const { client } = open();
  fireEvent.click(await screen.findByLabelText(/Select pattern-a/));
  expect(screen.getByText("1 candidate selected")).toBeTruthy();
  status = "rejected";
  await act(() => client.invalidateQueries());
  expect(await screen.findByText(/Tick candidates/)).toBeTruthy();
});

test("a switch that fails goes back alone, and the other keeps its place", async () => {
  let first = true;
  signedIn()
    .on(`PATCH ${learning}/promoted-rules/r1/status`, problem(409, "The rule is archived."))
    .on(`PATCH ${learning}/promoted-rules/r2/status`, () => {
      first = false;
      return { body: { status: "updated", rule_id: "L1-PROMOTED-R2", new_status: "disabled" } };
    })
    .on(`GET ${learning}/promoted-rules`, () => ({
      body: {
        rules: [rule("r1"), rule("r2", { status: first ? "active" : "disabled" })],
        total: 2,
        next_cursor: null,
      },
    }));
  const { user } = open("/?tab=learning&view=rules");
  const one = await screen.findByRole("switch", { name: "Rule L1-PROMOTED-R1 enabled" });
  const two = screen.getByRole("switch", { name: "Rule L1-PROMOTED-R2 enabled" });
  await user.click(two);
  await user.click(one);
  expect(await screen.findByText(/The rule is archived/)).toBeTruthy();
  await waitFor(() => expect(one.getAttribute("aria-checked")).toBe("true"));
  await waitFor(() => expect(two.getAttribute("aria-checked")).toBe("false"));
});

test("archiving is asked about first", async () => {
  const server = signedIn().on(`PATCH ${learning}/promoted-rules/r1/status`, {
    body: { status: "updated", rule_id: "L1-PROMOTED-R1", new_status: "archived" },
  });
  const { user } = open("/?tab=learning&view=rules");
  await user.click((await screen.findAllByRole("button", { name: /^Archive/ }))[0]!);
  const dialog = await screen.findByRole("dialog", { name: "Archive this rule?" });
  expect(document.activeElement?.textContent).toBe("Keep it");
  expect(server.calls(`PATCH ${learning}/promoted-rules/r1/status`)).toHaveLength(0);
  await user.click(within(dialog).getByRole("button", { name: "Archive for good" }));
  expect(await screen.findByText(/L1-PROMOTED-R1 is archived/)).toBeTruthy();
  expect(server.calls(`PATCH ${learning}/promoted-rules/r1/status`)[0]!.body).toEqual({
    status: "archived",
  });
});

test("a rule that was held back can be sent; delivery is confirmed of dispatched", async () => {
  signedIn()
    .on(`GET ${learning}/promoted-rules`, {
      body: {
        rules: [
          rule("r1", {
            held: true,
            deployment_count: 0,
            acknowledged_count: 0,
            last_deployed_at: null,
          }),
          rule("r2"),
        ],
        total: 2,
        next_cursor: null,
      },
    })
    .on(`POST ${learning}/promoted-rules/r1/deploy`, { body: { deployed_to: 2 } });
  const { user } = open("/?tab=learning&view=rules");
  expect(await screen.findByText("Held back")).toBeTruthy();
  expect(screen.getByText("1 of 2 confirmed")).toBeTruthy();
  await user.click(screen.getByRole("button", { name: /Deploy L1-PROMOTED-R1/ }));
  expect(await screen.findByText(/L1-PROMOTED-R1 is queued for 2 appliances/)).toBeTruthy();
});

test("a viewer sees everything and can change nothing", async () => {
  signedIn("viewer");
  const { user } = open();
  expect(await screen.findByText("pattern-a")).toBeTruthy();
  expect(screen.queryByRole("button", { name: /^(Approve|Reject)/ })).toBeNull();
  expect(screen.queryByRole("checkbox")).toBeNull();
  await user.click(screen.getByRole("button", { name: "Details of pattern-a" }));
  const panel = await screen.findByRole("dialog", { name: "pattern-a" });
  expect(await within(panel).findByText(/priority/)).toBeTruthy();
  expect(within(panel).queryByRole("button", { name: /^(Approve|Reject)/ })).toBeNull();
  await user.click(within(panel).getByRole("button", { name: "Close" }));
  await user.click(screen.getByRole("link", { name: /Promoted rules/ }));
  expect(await screen.findByText("Rule r1")).toBeTruthy();
  expect(screen.queryByRole("switch")).toBeNull();
});

test("an error offers to try again, and trying again shows the list", async () => {
  let broken = true;
  signedIn().on(`GET ${learning}/candidates`, () =>
    broken
      ? problem(422, "Something is wrong with the list.")
      : { body: { candidates: [candidate("a")], total: 1, next_cursor: null } },
  );
  const { user } = open();
  expect(await screen.findByText("Something is wrong with the list.")).toBeTruthy();
  broken = false;
  await user.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByText("pattern-a")).toBeTruthy();
});

test("a refresh that fails leaves what is shown and says so", async () => {
  let broken = false;
  signedIn().on(`GET ${learning}/candidates`, () =>
    broken
      ? problem(400, "It broke.")
      : { body: { candidates: [candidate("a")], total: 1, next_cursor: null } },
  );
  const { client } = open();
  await screen.findByText("pattern-a");
  broken = true;
  await act(() => client.invalidateQueries());
  expect(await screen.findByText(/Could not refresh: It broke/)).toBeTruthy();
  expect(screen.getByText("pattern-a")).toBeTruthy();
});

test("empty lists say why they are empty", async () => {
  const none = { body: { candidates: [], total: 0, next_cursor: null } };
  signedIn().on(`GET ${learning}/candidates`, none);
  const { user } = open("/?q=zzz");
  expect(await screen.findByText("Nothing matches")).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "Clear search and filters" }));
  expect(await screen.findByText("Nothing yet")).toBeTruthy();
  await user.selectOptions(screen.getByLabelText("Status"), "Waiting");
  expect(await screen.findByText("All done")).toBeTruthy();
});

test("filters go to the server and into the address, and a bad address asks for nothing strange", async () => {
  const server = signedIn();
  const { user } = open("/?status=evil&sort=drop&cursor=a%20b&site=..%2F");
  await screen.findByText("pattern-a");
  expect(server.calls(`GET ${learning}/candidates`)[0]!.query.toString()).toBe("limit=50");
  await user.selectOptions(screen.getByLabelText("Site"), "North Valley Dental");
  await user.click(screen.getByRole("button", { name: "Success" }));
  await waitFor(() => {
    const last = server.calls(`GET ${learning}/candidates`).at(-1)!.query;
    expect(last.get("site_id")).toBe("north-valley-dental");
    expect(last.get("sort")).toBe("-success_rate");
  });
  expect(new URLSearchParams(window.location.search).get("site")).toBe("north-valley-dental");
});

test("P34: pages go forth and back by cursor", async () => {
  signedIn().on(`GET ${learning}/candidates`, ({ query }) =>
    query.get("cursor") === "two"
      ? { body: { candidates: [candidate("z")], total: 51, next_cursor: null } }
      : {
          body: {
            candidates: Array.from({ length: 50 }, (_, index) => candidate(`n${index}`)),
            total: 51,
            next_cursor: "two",
          },
        },
  );
  const { user } = open();
  expect(await screen.findByText("1–50 of 51 candidates")).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "Next" }));
  expect(await screen.findByText("51–51 of 51 candidates")).toBeTruthy();
  expect(screen.getByText("pattern-z")).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "Previous" }));
  expect(await screen.findByText("1–50 of 51 candidates")).toBeTruthy();
});

test("polling goes on by itself, and pauses while a dialog is open", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  try {
    const server = signedIn();
    open();
    const button = await screen.findByRole("button", { name: /^Approve pattern-a/ });
    const count = () => server.calls(`GET ${learning}/candidates`).length;
    const before = count();
    await act(() => vi.advanceTimersByTimeAsync(16_000));
    expect(count()).toBe(before + 1);
    fireEvent.click(button);
    await screen.findByRole("dialog");
    const held = count();
    await act(() => vi.advanceTimersByTimeAsync(60_000));
    expect(count()).toBe(held);
    fireEvent.click(screen.getByRole("button", { name: "Cancel" }));
    await act(() => vi.advanceTimersByTimeAsync(16_000));
    expect(count()).toBeGreaterThan(held);
  } finally {
    vi.useRealTimers();
  }
});

test("P20: an execution without a clear yes is not shown as a success", async () => {
  signedIn().on(`GET ${learning}/execution-history`, {
    body: {
      executions: [
        {
          execution_id: "e1",
          incident_id: null,
          site_id: "s",
          site_name: "S",
          runbook_id: null,
          success: null,
          resolution_level: null,
          created_at: "2026-11-20T10:00:00Z",
        },
      ],
      total: 1,
      next_cursor: null,
    },
  });
  open("/?tab=learning&view=history");
  const table = await screen.findByRole("table", { name: "Executions" });
  expect(within(table).queryByText("Success")).toBeNull();
  const time = table.querySelector("time")!;
  expect(time.getAttribute("title")).toBe("2026-11-20 10:00:00 UTC");
});

test("a mistake in one view is said there, and the other tabs go on", async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  signedIn().on(`GET ${learning}/candidates`, { body: { unexpected: true } });
  const { user } = open();
  expect(await screen.findByText("This view cannot be shown")).toBeTruthy();
  await user.click(screen.getByRole("link", { name: "Sites" }));
  expect(await screen.findByRole("table", { name: "Sites" })).toBeTruthy();
});

test("a sign-out that did not arrive is not shown as one", async () => {
  let away = true;
  signedIn().on("POST /api/partner-auth/logout", () => (away ? unreachable() : { body: {} }));
  const { user } = open();
  await user.click(await screen.findByRole("button", { name: "Sign out" }));
  expect(await screen.findByText(/You are still signed in/)).toBeTruthy();
  away = false;
  await user.click(screen.getByRole("button", { name: "Sign out" }));
  expect(await screen.findByLabelText("Password")).toBeTruthy();
});

test("a server that is away at the start is said, and can be tried again", async () => {
  const server = new Server().on("GET /api/partner-auth/me", () => unreachable());
  const { user } = open();
  expect(await screen.findByText("Flywheel cannot be reached", {}, { timeout: 5000 })).toBeTruthy();
  server.on("GET /api/partner-auth/me", problem(401, "Sign in first."));
  await user.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByLabelText("Password")).toBeTruthy();
});
