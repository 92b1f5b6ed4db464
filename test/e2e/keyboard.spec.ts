import { approvable, dialog, expect, openCandidate, openView, tabTo, test, undecided, views } from "./support";

test("by keyboard: skip link, tabs, views, filters and sorting", async ({ page }) => {
  await openView(page, views.candidates);
  await tabTo(page, "Skip to the content", "link", 1);
  await page.keyboard.press("Enter");
  await expect(page.locator("main")).toBeFocused();
  await page.reload();
  await expect(page.locator(".list-body")).toBeVisible();
  await tabTo(page, "Sites", "link");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("table", { name: "Sites" })).toBeVisible();
  expect(page.url()).toContain("tab=sites");
  await tabTo(page, /^Appliances/);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("columnheader", { name: "Appliances" })).toHaveAttribute(
    "aria-sort",
    "descending",
  );
  await page.goBack();
  await page.goBack();
  await expect(page.getByRole("table", { name: "Candidates for promotion" })).toBeVisible();
});

test("by keyboard: look at a candidate, close, and be where one was", async ({ page }) => {
  const one = (await undecided(page))[0]!;
  await openCandidate(page, one);
  const name = `Details of ${one.pattern_signature}`;
  await tabTo(page, name);
  await page.keyboard.press("Enter");
  await expect(dialog(page, one.pattern_signature)).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(dialog(page, one.pattern_signature)).toBeHidden();
  await expect(page.getByRole("button", { name })).toBeFocused();
});

test("by keyboard: approve, and no single key does it", async ({ page }) => {
  const one = await approvable(page);
  const row = await openCandidate(page, one);
  await tabTo(page, new RegExp(`^Approve ${one.pattern_signature}`));
  await page.keyboard.press("Enter");
  const approval = dialog(page, "Approve this candidate");
  await expect(approval.getByLabel("Rule name")).toBeFocused();
  await page.keyboard.type("By keyboard alone");
  await page.keyboard.press("Enter");
  await expect(approval.locator("pre")).toContainText("By keyboard alone");
  await expect(row).toContainText("Waiting");
  await tabTo(page, "Approve and deploy");
  await page.keyboard.press("Enter");
  await expect(approval).toBeHidden();
  await expect(row).toContainText("Approved");
  // The button that was pressed is gone; the focus is not.
  await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).not.toBe("BODY");
});

test("by keyboard: approve from the details, and the focus stays in them", async ({ page }) => {
  const one = await approvable(page);
  await openCandidate(page, one);
  await tabTo(page, `Details of ${one.pattern_signature}`);
  await page.keyboard.press("Enter");
  const panel = dialog(page, one.pattern_signature);
  await expect(panel.getByText("Rule it will create")).toBeVisible();
  await tabTo(page, "Approve …");
  await page.keyboard.press("Enter");
  await expect(dialog(page, "Approve this candidate").locator("pre")).toBeVisible();
  await tabTo(page, "Approve and deploy");
  await page.keyboard.press("Enter");
  await expect(panel.getByText(/^Approved by/)).toBeVisible();
  // The button that led here is gone; the focus is in the panel all the same.
  await expect
    .poll(() => page.evaluate(() => document.activeElement?.closest("dialog") !== null))
    .toBe(true);
  await page.keyboard.press("Escape");
  await expect(panel).toBeHidden();
});

test("by keyboard: the focus stays inside a dialog", async ({ page }) => {
  await openView(page, views.candidates);
  await page.getByRole("button", { name: /^Reject .* at / }).first().press("Enter");
  const box = dialog(page, "Reject this candidate");
  await expect(box.getByLabel("Reason")).toBeFocused();
  for (let presses = 0; presses < 8; presses++) {
    await page.keyboard.press("Tab");
    const outside = await page.evaluate(() => {
      const at = document.activeElement;
      return at !== document.body && at?.closest("dialog") === null;
    });
    expect(outside).toBe(false);
  }
});

test("by keyboard: tick, and reject what is ticked", async ({ page }) => {
  const one = (await undecided(page)).at(-1)!;
  await openCandidate(page, one);
  await tabTo(page, new RegExp(`^Select ${one.pattern_signature}`), "checkbox");
  await page.keyboard.press("Space");
  await tabTo(page, "Reject 1 …");
  await page.keyboard.press("Enter");
  await page.keyboard.type("By keyboard alone.");
  await tabTo(page, "Reject");
  await page.keyboard.press("Space");
  await expect(page.getByText("1 candidate rejected.")).toBeVisible();
});

test("by keyboard: a rule is disabled and enabled", async ({ page }) => {
  await openView(page, `${views.rules}&status=active`);
  const toggle = page.getByRole("switch").first();
  const label = (await toggle.getAttribute("aria-label"))!;
  await page.goto(`${views.rules}&q=${label.split(" ")[1]}`);
  await tabTo(page, label, "switch");
  await page.keyboard.press("Space");
  await expect(page.getByText(/is disabled\./)).toBeVisible();
  await expect(page.getByRole("switch", { name: label })).toBeFocused();
  await expect(page.getByRole("switch", { name: label })).toHaveAttribute("aria-disabled", "false");
  await page.keyboard.press("Space");
  await expect(page.getByText(/is enabled\./)).toBeVisible();
});
