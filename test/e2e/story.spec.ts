import { instance, learning, withKey } from "./instance";
import { dialog, expect, expectAccessible, statsOf, story, test } from "./support";

test.use({ storageState: { cookies: [], origins: [] } });

const name = "Print Spooler Auto-Restart";
const ruleId = "L1-PROMOTED-PRINT-SP";
const note = "Seen twice a week.\nSafe during opening hours.";

test("the story: from the sign-in to a rule that is active, disabled, enabled, and told in the log", async ({
  page,
}) => {
  const before = await statsOf(page);

  await test.step("sign in", async () => {
    await page.goto("/");
    await page.getByLabel("Email").fill(instance.email);
    await page.getByLabel("Password").fill(instance.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByRole("link", { name: "Learning" })).toHaveAttribute(
      "aria-current",
      "page",
    );
  });

  const figure = (of: string) =>
    page.locator(".card", { hasText: of }).locator(".card-value");
  await expect(figure("Pending candidates")).toHaveText(String(before.pending_candidates));
  await expect(figure("Active promoted rules")).toHaveText(String(before.active_promoted_rules));

  await test.step("find the candidate and look at it", async () => {
    await page.getByLabel("Search").fill(story);
    const row = page.getByRole("row", { name: new RegExp(story) });
    await expect(row).toHaveCount(1);
    await expect(row).toContainText("North Valley Dental");
    await expect(row).toContainText("93.3%");
    await page.getByRole("button", { name: `Details of ${story}` }).click();
    const panel = dialog(page, story);
    await expect(panel).toContainText("RB-WIN-SERVICES-001");
    await expect(panel.locator("pre")).toContainText(`id: "${ruleId}"`);
    await expect(panel.getByRole("table", { name: "Executions of this pattern" })).toBeVisible();
    await expectAccessible(page);
  });

  await test.step("approve it under a name of one's own, seeing the rule change as it is typed", async () => {
    await dialog(page, story).getByRole("button", { name: "Approve" }).click();
    const approval = dialog(page, "Approve this candidate");
    await approval.getByLabel("Rule name").fill(name);
    await expect(approval.locator("pre")).toContainText(`name: "${name}"`);
    await expect(approval.locator("pre")).toContainText("windows_service");
    await approval.getByLabel("Notes").fill(note);
    await expectAccessible(page);
    await approval.getByRole("button", { name: "Approve and deploy" }).click();
    await expect(
      page.getByText(`Rule ${ruleId} is active and queued for 2 appliances of North Valley Dental.`),
    ).toBeVisible();
    await expect(approval).toBeHidden();
    await expectAccessible(page);
  });

  await test.step("the figures have followed", async () => {
    await expect(figure("Pending candidates")).toHaveText(String(before.pending_candidates - 1));
    await expect(figure("Active promoted rules")).toHaveText(
      String(before.active_promoted_rules + 1),
    );
    expect(await statsOf(page)).toMatchObject({
      pending_candidates: before.pending_candidates - 1,
      active_promoted_rules: before.active_promoted_rules + 1,
    });
  });

  await test.step("the rule is listed, active, sent to two appliances", async () => {
    await page.getByRole("link", { name: "Show the rule" }).click();
    const panel = dialog(page, story);
    if (await panel.isVisible()) await panel.getByRole("button", { name: "Close" }).click();
    const row = page.getByRole("row", { name: new RegExp(ruleId) });
    await expect(row).toHaveCount(1);
    await expect(row).toContainText(name);
    await expect(row).toContainText("Seen twice a week.");
    await expect(row).toContainText("Active");
    await expect(row).toContainText("of 2 confirmed");
  });

  await test.step("disable it and enable it", async () => {
    const row = page.getByRole("row", { name: new RegExp(ruleId) });
    const toggle = row.getByRole("switch", { name: `Rule ${ruleId} enabled` });
    await expect(toggle).toBeChecked();
    await toggle.click();
    await expect(page.getByText(`Rule ${ruleId} is disabled.`)).toBeVisible();
    await expect(row).toContainText("Disabled");
    await expect(figure("Active promoted rules")).toHaveText(String(before.active_promoted_rules));
    await toggle.click();
    await expect(page.getByText(`Rule ${ruleId} is enabled.`)).toBeVisible();
    await expect(row).toContainText("Active");
    await expect(figure("Active promoted rules")).toHaveText(
      String(before.active_promoted_rules + 1),
    );
  });

  await test.step("what the page shows is what the server has", async () => {
    const answer = await page.request.get(`${learning}/promoted-rules?q=${ruleId}`, {
      headers: withKey,
    });
    const { rules } = (await answer.json()) as { rules: Record<string, unknown>[] };
    expect(rules).toHaveLength(1);
    expect(rules[0]).toMatchObject({
      rule_id: ruleId,
      name,
      notes: note,
      status: "active",
      deployment_count: 2,
    });
  });

  await test.step("the activity tells all of it", async () => {
    await page.getByRole("link", { name: "Activity" }).click();
    const entries = page.locator(".log-entry", { hasText: ruleId });
    await expect(entries.filter({ hasText: "Rule enabled" }).first()).toContainText(instance.email);
    await expect(entries.filter({ hasText: "Rule disabled" }).first()).toBeVisible();
    await expect(
      page.locator(".log-entry", { hasText: "Approved" }).filter({ hasText: "North Valley Dental" }).first(),
    ).toContainText(instance.email);
    await expectAccessible(page);
  });
});
