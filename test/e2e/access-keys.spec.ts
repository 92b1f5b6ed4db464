import type { Page } from "@playwright/test";
import { fresh, instance, learning } from "./instance";
import { dialog, expect, expectAccessible, expectNoSidewaysScroll, openView, test, views } from "./support";

const rowsOf = (page: Page, name: string) => page.getByRole("row").filter({ hasText: name });

async function statusWith(page: Page, key: string): Promise<number> {
  // Without the session's cookie: the key alone.
  const answer = await page.request.get(`${learning}/stats`, { headers: { "X-API-Key": key, Cookie: "" } });
  return answer.status();
}

async function makeKey(page: Page, name: string, fill?: () => Promise<void>): Promise<string> {
  await page.getByRole("button", { name: /^New key/ }).click();
  await dialog(page, "New key").getByLabel("Name").fill(name);
  await fill?.();
  await page.getByRole("button", { name: "Make the key" }).click();
  await expect(dialog(page, `Key ${name}`)).toBeVisible();
  const secret = await dialog(page, `Key ${name}`).getByLabel(/shown only now/).inputValue();
  expect(secret).toMatch(/^fwk_[A-Za-z0-9_-]{43}$/);
  return secret;
}

async function closeSecret(page: Page) {
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("button", { name: "Close without copying" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
}

test("a key's life: made, used, rotated with both working for a while, revoked", async ({ page }) => {
  const name = fresh("nightly");
  await openView(page, views.keys);
  const first = await makeKey(page, name);
  await expectAccessible(page);
  await closeSecret(page);
  await expect(page.getByText(first)).toHaveCount(0);
  await expect(rowsOf(page, name)).toContainText("never");
  expect(await statusWith(page, first)).toBe(200);
  await page.getByRole("button", { name: "Refresh" }).click();
  await expect(rowsOf(page, name)).not.toContainText("never");

  const prefix = first.slice(0, 12);
  await page.getByRole("button", { name: `Rotate ${prefix} …` }).click();
  const rotate = dialog(page, `Rotate ${name}`);
  await expect(rotate.getByLabel(/old key goes on/)).toBeFocused();
  await rotate.getByLabel(/old key goes on/).selectOption("One day");
  await expectAccessible(page);
  await rotate.getByRole("button", { name: "Make the new key" }).click();
  const made = dialog(page, `Key ${name}`);
  await expect(made).toContainText(`The old key (${prefix}…) works until`);
  const second = await made.getByLabel(/shown only now/).inputValue();
  await expectAccessible(page);
  await closeSecret(page);
  await expect(rowsOf(page, name)).toHaveCount(2);
  await expect(rowsOf(page, prefix)).toContainText("Replaced");
  expect(await statusWith(page, first)).toBe(200);
  expect(await statusWith(page, second)).toBe(200);
  // What has a successor is not rotated again.
  await expect(page.getByRole("button", { name: `Rotate ${prefix} …` })).toHaveCount(0);

  await page.getByRole("button", { name: `Revoke ${prefix} …` }).click();
  const revoke = dialog(page, "Revoke this key?");
  await expect(revoke.getByRole("button", { name: "Keep it" })).toBeFocused();
  await expectAccessible(page);
  await revoke.getByRole("button", { name: "Revoke for good" }).click();
  await expect(page.getByText(/is revoked\./)).toBeVisible();
  await expect(rowsOf(page, prefix)).toContainText("Revoked");
  await expect.poll(() => statusWith(page, first), { timeout: 5_000 }).toBe(401);
  expect(await statusWith(page, second)).toBe(200);

  await openView(page, views["access log"]);
  for (const words of ["Key made", "Key rotated", "Key revoked"]) {
    await expect(page.locator(".log-entry", { hasText: name }).filter({ hasText: words })).toHaveCount(1);
  }
});

test("a key that acts as me and ends soon says both", async ({ page }) => {
  const name = fresh("mine");
  await openView(page, views.keys);
  const key = await makeKey(page, name, async () => {
    const form = dialog(page, "New key");
    await form.getByLabel("Days it is valid").fill("0");
    await form.getByRole("checkbox", { name: /^Read/ }).uncheck();
    await page.getByRole("button", { name: "Make the key" }).click();
    await expect(form.getByText("Use a whole number from 1 to 365.")).toBeVisible();
    await expect(form.getByText("Choose at least one.")).toBeVisible();
    await expectAccessible(page);
    await page.setViewportSize({ width: 360, height: 740 });
    await expectNoSidewaysScroll(page);
    await expectAccessible(page, ["light"]);
    await page.setViewportSize({ width: 1280, height: 900 });
    await form.getByLabel("Days it is valid").fill("5");
    await form.getByRole("checkbox", { name: /^Read/ }).check();
    await form.getByRole("checkbox", { name: /^Decide/ }).check();
    await form.getByRole("checkbox", { name: /^Acts as me/ }).check();
  });
  await closeSecret(page);
  const row = rowsOf(page, name);
  await expect(row).toContainText("you");
  await expect(row).toContainText("Read, Decide");
  await expect(row).toContainText("Ends in 5 days");
  await expectAccessible(page);
  const answer = await page.request.get("/api/partner-auth/me", { headers: { "X-API-Key": key, Cookie: "" } });
  expect(((await answer.json()) as { user: { email: string } }).user.email).toBe(instance.email);
});
