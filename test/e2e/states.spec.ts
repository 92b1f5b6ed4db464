import type { Page, Route } from "@playwright/test";
import { dialog, expect, expectAccessible, expectNoSidewaysScroll, openView, test, views } from "./support";

const calls = {
  candidates: "**/learning/candidates?*",
  rules: "**/learning/promoted-rules?*",
  executions: "**/learning/execution-history?*",
  sites: "**/partners/me/sites",
  appliances: "**/partners/me/appliances?*",
  decisions: "**/learning/audit?*",
  people: "**/partners/me/users?*",
  keys: "**/partners/me/keys?*",
} as const;
type List = keyof typeof calls;
const lists = Object.keys(calls) as List[];
const words: Record<List, string> = {
  candidates: "candidates",
  rules: "rules",
  executions: "executions",
  sites: "sites",
  appliances: "appliances",
  decisions: "log",
  people: "people",
  keys: "keys",
};
const emptyAnswers: Record<List, object> = {
  candidates: { candidates: [], total: 0, next_cursor: null },
  rules: { rules: [], total: 0, next_cursor: null },
  executions: { executions: [], total: 0, next_cursor: null },
  sites: { sites: [] },
  appliances: { appliances: [], total: 0, next_cursor: null },
  decisions: { entries: [], total: 0, next_cursor: null },
  people: { users: [], total: 0, next_cursor: null },
  keys: { keys: [], total: 0, next_cursor: null },
};
const emptyTitles: Record<List, string> = {
  candidates: "Nothing yet",
  rules: "No rules yet",
  executions: "Nothing has run yet",
  sites: "No sites yet",
  appliances: "No appliances yet",
  decisions: "Nothing in the log yet",
  people: "Nobody yet",
  keys: "No keys yet",
};

const away = (route: Route) =>
  route.fulfill({
    status: 503,
    contentType: "application/problem+json",
    headers: { "Retry-After": "1" },
    body: JSON.stringify({
      type: "about:blank",
      title: "Service Unavailable",
      status: 503,
      detail: "The database is away. Try again in a few seconds.",
    }),
  });

async function checkState(page: Page) {
  await expectAccessible(page);
  await page.setViewportSize({ width: 360, height: 740 });
  await expectNoSidewaysScroll(page);
  await expectAccessible(page, ["light"]);
}

for (const list of lists) {
  test(`${list}: an error says what happened and can be tried again`, async ({ page }) => {
    await page.route(calls[list], away);
    await page.goto(views[list]);
    const alert = page.getByRole("alert");
    await expect(alert).toContainText(`The ${words[list]} could not be loaded`);
    await expect(alert).toContainText("The database is away.");
    await checkState(page);
    await page.unroute(calls[list]);
    await page.getByRole("button", { name: "Try again" }).click();
    await expect(page.locator(".list-body")).toBeVisible();
    await expect(alert).toHaveCount(0);
  });

  test(`${list}: while loading there is a skeleton, said to screen readers`, async ({ page }) => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route(calls[list], async (route) => {
      await held;
      await route.continue();
    });
    await page.goto(views[list]);
    await expect(page.getByText(`Loading ${words[list]} …`)).toBeAttached();
    await expect(page.locator(".skeleton-row").first()).toBeVisible();
    await checkState(page);
    release();
    await expect(page.locator(".list-body")).toBeVisible();
  });

  test(`${list}: empty says so, and why`, async ({ page }) => {
    await page.route(calls[list], (route) => route.fulfill({ json: emptyAnswers[list] }));
    await page.goto(views[list]);
    await expect(page.getByRole("heading", { name: emptyTitles[list] })).toBeVisible();
    await checkState(page);
  });
}

test("a search without a match offers the way back", async ({ page }) => {
  await openView(page, views.candidates);
  await page.getByLabel("Search").fill("zzz-no-such-pattern");
  await expect(page.getByRole("heading", { name: "Nothing matches" })).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Clear search and filters" }).click();
  await expect(page.getByRole("table", { name: "Candidates for promotion" })).toBeVisible();
  await expect(page.getByLabel("Search")).toHaveValue("");
});

test("figures that cannot be loaded are said, and the queue is there all the same", async ({
  page,
}) => {
  await page.route("**/learning/stats", away);
  await openView(page, views.candidates).catch(() => {});
  await expect(page.getByText("The figures could not be loaded")).toBeVisible();
  await expect(page.getByRole("table", { name: "Candidates for promotion" })).toBeVisible();
  await expectAccessible(page);
});

test("a refresh that fails leaves the list and says from when it is", async ({ page }) => {
  await openView(page, views.candidates);
  await page.route(calls.candidates, away);
  await page.getByRole("button", { name: "Refresh" }).click();
  await expect(page.getByRole("alert")).toContainText("Could not refresh: The database is away.");
  await expect(page.getByRole("table", { name: "Candidates for promotion" })).toBeVisible();
  await expectAccessible(page);
});

test("a candidate that does not exist is said in its panel", async ({ page }) => {
  await page.goto("/?tab=learning&candidate=00000000-0000-0000-0000-000000000000");
  const panel = dialog(page, "Candidate");
  await expect(panel.getByRole("alert")).toContainText("could not be loaded");
  await expectAccessible(page);
  await page.keyboard.press("Escape");
  await expect(panel).toBeHidden();
});

test("an address with values nobody offers is read as if they were absent", async ({ page }) => {
  const asked: string[] = [];
  page.on("request", (request) => {
    if (request.url().includes("/candidates?")) asked.push(new URL(request.url()).search);
  });
  await openView(page, "/?tab=nowhere&status=evil&sort=drop%20table&cursor=%00&site=..%2F&q=%07");
  await expect(page.getByRole("link", { name: "Learning" })).toHaveAttribute("aria-current", "page");
  expect(new Set(asked)).toEqual(new Set(["?limit=50"]));
});

test("a view whose program cannot be fetched says so, and the other tabs go on", async ({
  page,
  complaints,
}) => {
  await page.route("**/assets/PartnerAccess-*.js", (route) => route.abort());
  await page.goto(views.people);
  await expect(page.getByRole("heading", { name: "This view cannot be shown" })).toBeVisible();
  await expectAccessible(page);
  await page.unroute("**/assets/PartnerAccess-*.js");
  await page.getByRole("link", { name: "Sites" }).click();
  await expect(page.getByRole("table", { name: "Sites" })).toBeVisible();
  await page.goto(views.people);
  await expect(page.getByRole("table", { name: "People" })).toBeVisible();
  // The failure was wanted, and the console tells it; anything else would still be one too many.
  expect(complaints.every((one) => /dynamically imported module|PartnerAccess/.test(one))).toBe(true);
  complaints.length = 0;
});
