/**
 * The state of a view lives in the address, so that a link, a reload and the back button all lead to
 * the same place. Every value is checked when it is read: an address is input like any other.
 */
import { useSyncExternalStore } from "react";

const changed = "flywheel:navigate";

function subscribe(listener: () => void): () => void {
  window.addEventListener("popstate", listener);
  window.addEventListener(changed, listener);
  return () => {
    window.removeEventListener("popstate", listener);
    window.removeEventListener(changed, listener);
  };
}

let cached = { text: "", params: new URLSearchParams() };
function currentSearch(): URLSearchParams {
  if (cached.text !== window.location.search) {
    cached = { text: window.location.search, params: new URLSearchParams(window.location.search) };
  }
  return cached.params;
}

/** The query part of the address; a new object only when it changed. Never modify it. */
export function useSearch(): URLSearchParams {
  return useSyncExternalStore(subscribe, currentSearch);
}

/** Values for some parameters: null or "" removes one. */
export type Change = Record<string, string | null>;

interface NavigateOptions {
  /** Replace the history entry instead of adding one: for typing. */
  replace?: boolean;
  /** Kept with the history entry, survives a reload. */
  state?: unknown;
}

function addressOf(params: URLSearchParams): string {
  const text = params.toString();
  return window.location.pathname + (text ? `?${text}` : "");
}

export function changeSearch(change: Change, options: NavigateOptions = {}): void {
  const params = new URLSearchParams(currentSearch());
  for (const [name, value] of Object.entries(change)) {
    if (value === null || value === "") params.delete(name);
    else params.set(name, value);
  }
  // What the history entry knows of the page before this one stays true as long as the page does.
  const state = "cursor" in change ? null : (window.history.state as unknown);
  go(addressOf(params), { state, ...options });
}

/** Goes to a place named by exactly these parameters; everything else is forgotten. */
export function goTo(place: Change): void {
  go(hrefOf(place), {});
}

export function hrefOf(place: Change): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(place)) if (value) params.set(name, value);
  return addressOf(params);
}

function go(address: string, { replace = false, state = null }: NavigateOptions): void {
  const here = window.location.pathname + window.location.search;
  if (replace || address === here) window.history.replaceState(state, "", address);
  else window.history.pushState(state, "", address);
  window.dispatchEvent(new Event(changed));
}

// ---- reading, checked ----

export function readChoice<T extends string>(
  params: URLSearchParams,
  name: string,
  allowed: readonly T[],
): T | null {
  const value = params.get(name);
  return allowed.find((choice) => choice === value) ?? null;
}

export function readText(params: URLSearchParams, name: string, maxLength = 200): string {
  const value = params.get(name) ?? "";
  // Control characters cannot have been typed into one of our fields.
  // oxlint-disable-next-line no-control-regex
  return value.length <= maxLength && !/[\u0000-\u001f\u007f]/.test(value) ? value : "";
}

function readMatching(params: URLSearchParams, name: string, pattern: RegExp): string | null {
  const value = params.get(name);
  return value !== null && pattern.test(value) ? value : null;
}

export const readSiteId = (params: URLSearchParams) =>
  readMatching(params, "site", /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/);
export const readSignature = (params: URLSearchParams) =>
  readMatching(params, "pattern", /^[A-Za-z0-9._:-]{1,64}$/) ?? "";
export const readCursor = (params: URLSearchParams) =>
  readMatching(params, "cursor", /^[A-Za-z0-9._~=:+/-]{1,512}$/);
export const readCandidateId = (params: URLSearchParams) =>
  readMatching(params, "candidate", /^[A-Za-z0-9._:-]{1,64}$/);
