/**
 * The border to the network: one function that sends a request and either returns the answer's JSON
 * or throws an ApiError that a person can act on.
 */
import type { Problem } from "./types";

export class ApiError extends Error {
  override readonly name = "ApiError";
  constructor(
    /** HTTP status; 0 when no answer arrived. */
    readonly status: number,
    message: string,
    readonly problem: Problem = {},
    /** Seconds the server asks to wait, if it said so. */
    readonly retryAfter: number | null = null,
  ) {
    super(message);
  }

  /** The sentence for one member of the body, by its JSON pointer (`/custom_name`). */
  fieldError(pointer: string): string | null {
    const found = this.problem.errors?.find(
      (e) => e.pointer === pointer || e.pointer === `#${pointer}`,
    );
    if (!found) return null;
    // The server names the member by the pointer and goes on from there: "must not be blank".
    const detail = found.detail ?? this.message;
    return /^(must|is|has) /.test(detail) ? `This ${detail}.` : detail;
  }

  /** Whether it is the problem of this name, of those in docs/errors.md. */
  isProblem(name: string): boolean {
    return this.problem.type === `urn:flywheel:problem:${name}`;
  }

  /** Whether the request may have been carried out although no answer came. */
  get outcomeUnknown(): boolean {
    return this.status === 0 || this.status >= 500 || this.isProblem("idempotency-key-in-use");
  }
}

let csrfToken: string | null = null;
export function setCsrfToken(token: string | null): void {
  csrfToken = token;
}

type Listener = () => void;
let onSessionEnd: Listener | null = null;
/** Called when the server says 401 to a request that was made with a session. */
export function setSessionEndListener(listener: Listener | null): void {
  onSessionEnd = listener;
}

export interface RequestOptions {
  method?: "GET" | "POST" | "PATCH";
  query?: Record<string, string | number | boolean | null | undefined>;
  body?: unknown;
  idempotencyKey?: string;
  signal?: AbortSignal | undefined;
  /** For the calls that ask whether there is a session: their 401 is an answer, not an event. */
  quietUnauthorized?: boolean;
}

export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const method = options.method ?? "GET";
  const headers = new Headers({ Accept: "application/json" });
  const init: RequestInit = { method, headers, credentials: "same-origin" };
  if (options.signal) init.signal = options.signal;
  if (method !== "GET") {
    if (csrfToken) headers.set("X-CSRF-Token", csrfToken);
    if (options.idempotencyKey) headers.set("Idempotency-Key", options.idempotencyKey);
  }
  if (options.body !== undefined) {
    headers.set("Content-Type", "application/json");
    init.body = JSON.stringify(options.body);
  }

  let response: Response;
  try {
    response = await fetch(path + queryString(options.query), init);
  } catch (cause) {
    if (options.signal?.aborted) throw cause;
    throw new ApiError(0, "The server could not be reached. Check the connection and try again.");
  }
  if (response.ok) return readAnswer<T>(response);

  const error = await readProblem(response);
  if (response.status === 401 && !options.quietUnauthorized) onSessionEnd?.();
  throw error;
}

export function queryString(query: RequestOptions["query"]): string {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null && value !== "") parts.set(name, String(value));
  }
  const text = parts.toString();
  return text ? `?${text}` : "";
}

async function readAnswer<T>(response: Response): Promise<T> {
  if (response.status === 204) return undefined as T;
  try {
    return (await response.json()) as T;
  } catch {
    throw new ApiError(
      0,
      "The server's answer could not be read. Try again; if it happens again, tell your operator.",
    );
  }
}

async function readProblem(response: Response): Promise<ApiError> {
  let problem: Problem = {};
  try {
    const read: unknown = await response.json();
    if (read !== null && typeof read === "object") problem = read as Problem;
  } catch {
    // Not JSON: something between the browser and the server answered. The status has to do.
  }
  const wait = Number(response.headers.get("Retry-After"));
  return new ApiError(
    response.status,
    problem.detail ?? problem.title ?? sentenceFor(response.status),
    problem,
    Number.isFinite(wait) && wait > 0 ? wait : null,
  );
}

function sentenceFor(status: number): string {
  if (status === 401) return "Your session has ended. Sign in again.";
  if (status === 403) return "Your role does not allow this.";
  if (status === 404) return "This does not exist, or is not yours to see.";
  if (status === 429) return "Too many requests at once. Wait a moment and try again.";
  if (status >= 500) return "The server has a problem at the moment. Try again in a minute.";
  return `The server refused the request (${status}).`;
}
