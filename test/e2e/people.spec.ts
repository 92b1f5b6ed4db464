import { flywheelctl, fresh, instance } from "./instance";
import { approvable, dialog, expect, expectAccessible, openCandidate, openView, test, views } from "./support";

const nobody = { cookies: [], origins: [] };

test.describe("signing in", () => {
  test.use({ storageState: nobody });

  test("a wrong password is said, and what was wrong is not", async ({ page }) => {
    await page.goto("/");
    await expect(page.getByLabel("Email")).toBeFocused();
    await expectAccessible(page);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByText("Enter your email address.")).toBeVisible();
    await expectAccessible(page);
    await page.getByLabel("Email").fill(instance.email);
    await page.getByLabel("Password").fill("certainly wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByRole("alert")).toBeVisible();
    await expect(page.getByLabel("Password")).toBeFocused();
    await expect(page.getByLabel("Password")).toHaveValue("");
    await expectAccessible(page);
    await page.setViewportSize({ width: 360, height: 740 });
    await expectAccessible(page);
  });

  test("signing in leads to where one wanted to go; signing out leads back", async ({ page }) => {
    await page.goto("/?tab=sites&q=north");
    await page.getByLabel("Email").fill(instance.email);
    await page.getByLabel("Password").fill(instance.password);
    await page.keyboard.press("Enter");
    await expect(page.getByRole("table", { name: "Sites" })).toContainText("North Valley Dental");
    await page.getByRole("button", { name: "Sign out" }).click();
    await expect(page.getByLabel("Password")).toBeVisible();
    await page.reload();
    await expect(page.getByLabel("Password")).toBeVisible();
  });

  test("a viewer sees all of it and can change none of it", async ({ page }) => {
    const email = `${fresh("viewer")}@viewer.example`;
    const { password } = flywheelctl(
      "user", "add", "--partner", instance.partner_slug, "--email", email, "--role", "viewer",
    );
    await page.goto("/");
    await page.getByLabel("Email").fill(email);
    await page.getByLabel("Password").fill(password!);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByText("You can look at everything here.")).toBeVisible();
    await expect(page.getByRole("table", { name: "Candidates for promotion" })).toBeVisible();
    await expect(page.getByRole("button", { name: /^(Approve|Reject)/ })).toHaveCount(0);
    await expect(page.getByRole("checkbox")).toHaveCount(0);
    await expectAccessible(page);

    await page.getByRole("button", { name: /^Details of / }).first().click();
    const panel = page.getByRole("dialog");
    await expect(panel.getByRole("heading", { name: "Proposed rule" })).toBeVisible();
    await expect(panel.getByRole("button", { name: /^(Approve|Reject)/ })).toHaveCount(0);
    await expectAccessible(page);
    await page.keyboard.press("Escape");

    await page.getByRole("link", { name: /Promoted rules/ }).click();
    await expect(page.getByRole("table", { name: "Promoted rules" })).toBeVisible();
    await expect(page.getByRole("switch")).toHaveCount(0);
    await expectAccessible(page);
  });

  test("a session that ends in the middle loses nothing", async ({ page, context }) => {
    await page.goto("/");
    await page.getByLabel("Email").fill(instance.email);
    await page.getByLabel("Password").fill(instance.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByRole("button", { name: "Sign out" })).toBeVisible();
    const one = await approvable(page);
    const row = await openCandidate(page, one);
    await row.getByRole("button", { name: /^Approve / }).click();
    const approval = dialog(page, "Approve this candidate");
    await approval.getByLabel("Rule name").fill("Typed before the session ended");
    await expect(approval.locator("pre")).toContainText("Typed before");
    await context.clearCookies();
    await approval.getByLabel("Rule name").press("End");
    await approval.getByLabel("Rule name").pressSequentially("!");
    const ended = dialog(page, "Your session has ended");
    await expect(ended.getByLabel("Password")).toBeFocused();
    await expectAccessible(page);
    await ended.getByLabel("Password").fill(instance.password);
    await page.keyboard.press("Enter");
    await expect(ended).toBeHidden();
    await expect(approval.getByLabel("Rule name")).toHaveValue("Typed before the session ended!");
    await expect(approval.locator("pre")).toContainText("session ended!");
  });
});

test("the page refreshes by itself, but not under somebody's hands", async ({ page }) => {
  await page.clock.install();
  await openView(page, views.candidates);
  let asked = 0;
  page.on("request", (request) => {
    if (request.url().includes("/candidates?")) asked += 1;
  });
  await page.clock.runFor(16_000);
  await expect.poll(() => asked).toBe(1);
  await page.getByRole("button", { name: /^Reject .* at / }).first().click();
  await expect(dialog(page, "Reject this candidate")).toBeVisible();
  await page.keyboard.type("half a reason");
  await page.clock.runFor(60_000);
  expect(asked).toBe(1);
  await expect(page.getByLabel("Reason")).toHaveValue("half a reason");
  await page.keyboard.press("Escape");
  await page.clock.runFor(16_000);
  await expect.poll(() => asked).toBeGreaterThan(1);
});
