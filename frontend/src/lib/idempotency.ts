/**
 * One Idempotency-Key per attempt. When it is unknown whether a write was carried out (no answer, or
 * a 5xx), trying again with the same body sends the same key, so it cannot happen twice. A changed
 * body or a definite answer begins a new attempt.
 */
import { useState } from "react";
import { ApiError } from "../api/http";

/** Random; `crypto.randomUUID` exists on secure origins only, and a clinic's network may be plain. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

export class Attempt {
  private key: string | null = null;
  private body = "";

  /** Sends `body` by `send(key)`, under the key of the attempt it belongs to. */
  async run<T>(body: unknown, send: (key: string) => Promise<T>): Promise<T> {
    const text = JSON.stringify(body) ?? "";
    if (this.key === null || text !== this.body) {
      this.key = newKey();
      this.body = text;
    }
    try {
      const answer = await send(this.key);
      this.key = null;
      return answer;
    } catch (error) {
      if (!(error instanceof ApiError) || !error.outcomeUnknown) this.key = null;
      throw error;
    }
  }
}

export function useAttempt(): Attempt {
  const [attempt] = useState(() => new Attempt());
  return attempt;
}
