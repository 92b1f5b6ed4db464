import type { Browser, Page } from "@playwright/test";
import { flywheelctl, fresh, instance } from "./instance";
import {
  dialog,
  expect,
  expectAccessible,
  expectNoSidewaysScroll,
  openView,
  tabTo,
  test,
  views,
} from "./support";

const nobody = { cookies: [], origins: [] };
const rowOf = (page: Page, email: string) => page.getByRole("row").filter({ hasText: email });

/** A window of somebody who is not signed in, with its page closed at the end. */
async function elsewhere(browser: Browser, use: (page: Page) => Promise<void>) {
  const context = await browser.newContext({ storageState: nobody, baseURL: instance.url });
  try {
    await use(await context.newPage());
  } finally {
    await context.close();
  }
}

async function signIn(page: Page, email: string, password: string) {
  await page.goto("/");
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Somebody of the partner who can sign in; made by the operators' command. */
function somebody(role: string): { email: string; password: string } {
  const email = `${fresh(role)}@people.example`;
  const args = ["user", "add", "--partner", instance.partner_slug, "--email", email, "--role", role];
  return { email, password: flywheelctl(...args)["password"]! };
}

const secretIn = (page: Page) => page.getByRole("dialog").getByLabel(/shown only now/).inputValue();

test("inviting somebody: the link is shown once, sets a password once, and leads to the sign-in", async ({
  page,
  browser,
}) => {
  const email = `${fresh("invited")}@people.example`;
  await openView(page, views.people);
  await page.getByRole("button", { name: /^Invite/ }).click();
  const invite = dialog(page, "Invite somebody");
  await expect(invite.getByLabel("Email")).toBeFocused();
  await invite.getByRole("button", { name: "Make the invitation" }).click();
  await expect(invite.getByText("Enter an email address.")).toBeVisible();
  await expectAccessible(page);
  await invite.getByLabel("Email").fill(instance.email);
  await invite.getByRole("button", { name: "Make the invitation" }).click();
  await expect(invite.getByText(/has this e-mail address already/)).toBeVisible();
  await invite.getByLabel("Email").fill(email);
  await invite.getByLabel("Name").fill("Robin Vale");
  await invite.getByRole("radio", { name: /^Approver/ }).check();
  await invite.getByRole("button", { name: "Make the invitation" }).click();

  const handed = dialog(page, `Password link for ${email}`);
  await expect(handed).toBeVisible();
  const link = await secretIn(page);
  expect(link).toMatch(new RegExp(`^${instance.url}/#set-password=fwl_[A-Za-z0-9_-]{43}$`));
  await page.keyboard.press("Escape");
  await expect(handed.getByText("You have not copied the link yet.")).toBeVisible();
  await expectAccessible(page);
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await handed.getByRole("button", { name: "Copy the link" }).click();
  await expect(handed.getByText("Copied.")).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(link);
  await handed.getByRole("button", { name: "Done" }).click();
  await expect(handed).toBeHidden();
  await expect(page.getByRole("button", { name: /^Invite/ })).toBeFocused();
  await expect(rowOf(page, email)).toContainText("Robin Vale");
  await expect(rowOf(page, email)).toContainText("Invited");
  await expect(rowOf(page, email)).toContainText("Approver");

  await elsewhere(browser, async (theirs) => {
    const asked: string[] = [];
    theirs.on("request", (request) => asked.push(request.url()));
    await theirs.goto(link);
    await expect(theirs.getByLabel("New password", { exact: true })).toBeFocused();
    expect(theirs.url()).toBe(`${instance.url}/`);
    await theirs.getByLabel("New password", { exact: true }).fill("too short");
    await theirs.keyboard.press("Enter");
    await expect(theirs.getByText(/Use at least 12 characters/)).toBeVisible();
    await expectAccessible(theirs);
    await theirs.setViewportSize({ width: 360, height: 740 });
    await expectNoSidewaysScroll(theirs);
    await theirs.getByLabel("New password", { exact: true }).fill(email);
    await theirs.keyboard.press("Enter");
    await expect(theirs.getByText(/must not be the e-mail address/)).toBeVisible();
    await theirs.getByLabel("New password", { exact: true }).fill("four unrelated words here");
    await theirs.getByRole("button", { name: "Set the password" }).click();
    await expect(theirs.getByText("Your password is set. Sign in with it.")).toBeVisible();
    await expect(theirs.getByLabel("Email")).toHaveValue(email);
    await expectAccessible(theirs);
    await theirs.getByLabel("Password").fill("four unrelated words here");
    await theirs.keyboard.press("Enter");
    await expect(theirs.getByRole("button", { name: "Sign out" })).toBeVisible();
    expect(asked.filter((url) => url.includes("fwl_"))).toEqual([]);

    // An approver has no business here, and is told so.
    await expect(theirs.getByRole("link", { name: "Access" })).toHaveCount(0);
    await theirs.goto(views.keys);
    await expect(theirs.getByText("People and keys are for admins")).toBeVisible();
    await expectAccessible(theirs);
    await theirs.getByRole("button", { name: "Sign out" }).click();
    await expect(theirs.getByLabel("Password")).toBeVisible();

    await theirs.goto(link);
    await theirs.getByLabel("New password", { exact: true }).fill("another four words here");
    await theirs.keyboard.press("Enter");
    await expect(theirs.getByRole("heading", { name: "This link does not work" })).toBeFocused();
    await expectAccessible(theirs);
    await theirs.getByRole("button", { name: "To the sign-in" }).click();
    await expect(theirs.getByLabel("Email")).toBeVisible();
  });

  await page.getByRole("button", { name: "Refresh" }).click();
  await expect(rowOf(page, email)).toContainText("Active");
});

test("changing a role, disabling, enabling; the log tells each", async ({ page, browser }) => {
  const { email, password } = somebody("viewer");
  await openView(page, views.people);
  await elsewhere(browser, async (theirs) => {
    await signIn(theirs, email, password);
    await expect(theirs.getByText("You can look at everything here.")).toBeVisible();

    await page.getByRole("button", { name: `Edit ${email} …` }).click();
    const edit = dialog(page, `Edit ${email}`);
    await edit.getByRole("radio", { name: /^Approver/ }).check();
    await expectAccessible(page);
    await edit.getByRole("button", { name: "Save" }).click();
    await expect(page.getByText("is saved: Approver.")).toBeVisible();
    await expect(rowOf(page, email)).toContainText("Approver");
    await theirs.reload();
    await expect(theirs.getByRole("button", { name: /^Approve / }).first()).toBeVisible();

    await page.getByRole("button", { name: `Disable ${email} …` }).click();
    const disable = dialog(page, `Disable ${email}?`);
    await expect(disable.getByRole("button", { name: "Keep them" })).toBeFocused();
    await expectAccessible(page);
    await disable.getByRole("button", { name: "Disable", exact: true }).click();
    await expect(rowOf(page, email)).toContainText("Disabled");
    await theirs.getByRole("link", { name: "Sites" }).click();
    await expect(dialog(theirs, "Your session has ended")).toBeVisible();
    await signIn(theirs, email, password);
    await expect(theirs.getByRole("alert")).toBeVisible();

    await page.getByRole("button", { name: `Enable ${email} …` }).click();
    await dialog(page, `Enable ${email}?`).getByRole("button", { name: "Enable", exact: true }).click();
    await expect(rowOf(page, email)).toContainText("Active");
    await signIn(theirs, email, password);
    await expect(theirs.getByRole("button", { name: "Sign out" })).toBeVisible();
  });

  await openView(page, views["access log"]);
  for (const words of ["Person changed", "Disabled", "Enabled"]) {
    const entry = page.locator(".log-entry", { hasText: email }).filter({ hasText: words });
    await expect(entry.first()).toContainText(instance.email);
  }
  await page.getByLabel("About").selectOption("Decisions and rules");
  await expect(page.locator(".log-entry").first()).toBeVisible();
  await expect(page.locator(".log-entry", { hasText: email })).toHaveCount(0);
});

test("nobody takes their own role, and the buttons for it are not there", async ({ page }) => {
  await openView(page, views.people);
  const own = rowOf(page, instance.email);
  await expect(own).toContainText("(you)");
  await expect(own.getByRole("button")).toHaveCount(1);
  await own.getByRole("button", { name: /^Edit/ }).click();
  const edit = dialog(page, `Edit ${instance.email}`);
  await expect(edit.getByText(/Only another admin can change your role/)).toBeVisible();
  await expect(edit.getByRole("radio")).toHaveCount(0);
  await expectAccessible(page);
});

test("a locked address: the sign-in page says for how long, the admin sees it, a new link lifts it", async ({
  page,
  browser,
}) => {
  const { email, password } = somebody("viewer");
  await elsewhere(browser, async (theirs) => {
    for (let failures = 0; failures < 10; failures++) {
      const data = { email, password: "wrong all along" };
      expect((await theirs.request.post("/api/partner-auth/login", { data })).status()).toBe(401);
    }
    await signIn(theirs, email, password);
    await expect(theirs.getByRole("alert")).toContainText("locked, even for the right password");
    await expect(theirs.getByRole("timer")).toHaveText(/^Try again in 1[0-5] min \d+ s\.$/);
    await expectAccessible(theirs);
    await theirs.setViewportSize({ width: 360, height: 740 });
    await expectNoSidewaysScroll(theirs);

    await openView(page, views.people);
    await expect(rowOf(page, email)).toContainText(/Locked until \d/);
    await expectAccessible(page);
    await page.getByRole("button", { name: `Reset password ${email} …` }).click();
    await expect(page.getByText(/the lock on the address is lifted/)).toBeVisible();
    await page.getByRole("button", { name: "Make a link" }).click();
    await expect(dialog(page, `Password link for ${email}`)).toBeVisible();
    const link = await secretIn(page);
    await expect(rowOf(page, email)).not.toContainText("Locked");

    // The old password works until the link is used.
    await signIn(theirs, email, password);
    await expect(theirs.getByRole("button", { name: "Sign out" })).toBeVisible();
    await theirs.goto(link);
    await theirs.getByLabel("New password", { exact: true }).fill("four unrelated words here");
    await theirs.keyboard.press("Enter");
    // Setting it has ended the session that was open in the same window.
    await expect(theirs.getByText("Your password is set.")).toBeVisible();
    await theirs.reload();
    await expect(theirs.getByLabel("Password")).toBeVisible();
  });
});

test("one's own password: the current one is asked for, and sessions elsewhere end", async ({
  page,
  browser,
}) => {
  const { email, password } = somebody("viewer");
  await page.context().clearCookies();
  await signIn(page, email, password);
  await expect(page.getByRole("button", { name: "Sign out" })).toBeVisible();
  await elsewhere(browser, async (other) => {
    await signIn(other, email, password);
    await expect(other.getByRole("button", { name: "Sign out" })).toBeVisible();

    await page.getByRole("button", { name: "Change password" }).click();
    const change = dialog(page, "Change your password");
    await expect(change.getByLabel("Current password", { exact: true })).toBeFocused();
    await change.getByRole("button", { name: "Change the password" }).click();
    await expect(change.getByText("Enter the password you have now.")).toBeVisible();
    await expectAccessible(page);
    await page.setViewportSize({ width: 360, height: 740 });
    await expectAccessible(page, ["light"]);
    await change.getByLabel("Current password", { exact: true }).fill("certainly another");
    await change.getByLabel("New password", { exact: true }).fill("four unrelated words here");
    await page.keyboard.press("Enter");
    await expect(change.getByText("This is wrong.")).toBeVisible();
    await expect(change.getByLabel("Current password", { exact: true })).toBeFocused();
    await change.getByLabel("Current password", { exact: true }).fill(password);
    await page.keyboard.press("Enter");
    await expect(page.getByText(/Your password is changed/)).toBeVisible();

    await page.reload();
    await expect(page.getByRole("button", { name: "Sign out" })).toBeVisible();
    await other.reload();
    await expect(other.getByLabel("Password")).toBeVisible();
  });
});

test("by keyboard: invite, get the link, close, and be where one was", async ({ page }) => {
  await openView(page, views.people);
  await tabTo(page, /^Invite/);
  await page.keyboard.press("Enter");
  await page.keyboard.type(`${fresh("keyboard")}@people.example`);
  await tabTo(page, /^Viewer/, "radio");
  await page.keyboard.press("ArrowDown");
  await expect(page.getByRole("radio", { name: /^Approver/ })).toBeChecked();
  await page.keyboard.press("Enter");
  await expect(dialog(page, /^Password link/)).toBeVisible();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.getByRole("button", { name: /^Invite/ })).toBeFocused();
});
