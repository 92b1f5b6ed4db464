// Lighthouse's four categories for the sign-in page and for the queue of somebody who is signed in.
//
//   node measure.mjs --url https://NAME:PORT --address 127.0.0.1 --summary quickstart.json --json FILE [--runs N]
//
// A phone as Lighthouse simulates it: slow 4G and a processor four times slower. Each run has a browser of its own with
// nothing in its cache; the pages take turns, so that a noisy moment hits both. Medians are printed, with the lowest and
// the highest, and the machine's own speed (Lighthouse's benchmark index) beside them: the simulation starts from what
// was measured here, so a machine that is busy makes the page look slower than it is, never faster. Beside Lighthouse's
// blocking time (TBT), which goes by the clock, stands the same by the processor's time alone ("of CPU"): where the two
// are far apart, the page waited for other programs. Only Lighthouse's own figures count for the verdict.
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { parseArgs } from "node:util";
import lighthouse from "lighthouse";
import puppeteer from "puppeteer-core";

const { values: given } = parseArgs({
  options: {
    url: { type: "string" },
    address: { type: "string" },
    summary: { type: "string" },
    json: { type: "string" },
    runs: { type: "string", default: "5" },
  },
});
const wanted = 95;
const runs = Number(given.runs);
if (!given.url || !given.address || !given.summary || !given.json || !(runs >= 1)) {
  throw new Error("see the first lines of this file for the arguments");
}
const { hostname } = new URL(given.url);
const { email, password } = JSON.parse(readFileSync(given.summary, "utf8"));

const pages = [
  { name: "sign-in", path: "/", signedIn: false, ready: "input[type=password]" },
  { name: "queue", path: "/?tab=learning", signedIn: true, ready: ".list-body .table" },
];
const categories = ["performance", "accessibility", "best-practices", "seo"];
const metrics = {
  FCP: "first-contentful-paint",
  LCP: "largest-contentful-paint",
  TBT: "total-blocking-time",
  CLS: "cumulative-layout-shift",
  SI: "speed-index",
};

/** Blocking time after the first paint as the main thread's own processor time has it, on a phone four times slower. */
function blockingOfCpu({ traceEvents }) {
  const ours = traceEvents.find((e) => e.name === "firstContentfulPaint");
  if (!ours) return NaN;
  const tasks = traceEvents.filter(
    (e) => e.ph === "X" && e.name.endsWith("RunTask") && e.pid === ours.pid && e.tid === ours.tid,
  );
  return tasks
    .filter((task) => task.ts > ours.ts)
    .reduce((sum, task) => sum + Math.max(0, ((task.tdur ?? 0) / 1000) * 4 - 50), 0);
}

const launch = () =>
  puppeteer.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    // The certificate is made for the measurement, and its name is known to this browser alone.
    acceptInsecureCerts: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--ignore-certificate-errors",
      `--host-resolver-rules=MAP ${hostname} ${given.address}`,
    ],
  });

/** The cookies of a session, by the way that a person signs in. */
async function signIn() {
  const browser = await launch();
  try {
    const page = await browser.newPage();
    await page.goto(given.url);
    await page.waitForSelector("input[type=password]");
    await page.type("input[type=email]", email);
    await page.type("input[type=password]", password);
    await page.keyboard.press("Enter");
    await page.waitForSelector(".list-body");
    return await browser.cookies();
  } finally {
    await browser.close();
  }
}

class LostRun extends Error {}

async function measure({ path, signedIn, ready }, cookies) {
  const browser = await launch();
  try {
    if (signedIn) await browser.setCookie(...cookies);
    const page = await browser.newPage();
    const flags = { logLevel: "error", onlyCategories: categories, enableErrorReporting: false };
    const { lhr, artifacts } = await lighthouse(given.url + path, flags, undefined, page);
    if (lhr.runtimeError) throw new LostRun(`Lighthouse: ${lhr.runtimeError.message}`);
    // Scores of another page than the one that was meant would be worth nothing.
    if (!(await page.$(ready))) throw new Error(`${path} did not show what it should (${ready})`);
    return { ...lhr, blockingOfCpu: blockingOfCpu(artifacts.Trace) };
  } finally {
    await browser.close();
  }
}

/** Chromium sometimes loses the beginning of its own trace; that run has no figures and is made again, said aloud. */
async function measureForSure(page, cookies) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await measure(page, cookies);
    } catch (error) {
      if (attempt === 3 || !(error instanceof LostRun)) throw error;
      console.log(`${error.message}: this run is made again`);
    }
  }
}

const median = (numbers) => {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
const spread = (numbers) => ({
  median: median(numbers),
  lowest: Math.min(...numbers),
  highest: Math.max(...numbers),
});
const scoreOf = (lhr, category) => Math.round((lhr.categories[category].score ?? 0) * 100);

/** What keeps a category below 100, in any of the runs. */
function findings(reports) {
  const found = new Map();
  for (const { categories: all, audits } of reports) {
    for (const category of Object.values(all)) {
      for (const { id, weight } of category.auditRefs) {
        const { score, title, displayValue } = audits[id];
        if (weight > 0 && score !== null && score < 0.9 && !found.has(id)) {
          found.set(id, `${category.id}: ${title}${displayValue ? ` (${displayValue})` : ""}`);
        }
      }
    }
  }
  return [...found.values()];
}

function summarize({ name }, reports) {
  const row = { page: name, scores: {}, metrics: {} };
  for (const category of categories) {
    row.scores[category] = spread(reports.map((lhr) => scoreOf(lhr, category)));
  }
  for (const [short, id] of Object.entries(metrics)) {
    row.metrics[short] = spread(reports.map((lhr) => lhr.audits[id].numericValue));
  }
  row.metrics.TBT_of_CPU = spread(reports.map((lhr) => lhr.blockingOfCpu));
  row.bytes = median(reports.map((lhr) => lhr.audits["total-byte-weight"].numericValue));
  row.machine = spread(reports.map((lhr) => lhr.environment.benchmarkIndex));
  row.findings = findings(reports);
  row.holds = categories.every((category) => row.scores[category].median >= wanted);
  return row;
}

const cell = ({ median: middle, lowest, highest }, width = 16) =>
  `${Math.round(middle)} (${Math.round(lowest)}–${Math.round(highest)})`.padStart(width);

function print(rows) {
  console.log(`\n${"page".padEnd(10)}${categories.map((c) => c.padStart(16)).join("")}`);
  for (const { page, scores } of rows) {
    console.log(page.padEnd(10) + categories.map((c) => cell(scores[c])).join(""));
  }
  console.log(`\n${"page".padEnd(10)}${["FCP ms", "LCP ms", "TBT ms", "of CPU ms", "SI ms"].map((m) => m.padStart(22)).join("")}     CLS     kB  machine`);
  for (const { page, metrics: m, bytes, machine } of rows) {
    const times = [m.FCP, m.LCP, m.TBT, m.TBT_of_CPU, m.SI].map((one) => cell(one, 22)).join("");
    const rest = `${m.CLS.median.toFixed(3).padStart(8)}${(bytes / 1000).toFixed(0).padStart(7)}`;
    console.log(`${page.padEnd(10)}${times}${rest}${cell(machine, 18)}`);
  }
  for (const { page, findings: all } of rows) {
    for (const one of all) console.log(`${page}: ${one}`);
  }
  const holds = rows.every((row) => row.holds);
  console.log(
    `\nLighthouse mobile, median of ${runs}: ${
      holds ? `at least ${wanted} in all four categories` : `NOT at least ${wanted} in all four categories`
    }.`,
  );
}

const cookies = await signIn();
const reports = new Map(pages.map((page) => [page, []]));
const loadBefore = loadavg()[0];
let version = "";
for (let run = 1; run <= runs; run++) {
  for (const page of pages) {
    const lhr = await measureForSure(page, cookies);
    version = lhr.lighthouseVersion;
    reports.get(page).push(lhr);
    const scores = categories.map((category) => scoreOf(lhr, category)).join(" ");
    console.log(`run ${run} of ${runs}, ${page.name}: ${scores}`);
  }
}
const rows = pages.map((page) => summarize(page, reports.get(page)));
print(rows);
const load = { before: loadBefore, after: loadavg()[0] };
console.log(`The machine's load: ${load.before.toFixed(1)} before, ${load.after.toFixed(1)} after, on ${availableParallelism()} processors.`);
writeFileSync(given.json, `${JSON.stringify({ lighthouse: version, runs, wanted, load, rows }, null, 2)}\n`);
