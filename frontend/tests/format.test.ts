import { expect, test } from "vitest";
import { changesOf, describe as inWords } from "../src/activity/describe";
import type { AuditEntry } from "../src/api/types";
import { checkName, checkNotes, checkReason } from "../src/lib/checks";
import { formatDuration, formatRate, formatUtc } from "../src/lib/format";

test("P15: a rate is a fraction, and one without a denominator is a dash, not 0 % or 100 %", () => {
  expect(formatRate(0.9333)).toBe("93.3%");
  expect(formatRate(1)).toBe("100%");
  expect(formatRate(0)).toBe("0%");
  expect(formatRate(null)).toBe("–");
  expect(formatRate(undefined)).toBe("–");
  expect(formatRate(Number.NaN)).toBe("–");
});

test("only what is all or nothing is shown as 100 % or 0 %", () => {
  expect(formatRate(0.99999)).toBe("99.9%");
  expect(formatRate(0.00001)).toBe("< 0.1%");
});

test("durations are read at a glance", () => {
  expect(formatDuration(420)).toBe("420 ms");
  expect(formatDuration(4200)).toBe("4.2 s");
  expect(formatDuration(200_000)).toBe("3 min 20 s");
  expect(formatDuration(3_720_000)).toBe("1 h 2 min");
  expect(formatDuration(null)).toBe("–");
});

test("the exact time is in UTC and says so", () => {
  expect(formatUtc(new Date("2026-11-20T10:00:07.123Z"))).toBe("2026-11-20 10:00:07 UTC");
});

test("P12: a reason of white space only is blank, Unicode's too", () => {
  for (const blank of ["", " ", "\n\t", "\u00a0\u2003\u3000", "\u200b\u2060\ufeff"]) {
    expect(checkReason(blank)).not.toBeNull();
  }
  expect(checkReason("No.")).toBeNull();
  expect(checkReason("first line\nsecond line")).toBeNull();
});

test("names and notes are held to the contract's limits, counted in characters", () => {
  expect(checkName("x".repeat(200))).toBeNull();
  expect(checkName("x".repeat(201))).not.toBeNull();
  expect(checkName("🖨".repeat(200))).toBeNull();
  expect(checkName(`  ${"x".repeat(200)}  `)).toBeNull();
  expect(checkName("a\u0007b")).not.toBeNull();
  expect(checkName(`a: b # "c"`)).toBeNull();
  expect(checkNotes("x".repeat(2000))).toBeNull();
  expect(checkNotes("x".repeat(2001))).not.toBeNull();
});

const entry = (action: string, after: Record<string, unknown> | null): AuditEntry => ({
  id: 1,
  at: "2026-11-20T10:00:00Z",
  actor: "dana@clearwater.example",
  actor_kind: "user",
  action,
  entity: null,
  site_id: null,
  site_name: null,
  pattern_signature: null,
  rule_id: null,
  before: { status: "active", version: 1 },
  after,
  reason: null,
  request_id: null,
});

test("the log is told in words, and unknown actions are told as they are", () => {
  expect(inWords(entry("candidate.approved", { approval_status: "approved" })).words).toBe("Approved");
  expect(inWords(entry("candidate.approved", { approval_status: "pending" })).words).toContain("second");
  expect(inWords(entry("rule.disabled", { status: "disabled" })).words).toBe("Rule disabled");
  expect(inWords(entry("something_new", null)).words).toBe("Something new");
});

test("only what differs between before and after is listed", () => {
  expect(changesOf(entry("x", { status: "disabled", version: 1 }))).toEqual([
    { name: "status", before: "active", after: "disabled" },
  ]);
});
