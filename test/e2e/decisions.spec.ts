import { learning, withKey } from "./instance";
import {
  type Candidate,
  approvable,
  dialog,
  expect,
  expectAccessible,
  openCandidate,
  openView,
  test,
  undecided,
  views,
} from "./support";

test("rejecting: a reason is required, and the log keeps it", async ({ page }) => {
  const one = (await undecided(page)).at(-1)!;
  const row = await openCandidate(page, one);
  await row.getByRole("button", { name: /^Reject / }).click();
  const box = dialog(page, "Reject this candidate");
  await expect(box.getByLabel("Reason")).toBeFocused();
  await box.getByLabel("Reason").fill(" \u2003 ");
  await box.getByRole("button", { name: "Reject" }).click();
  await expect(box.getByText("Say why, so that others can understand it later.")).toBeVisible();
  await expect(box.getByLabel("Reason")).toHaveAttribute("aria-invalid", "true");
  await expectAccessible(page);
  await box.getByLabel("Reason").fill("Too rare to be worth a rule.");
  await box.getByRole("button", { name: "Reject" }).click();
  await expect(page.getByText("1 candidate rejected.")).toBeVisible();
  await expect(row).toContainText("Rejected");

  await page.getByRole("link", { name: "Activity" }).click();
  const entry = page.locator(".log-entry", { hasText: one.pattern_signature }).first();
  await expect(entry).toContainText("Rejected");
  await expect(entry).toContainText("Too rare to be worth a rule.");
});

test("rejecting several at once: ticked with shift, kept through a refresh, all rejected", async ({
  page,
}) => {
  // One site with at least three undecided candidates, and not the story's.
  const all = await undecided(page);
  const sites = new Map<string, typeof all>();
  for (const one of all) sites.set(one.site_id, [...(sites.get(one.site_id) ?? []), one]);
  const site = [...sites].find(
    ([id, members]) => id !== "north-valley-dental" && members.length >= 3,
  )?.[0];
  expect(site, "a site with three undecided candidates").toBeTruthy();

  await openView(page, `/?tab=learning&status=not_submitted&site=${site}`);
  const boxes = page.getByRole("checkbox", { name: /^Select .* at / });
  await boxes.nth(0).click();
  await boxes.nth(2).click({ modifiers: ["Shift"] });
  await expect(page.getByText("3 candidates selected")).toBeVisible();
  await page.getByRole("button", { name: "Refresh" }).click();
  await page.reload();
  await expect(page.getByText("3 candidates selected")).toBeVisible();
  await expect(boxes.nth(1)).toBeChecked();
  await expectAccessible(page);

  await page.getByRole("button", { name: "Reject 3 …" }).click();
  const box = dialog(page, "Reject 3 candidates");
  await box.getByText("Which ones").click();
  await expect(box.getByRole("listitem")).toHaveCount(3);
  await expectAccessible(page);
  await box.getByLabel("Reason").fill("This site is being moved.");
  await box.getByRole("button", { name: "Reject 3 candidates" }).click();
  await expect(page.getByText("3 candidates rejected.")).toBeVisible();
  await expect(page.getByText("Tick candidates to reject several at once.")).toBeVisible();
  expect((await undecided(page)).length).toBe(all.length - 3);
});

test("holding back: the rule is made, shown as held back, and sent later", async ({ page }) => {
  const one = await approvable(page);
  const row = await openCandidate(page, one);
  await row.getByRole("button", { name: /^Approve / }).click();
  const approval = dialog(page, "Approve this candidate");
  await approval.getByLabel("Deploy immediately").uncheck();
  await approval.getByRole("button", { name: "Approve, hold back" }).click();
  await expect(approval).toBeHidden();
  await expect(row).toContainText("Approved");

  await openView(page, `/?tab=learning&view=rules&q=${one.pattern_signature}&site=${one.site_id}`);
  const rule = page.locator("tbody tr", { hasText: one.pattern_signature });
  await expect(rule).toContainText("Held back");
  await expectAccessible(page);
  await rule.getByRole("button", { name: /^Deploy / }).click();
  await expect(page.getByText(/is queued for \d+ appliances? of/)).toBeVisible();
  await expect(rule).toContainText(/of \d+ confirmed/);
  await expect(rule.getByRole("button", { name: /^Deploy / })).toHaveCount(0);

  // Archiving is asked about and is final.
  await rule.getByRole("button", { name: /^Archive / }).click();
  const sure = dialog(page, "Archive this rule?");
  await expect(sure.getByRole("button", { name: "Keep it" })).toBeFocused();
  await expectAccessible(page);
  await page.keyboard.press("Enter");
  await expect(sure).toBeHidden();
  await expect(rule).toContainText("Active");
  await rule.getByRole("button", { name: /^Archive / }).click();
  await sure.getByRole("button", { name: "Archive for good" }).click();
  await expect(page.getByText(/is archived\./)).toBeVisible();
  await expect(rule).toContainText("Archived");
  await expect(rule.getByRole("switch")).toHaveCount(0);
});

test("P4: somebody else approves first: the dialog says so and makes nothing twice", async ({
  page,
}) => {
  const one = await approvable(page);
  const row = await openCandidate(page, one);
  await row.getByRole("button", { name: /^Approve / }).click();
  const approval = dialog(page, "Approve this candidate");
  await expect(approval.locator("pre")).toBeVisible();
  const other = await page.request.post(`${learning}/candidates/${one.id}/approve`, {
    headers: withKey,
    data: { notes: "By a script." },
  });
  expect(other.status()).toBe(200);
  const { rule_id } = (await other.json()) as { rule_id: string };
  await approval.getByRole("button", { name: "Approve and deploy" }).click();
  await expect(approval.getByRole("alert")).toContainText(rule_id);
  await expect(approval.getByRole("button", { name: "Approve and deploy" })).toHaveAttribute(
    "aria-disabled",
    "true",
  );
  await expectAccessible(page);
});

test("P10: the rule changed while it was looked at: the new one is shown and asked about again", async ({
  page,
}) => {
  const one = await approvable(page);
  // The digest that is sent first is made wrong on the way, as if the rule had changed since.
  let wrong = true;
  await page.route(`**/candidates/${one.id}`, async (route) => {
    const answer = await route.fetch();
    const body = (await answer.json()) as { rule_digest: string; rule_yaml: string };
    if (wrong) {
      body.rule_digest = "0".repeat(64);
      body.rule_yaml = body.rule_yaml.replace(/cooldown_seconds: .*/, "cooldown_seconds: 77");
    }
    await route.fulfill({ response: answer, json: body });
  });
  const row = await openCandidate(page, one);
  await row.getByRole("button", { name: /^Approve / }).click();
  const approval = dialog(page, "Approve this candidate");
  await expect(approval.locator("pre")).toContainText("cooldown_seconds: 77");
  wrong = false;
  await approval.getByRole("button", { name: "Approve and deploy" }).click();
  await expect(approval.getByRole("alert")).toContainText("has changed since it was shown");
  await expect(approval.locator("mark")).toHaveText(/cooldown_seconds: 300/);
  await expectAccessible(page);
  await approval.getByRole("button", { name: "Approve and deploy" }).click();
  await expect(approval).toBeHidden();
  await expect(row).toContainText("Approved");
});

test("P11: a name that YAML would misread is shown as it will be", async ({ page }) => {
  const one = await approvable(page);
  const row = await openCandidate(page, one);
  await row.getByRole("button", { name: /^Approve / }).click();
  const approval = dialog(page, "Approve this candidate");
  await approval.getByLabel("Rule name").fill("no");
  await expect(approval.locator("pre")).toContainText(/name: (['"])no\1/);
  await page.keyboard.press("Escape");
  await expect(approval).toBeHidden();
});

test("a switch is shown at once and goes back when the server refuses", async ({ page }) => {
  await openView(page, `${views.rules}&status=active`);
  const toggle = page.getByRole("switch").first();
  const label = (await toggle.getAttribute("aria-label"))!;
  let refuse = () => {};
  await page.route("**/promoted-rules/*/status*", async (route) => {
    await new Promise<void>((resolve) => {
      refuse = resolve;
    });
    await route.fulfill({
      status: 409,
      contentType: "application/problem+json",
      body: JSON.stringify({ title: "Conflict", status: 409, detail: "Somebody archived it." }),
    });
  });
  await toggle.click();
  await expect(toggle).not.toBeChecked();
  refuse();
  await expect(page.getByText("Somebody archived it.")).toBeVisible();
  await expect(page.getByRole("switch", { name: label })).toBeChecked();
  await expectAccessible(page);
});

test("R3 is said and cannot be approved", async ({ page }) => {
  for (const one of await undecided(page)) {
    if (one.risk_tier !== "R3") continue;
    const row = await openCandidate(page, one);
    await row.getByRole("button", { name: /^Approve / }).click();
    const approval = dialog(page, "Approve this candidate");
    await expect(approval.getByText("Risk R3", { exact: true })).toBeVisible();
    await expect(approval.locator("pre")).toHaveCount(0);
    await expect(approval.getByRole("button", { name: "Approve and deploy" })).toHaveAttribute(
      "aria-disabled",
      "true",
    );
    await expectAccessible(page);
    return;
  }
  throw new Error("the demonstration data has no undecided candidate of risk R3");
});

test("P9: a pattern of several check types is approved for the one that is chosen", async ({ page }) => {
  let found: { one: Candidate; choices: string[] } | null = null;
  for (const one of await undecided(page)) {
    if (one.check_type !== null) continue;
    const answer = await page.request.get(`${learning}/candidates/${one.id}`, { headers: withKey });
    const detail = (await answer.json()) as { check_type_choices: string[] };
    if (detail.check_type_choices.length > 1) found = { one, choices: detail.check_type_choices };
  }
  expect(found, "an undecided candidate that needs a check type").not.toBeNull();
  const { one, choices } = found!;
  const row = await openCandidate(page, one);
  await row.getByRole("button", { name: /^Approve / }).click();
  const approval = dialog(page, "Approve this candidate");
  const button = approval.getByRole("button", { name: "Approve and deploy" });
  await expect(approval.getByText("Choose a check type to see the rule.")).toBeVisible();
  await expect(button).toHaveAttribute("aria-disabled", "true");
  await expectAccessible(page);
  for (const choice of [choices.at(-1)!, choices[0]!]) {
    await approval.getByLabel("Check type").selectOption(choice);
    await expect(approval.locator("pre")).toContainText(`value: "${choice}"`);
  }
  await button.click();
  await expect(approval).toBeHidden();
  await expect(row).toContainText("Approved");
  const answer = await page.request.get(
    `${learning}/promoted-rules?q=${one.pattern_signature}&site_id=${one.site_id}`,
    { headers: withKey },
  );
  const { rules } = (await answer.json()) as { rules: { rule_yaml: string }[] };
  expect(rules[0]!.rule_yaml).toContain(`value: "${choices[0]}"`);
});

test("a runbook that is not in the catalogue is said, with what to do", async ({ page }) => {
  for (const one of await undecided(page)) {
    const answer = await page.request.get(`${learning}/candidates/${one.id}`, { headers: withKey });
    const detail = (await answer.json()) as {
      proposal_problem: string | null;
      proposal_problem_type: string | null;
    };
    if (detail.proposal_problem_type !== "unknown-runbook") continue;
    await page.goto(`/?tab=learning&candidate=${one.id}`);
    const panel = dialog(page, one.pattern_signature);
    await expect(panel.getByText(detail.proposal_problem!)).toBeVisible();
    await expect(panel.getByRole("button", { name: "Approve" })).toHaveAttribute(
      "aria-disabled",
      "true",
    );
    await expectAccessible(page);
    return;
  }
  throw new Error("the demonstration data has no candidate with a runbook that is not known");
});

test("a rule from close: what it says and where it has arrived", async ({ page }) => {
  await openView(page, views.rules);
  const row = page.locator("tbody tr").first();
  const name = (await row.getByRole("button", { name: /^Details of / }).innerText()).replace(
    /^Details of\s+/,
    "",
  );
  await row.getByRole("button", { name: /^Details of / }).click();
  const panel = page.getByRole("dialog", { name, exact: true });
  await expect(panel.locator("pre")).toContainText('source: "promoted"');
  await expect(panel.getByText("Confirmed by appliances")).toBeVisible();
  await expectAccessible(page);
  await page.keyboard.press("Escape");
  await expect(panel).toBeHidden();
  await expect(row.getByRole("button", { name: /^Details of / })).toBeFocused();
});

test("a rejection that fails is said in the dialog, and the reason is still there", async ({ page }) => {
  const one = (await undecided(page)).at(-1)!;
  const row = await openCandidate(page, one);
  await page.route("**/reject", (route) =>
    route.fulfill({
      status: 503,
      contentType: "application/problem+json",
      body: JSON.stringify({ title: "Away", status: 503, detail: "The database is away." }),
    }),
  );
  await row.getByRole("button", { name: /^Reject / }).click();
  const box = dialog(page, "Reject this candidate");
  await box.getByLabel("Reason").fill("A reason worth keeping.");
  await box.getByRole("button", { name: "Reject" }).click();
  await expect(box.getByRole("alert")).toContainText("The database is away.");
  await expect(box.getByLabel("Reason")).toHaveValue("A reason worth keeping.");
  await expectAccessible(page);
  await box.getByRole("button", { name: "Cancel" }).click();
  await expect(row).toContainText("Waiting");
});
