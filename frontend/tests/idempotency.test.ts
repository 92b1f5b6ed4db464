import { expect, test } from "vitest";
import { ApiError } from "../src/api/http";
import { Attempt, newKey } from "../src/lib/idempotency";

const keysOf = async (bodies: unknown[], answers: (Error | "fine")[]) => {
  const attempt = new Attempt();
  const keys: string[] = [];
  for (const [index, body] of bodies.entries()) {
    await attempt
      .run(body, async (key) => {
        keys.push(key);
        const answer = answers[index];
        if (answer instanceof Error) throw answer;
        return answer;
      })
      .catch(() => {});
  }
  return keys;
};

test("P38: after an answer that never came, the same body goes under the same key", async () => {
  const [first, second] = await keysOf([{ a: 1 }, { a: 1 }], [new ApiError(0, "lost"), "fine"]);
  expect(second).toBe(first);
  const [third, fourth] = await keysOf([{ a: 1 }, { a: 1 }], [new ApiError(503, "away"), "fine"]);
  expect(fourth).toBe(third);
});

test("a changed body is a new attempt", async () => {
  const [first, second] = await keysOf([{ a: 1 }, { a: 2 }], [new ApiError(0, "lost"), "fine"]);
  expect(second).not.toBe(first);
});

test("a definite answer ends the attempt", async () => {
  const [first, second] = await keysOf([{ a: 1 }, { a: 1 }], [new ApiError(409, "no"), "fine"]);
  expect(second).not.toBe(first);
});

test("keys are long and never the same", () => {
  const keys = new Set(Array.from({ length: 100 }, newKey));
  expect(keys.size).toBe(100);
  for (const key of keys) expect(key).toMatch(/^[0-9a-f]{32}$/);
});
