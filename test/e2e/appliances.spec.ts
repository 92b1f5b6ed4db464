import type { Locator, Page } from "@playwright/test";
import { decide, newClinic, type Box, type Clinic } from "./box";
import { dialog, expect, expectAccessible, expectNoSidewaysScroll, openView, tabTo, test, views } from "./support";

async function openRule(page: Page, { rule, site }: Clinic): Promise<Locator> {
  await openView(page, `/?tab=learning&view=rules&site=${site}`);
  const row = page.getByRole("row", { name: new RegExp(rule) });
  await row.getByRole("button", { name: /^Details of/ }).click();
  return page.getByRole("dialog");
}

const boxOf = (panel: Locator, id: string): Locator => panel.getByRole("listitem").filter({ hasText: id });

/** For what comes with the next look at the server, some 15 s away. */
const byItself = { timeout: 40_000 };
const refresh = (panel: Locator) => panel.getByRole("button", { name: "Refresh" }).click();

test("a rule on its way: waiting, sent, installed, failed, withdrawn, removed; seen without reloading", async ({ page }) => {
  const clinic = await newClinic(2);
  const [first, second] = clinic.boxes as [Box, Box];
  const panel = await openRule(page, clinic);
  const one = boxOf(panel, first.id);
  const two = boxOf(panel, second.id);

  await test.step("queued for both", async () => {
    await expect(one).toContainText("Waiting");
    await expect(two).toContainText("Waiting");
  });
  let revision = await first.pull();
  await test.step("fetched by one: this agent has not confirmed anything yet", async () => {
    await expect(one).toContainText("Sent; this agent does not confirm", byItself);
    await expect(two).toContainText("Waiting");
  });
  await first.acknowledge(revision, { applied: [clinic.rule] });
  await second.acknowledge(await second.pull(), { failed: [{ rule_id: clinic.rule, error: "a file of the clinic's own has this id" }] });
  await test.step("installed at one, refused by the other, with its reason; that one comes first", async () => {
    await refresh(panel);
    await expect(one).toContainText("Installed");
    await expect(two).toContainText("Failed");
    await expect(two).toContainText("a file of the clinic's own has this id");
    await expect(panel.locator(".boxes li").first()).toContainText(second.id);
    await expectAccessible(page);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Refresh" }).click();
    const row = page.getByRole("row", { name: new RegExp(clinic.rule) });
    await expect(row).toContainText("1 of 2 confirmed");
    await expect(row).toContainText("1 failed");
  });

  await page.getByRole("switch", { name: `Rule ${clinic.rule} enabled` }).click();
  await expect(page.getByText(`Rule ${clinic.rule} is disabled.`)).toBeVisible();
  await page.getByRole("button", { name: /^Details of/ }).click();
  await expect(one).toContainText("Still installed, being withdrawn");
  revision = await first.pull();
  await first.acknowledge(revision, {});
  await refresh(panel);
  await expect(one).toContainText("Removed");
});

test("an old agent: sent, then installed as an execution shows, and not to be withdrawn", async ({ page }) => {
  const clinic = await newClinic(1);
  const [box] = clinic.boxes as [Box];
  await box.pull();
  const panel = await openRule(page, clinic);
  const one = boxOf(panel, box.id);
  await expect(one).toContainText("Sent; this agent does not confirm");
  await box.execute(clinic.rule, clinic.pattern);
  await refresh(panel);
  await expect(one).toContainText("Installed, cannot be withdrawn (old agent)");
  await expect(one).toContainText("shown by an execution");
  await decide("PATCH", `promoted-rules/${clinic.rule}/status`, { status: "disabled" });
  await page.goto(`/?tab=sites&site=${clinic.site}`);
  const there = boxOf(page.getByRole("dialog"), box.id);
  await expect(there).toContainText("Keeps withdrawn rules");
  await expect(there).toContainText("1 withdrawn rule may still run here");
  await expectAccessible(page);
});

test("a site whose appliances are silent stands out, and opening it shows since when", async ({ page }) => {
  await openView(page, views.sites);
  const row = page.getByRole("row", { name: /Valley Eye Center/ });
  await expect(row).toContainText("All silent");
  await expect(page.getByText(/appliances? at .* not been heard from for more than an hour/)).toBeVisible();
  await row.getByRole("button", { name: "Appliances of Valley Eye Center" }).click();
  const panel = dialog(page, "Valley Eye Center");
  await expect(boxOf(panel, "valley-eye-center-box-3")).toContainText("Last seen 6 days ago");
  await expect(boxOf(panel, "valley-eye-center-box-1")).toContainText("changes behind");
  await expectAccessible(page);
  await page.setViewportSize({ width: 360, height: 740 });
  await expectNoSidewaysScroll(page);
  await expectAccessible(page, ["light"]);
  await panel.getByRole("button", { name: "Close" }).click();
  await page.getByRole("link", { name: "Show them" }).click();
  await expect(page.getByLabel("State")).toHaveValue("silent");
  await expect(boxOf(page.getByRole("main"), "valley-eye-center-box-3")).toBeVisible();
  await expect(page.getByText("north-valley-dental-box-1")).toHaveCount(0);
});

test("what an appliance could not install or load is said at its site, in its own words", async ({ page }) => {
  await page.goto("/?tab=sites&site=cedar-creek-family");
  const panel = dialog(page, "Cedar Creek Family Medicine");
  await expect(boxOf(panel, "cedar-creek-family-box-2")).toContainText("scanner-restart.yaml: conditions/0/operator");
  await expect(boxOf(panel, "cedar-creek-family-box-1")).toContainText("Up to date");
  await page.goto("/?tab=sites&site=oak-street-orthodontics");
  const other = boxOf(dialog(page, "Oak Street Orthodontics"), "oak-street-orthodontics-box-2");
  await expect(other).toContainText("1 rule could not be installed");
  await other.getByRole("link", { name: "Rules of Oak Street Orthodontics" }).click();
  const row = page.getByRole("row", { name: /Renew Portal Certificate/ });
  await expect(row).toContainText("1 failed");
  await row.getByRole("button", { name: /^Details of/ }).click();
  const box = boxOf(page.getByRole("dialog"), "oak-street-orthodontics-box-2");
  await expect(box).toContainText("a file of the clinic's own, has the same id");
  await expectAccessible(page);
  await page.setViewportSize({ width: 360, height: 740 });
  await expectNoSidewaysScroll(page);
  await expectAccessible(page, ["light"]);
});

test("a site is opened and left by keyboard, and the focus comes back", async ({ page }) => {
  await openView(page, views.sites);
  await tabTo(page, "Appliances of North Valley Dental");
  await page.keyboard.press("Enter");
  const panel = dialog(page, "North Valley Dental");
  await expect(boxOf(panel, "north-valley-dental-box-1")).toBeVisible();
  await tabTo(page, "Refresh");
  await page.keyboard.press("Escape");
  await expect(panel).toBeHidden();
  await expect(page.getByRole("button", { name: "Appliances of North Valley Dental" })).toBeFocused();
});

test("a site's appliances that cannot be loaded are said in its panel, and can be tried again", async ({ page }) => {
  const calls = "**/partners/me/appliances?*";
  const refusal = { type: "about:blank", title: "Service Unavailable", status: 503, detail: "The database is away." };
  await page.route(calls, (route) => route.fulfill({ status: 503, contentType: "application/problem+json", body: JSON.stringify(refusal) }));
  await page.goto("/?tab=sites&site=north-valley-dental");
  const panel = dialog(page, "North Valley Dental");
  await expect(panel.getByRole("alert")).toContainText("The appliances could not be loaded");
  await expectAccessible(page);
  await page.unroute(calls);
  await panel.getByRole("button", { name: "Try again" }).click();
  await expect(boxOf(panel, "north-valley-dental-box-1")).toBeVisible();
});
