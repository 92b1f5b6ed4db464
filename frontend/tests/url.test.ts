import { expect, test } from "vitest";
import {
  changeSearch,
  readCandidateId,
  readChoice,
  readCursor,
  readSignature,
  readSiteId,
  readText,
} from "../src/lib/url";

const read = (text: string) => new URLSearchParams(text);

test("a value that is not one of the choices is no choice", () => {
  expect(readChoice(read("status=approved"), "status", ["approved", "rejected"])).toBe("approved");
  expect(readChoice(read("status=APPROVED"), "status", ["approved", "rejected"])).toBeNull();
  expect(readChoice(read("status=' OR 1=1"), "status", ["approved"])).toBeNull();
  expect(readChoice(read(""), "status", ["approved"])).toBeNull();
});

test("ids, cursors and signatures are of their form or absent", () => {
  expect(readSiteId(read("site=north-valley-dental"))).toBe("north-valley-dental");
  expect(readSiteId(read("site=../x"))).toBeNull();
  expect(readCursor(read("cursor=eyJhIjoxfQ"))).toBe("eyJhIjoxfQ");
  expect(readCursor(read("cursor=a%20b"))).toBeNull();
  expect(readSignature(read("pattern=print-spooler-restart"))).toBe("print-spooler-restart");
  expect(readSignature(read(`pattern=${"a".repeat(65)}`))).toBe("");
  expect(readCandidateId(read("candidate=../../approve"))).toBeNull();
});

test("text is bounded and has no control characters", () => {
  expect(readText(read("q=print spooler"), "q")).toBe("print spooler");
  expect(readText(read("q=a%00b"), "q")).toBe("");
  expect(readText(read(`q=${"a".repeat(201)}`), "q")).toBe("");
});

test("changing a filter forgets the way back through the pages; opening a detail does not", () => {
  window.history.replaceState({ before: [null] }, "", "/?cursor=c1");
  changeSearch({ candidate: "a" });
  expect(window.history.state).toEqual({ before: [null] });
  changeSearch({ q: "x", cursor: null });
  expect(window.history.state).toBeNull();
  expect(window.location.search).toBe("?candidate=a&q=x");
});
