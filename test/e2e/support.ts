import AxeBuilder from "@axe-core/playwright";
import { expect, test as base, type Locator, type Page } from "@playwright/test";
import { instance, learning, sessionFile, withKey } from "./instance";

/**
 * Every test starts signed in, unless it says otherwise, and fails when the page reports an error or
 * breaks its own content security policy.
 */
export const test = base.extend<{ complaints: string[] }>({
  storageState: sessionFile,
  baseURL: instance.url,
  complaints: [
    async ({ page }, use) => {
      const complaints: string[] = [];
      page.on("pageerror", (error) => complaints.push(error.message));
      page.on("console", (message) => {
        const text = message.text();
        // The browser notes every answer of 4xx and 5xx; whether it was wanted is for the test to say.
        if (message.type() === "error" && !text.startsWith("Failed to load resource")) {
          complaints.push(text);
        }
      });
      await use(complaints);
      expect(complaints, "the page complained in the console").toEqual([]);
    },
    { auto: true },
  ],
});
export { expect };

const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

async function findings(page: Page): Promise<string[]> {
  // The middle of a long table is more of the same; looking at all of it takes half a minute.
  const { violations, passes } = await new AxeBuilder({ page })
    .options({ resultTypes: ["violations"] })
    .withTags(rules)
    .exclude("tbody tr:nth-child(n+9):nth-last-child(n+5)")
    .exclude(".log-entry:nth-child(n+12)")
    .analyze();
  expect(passes.length, "axe looked at something").toBeGreaterThan(5);
  return violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.html.slice(0, 160)} (${node.failureSummary ?? ""})`),
  );
}

/** axe (WCAG 2.2 AA) finds nothing, in the light and, unless told otherwise, in the dark. */
export async function expectAccessible(
  page: Page,
  schemes: readonly ("light" | "dark")[] = ["light", "dark"],
) {
  for (const colorScheme of schemes) {
    await page.emulateMedia({ colorScheme });
    expect(await findings(page), `axe, ${colorScheme}`).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: "light" });
}

/** Nothing makes the page wider than the window. */
export async function expectNoSidewaysScroll(page: Page) {
  const excess = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect(excess, "pixels wider than the window").toBeLessThanOrEqual(0);
}

export const views = {
  candidates: "/?tab=learning",
  rules: "/?tab=learning&view=rules",
  executions: "/?tab=learning&view=history",
  sites: "/?tab=sites",
  appliances: "/?tab=sites&view=appliances",
  decided: "/?tab=learning&status=rejected",
  decisions: "/?tab=activity",
  "access log": "/?tab=activity&about=access",
  "all executions": "/?tab=activity&view=executions",
  people: "/?tab=access",
  keys: "/?tab=access&view=keys",
} as const;

/** Goes to a view and waits until its list is there. */
export async function openView(page: Page, address: string) {
  await page.goto(address);
  await expect(page.locator(".list-body")).toBeVisible();
  await expect(page.locator(".card .skeleton")).toHaveCount(0);
}

export const dialog = (page: Page, name: string | RegExp): Locator =>
  page.getByRole("dialog", { name });

export interface Candidate {
  id: string | number;
  pattern_signature: string;
  site_id: string;
  site_name: string;
  approval_status: string;
  check_type: string | null;
  risk_tier: string | null;
}

export const story = "print-spooler-restart";

interface Detail {
  candidate: Candidate;
  proposed_rule: object | null;
}

/** Undecided candidates that the story does not need. */
export async function undecided(page: Page): Promise<Candidate[]> {
  const answer = await page.request.get(`${learning}/candidates?status=not_submitted&limit=200`, {
    headers: withKey,
  });
  expect(answer.ok()).toBe(true);
  const { candidates } = (await answer.json()) as { candidates: Candidate[] };
  return candidates.filter((one) => one.pattern_signature !== story);
}

/** One that can be approved: a rule can be made of it, and its risk is not R3. */
export async function approvable(page: Page): Promise<Candidate> {
  for (const one of await undecided(page)) {
    const answer = await page.request.get(`${learning}/candidates/${one.id}`, { headers: withKey });
    const detail = (await answer.json()) as Detail;
    if (detail.proposed_rule && detail.candidate.risk_tier !== "R3") return one;
  }
  throw new Error("no candidate of the demonstration data can be approved any more");
}

export interface Stats {
  pending_candidates: number;
  active_promoted_rules: number;
}

export async function statsOf(page: Page): Promise<Stats> {
  const answer = await page.request.get(`${learning}/stats`, { headers: withKey });
  return (await answer.json()) as Stats;
}

/** The list of candidates, searched for one. */
export async function openCandidate(page: Page, one: Candidate): Promise<Locator> {
  await openView(page, `/?tab=learning&q=${one.pattern_signature}&site=${one.site_id}`);
  return page
    .getByRole("row")
    .filter({ has: page.getByRole("button", { name: `Details of ${one.pattern_signature}` }) });
}

/** Presses Tab until what has the focus is called this, as a person without a mouse would. */
export async function tabTo(page: Page, name: string | RegExp, role = "button", most = 60) {
  const wanted = page.getByRole(role as "button", { name });
  for (let presses = 0; presses < most; presses++) {
    await page.keyboard.press("Tab");
    const there = await wanted.evaluateAll((all) => all.includes(document.activeElement as HTMLElement));
    if (there) {
      const outline = await page.evaluate(
        () => getComputedStyle(document.activeElement as Element).outlineStyle,
      );
      expect(outline, `the focus on ${name} can be seen`).not.toBe("none");
      return;
    }
  }
  throw new Error(`Tab does not lead to ${role} ${name}`);
}
