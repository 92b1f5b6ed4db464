/** Numbers and times as people read them, in the browser's language and zone. */

/** Made when first needed: the first of all costs some 15 ms, and the sign-in page needs none. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

const whole = once(() => new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 }));
const percent = once(() => new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 }));
const oneDigit = once(() => new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 }));

/** Makes those that nearly every view needs, one after the other, so that nothing has to wait long. */
export function prepareFormats(): void {
  for (const make of [whole, local, clock]) setTimeout(make);
}

export const noValue = "–";

export function formatCount(value: number | null | undefined): string {
  return typeof value === "number" && Number.isFinite(value) ? whole().format(value) : noValue;
}

/** A rate 0–1. Null (nothing to divide by) is a dash; only what is 0 or 1 is shown as 0 % or 100 %. */
export function formatRate(rate: number | null | undefined): string {
  if (typeof rate !== "number" || !Number.isFinite(rate)) return noValue;
  if (rate > 0 && rate < 0.0005) return `< ${percent().format(0.001)}`;
  if (rate < 1 && rate > 0.9994) return percent().format(0.999);
  return percent().format(rate);
}

export function formatDuration(ms: number | null | undefined): string {
  if (typeof ms !== "number" || !Number.isFinite(ms)) return noValue;
  if (ms < 1000) return `${whole().format(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${oneDigit().format(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds - minutes * 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const local = once(() => new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" }));
const hourMinute = once(() => new Intl.DateTimeFormat(undefined, { timeStyle: "short" }));
const clock = once(() => new Intl.DateTimeFormat(undefined, { timeStyle: "medium" }));

/** Null when the text is no time. */
export function parseTime(text: string | null | undefined): Date | null {
  if (!text) return null;
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? null : time;
}

export const formatLocal = (time: Date): string => local().format(time);
export const formatHour = (time: Date): string => hourMinute().format(time);
export const formatClock = (time: Date): string => clock().format(time);
export const formatUtc = (time: Date): string =>
  `${time.toISOString().replace("T", " ").replace(/\.\d+Z$/, "")} UTC`;

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** `candidate.approve` → `Candidate approve`: for words the server knows and we do not. */
export function humanize(text: string): string {
  const words = text.replace(/[._-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const days = once(() => new Intl.RelativeTimeFormat(undefined, { numeric: "auto" }));
const dayLong = 86_400_000;

/** "in 5 days", "tomorrow"; less than a day is said in hours. */
export function formatIn(time: Date, now = Date.now()): string {
  const left = time.getTime() - now;
  return Math.abs(left) < dayLong
    ? days().format(Math.round(left / 3_600_000), "hour")
    : days().format(Math.round(left / dayLong), "day");
}

export const isWithin = (time: Date, dayCount: number, now = Date.now()): boolean =>
  time.getTime() - now < dayCount * dayLong;
