import { chromium } from "@playwright/test";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { instance, sessionFile } from "./instance";
import {
  expect,
  expectAccessible,
  expectNoSidewaysScroll,
  openView,
  test,
  views,
} from "./support";

for (const [name, address] of Object.entries(views)) {
  test(`${name}: axe finds nothing, light and dark, wide and on a phone of 360 px`, async ({
    page,
  }) => {
    await openView(page, address);
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
    await page.setViewportSize({ width: 360, height: 740 });
    await expectNoSidewaysScroll(page);
    // Only the arrangement is another one; the colours are the same.
    await expectAccessible(page, ["light"]);
  });

  test(`${name}: nothing is lost between a phone and a desk`, async ({ page }) => {
    await openView(page, address);
    for (const width of [480, 704, 768, 960, 1152, 1200, 1440, 1920]) {
      await page.setViewportSize({ width, height: 800 });
      await expectNoSidewaysScroll(page);
    }
  });
}

test("on a phone the queue comes first, the figures after it", async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await openView(page, views.candidates);
  const queue = (await page.getByRole("heading", { name: "Candidates" }).boundingBox())!;
  const figures = (await page.locator(".cards").boundingBox())!;
  expect(figures.y).toBeGreaterThan(queue.y);
  await expect(page.getByRole("button", { name: /^Approve / }).first()).toBeVisible();
});

test("with text at 200 % every view still fits", async ({}, info) => {
  // The browser's own setting for the size of text, as a person would change it.
  const profile = join(info.outputDir, "profile");
  mkdirSync(join(profile, "Default"), { recursive: true });
  writeFileSync(
    join(profile, "Default", "Preferences"),
    JSON.stringify({ webkit: { webprefs: { default_font_size: 32 } } }),
  );
  const { executablePath, args } = info.project.use.launchOptions!;
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: executablePath!,
    args: args!,
    viewport: { width: 1280, height: 900 },
    baseURL: instance.url,
  });
  try {
    const { cookies } = JSON.parse(
      (await import("node:fs")).readFileSync(sessionFile, "utf8"),
    ) as { cookies: Parameters<typeof context.addCookies>[0] };
    await context.addCookies(cookies);
    const page = context.pages()[0]!;
    for (const address of Object.values(views)) {
      await openView(page, address);
      const size = await page.evaluate(() => getComputedStyle(document.documentElement).fontSize);
      expect(size).toBe("32px");
      await expectNoSidewaysScroll(page);
    }
    await expectAccessible(page, ["light"]);
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  }
});

test("times are in the viewer's zone, with the exact one in UTC on hover", async ({ page }) => {
  await openView(page, views.executions);
  const time = page.locator("tbody time").first();
  const exact = (await time.getAttribute("datetime"))!;
  await expect(time).toHaveAttribute("title", /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/);
  const local = await page.evaluate(
    (at) =>
      new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" }).format(
        new Date(at),
      ),
    exact,
  );
  await expect(time).toHaveText(local);
});

test("JavaScript and CSS together stay within 150 kB, compressed; what only admins see is fetched when they look", async ({
  page,
}) => {
  const html = await (await page.request.get("/")).text();
  const first = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+\.(?:js|css))"/g)].map(
    (match) => match[1]!,
  );
  expect(first.length).toBeGreaterThanOrEqual(2);
  const all = new Set(first);
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    if (/\.(js|css)$/.test(pathname)) all.add(pathname);
  });
  for (const [name, address] of Object.entries(views)) {
    await openView(page, address);
    if (name !== "people" && name !== "keys") expect([...all], name).toEqual(first);
  }
  expect(all.size).toBeGreaterThan(first.length);
  let size = 0;
  for (const asset of all) {
    const answer = await page.request.get(asset);
    expect(answer.headers()["cache-control"]).toContain("immutable");
    size += gzipSync(await answer.body(), { level: 9 }).length;
  }
  expect(size).toBeLessThanOrEqual(150_000);
});

test("what loads has its height already: nothing jumps", async ({ page }) => {
  await page.addInitScript(() => {
    let shift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEntry & {
        value: number;
        hadRecentInput: boolean;
      })[]) {
        if (!entry.hadRecentInput) shift += entry.value;
      }
      (window as unknown as { shift: number }).shift = shift;
    }).observe({ type: "layout-shift", buffered: true });
  });
  // The figures come last: what is above the list changes when the list is there already.
  await page.route("**/api/partners/**", async (route) => {
    const wait = route.request().url().endsWith("/stats") ? 700 : 300;
    await new Promise((resolve) => setTimeout(resolve, wait));
    await route.continue();
  });
  for (const width of [1280, 412, 360]) {
    await page.setViewportSize({ width, height: 800 });
    for (const address of Object.values(views)) {
      await openView(page, address);
      await page.waitForTimeout(200);
      const shift = await page.evaluate(() => (window as unknown as { shift?: number }).shift ?? 0);
      expect(shift, `${address} at ${width} px`).toBeLessThan(0.05);
    }
  }
});
