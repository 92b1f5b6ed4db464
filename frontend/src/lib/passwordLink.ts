/**
 * The link that sets a password: `/#set-password=TOKEN`. What follows the # never reaches a server or
 * its log. It is taken out of the address at once, so that it is neither in the history nor in a
 * picture of the screen; from then on only the page knows it.
 */
import { useEffect, useState } from "react";

const mark = "#set-password";

export const passwordLink = (token: string): string =>
  `${window.location.origin}/${mark}=${encodeURIComponent(token)}`;

/** Null when the address is no such link; empty when it is one that was cut off. */
function takeToken(): string | null {
  const { hash, pathname, search } = window.location;
  if (!hash.startsWith(mark)) return null;
  window.history.replaceState(null, "", pathname + search);
  try {
    return decodeURIComponent(hash.slice(mark.length + 1));
  } catch {
    return "";
  }
}

/** The token that the page was opened with, or was given since; and how to be done with it. */
export function usePasswordLink(): [token: string | null, forget: () => void] {
  const [token, setToken] = useState<string | null>(null);
  useEffect(() => {
    const take = () => {
      const found = takeToken();
      if (found !== null) setToken(found);
    };
    take();
    window.addEventListener("hashchange", take);
    return () => window.removeEventListener("hashchange", take);
  }, []);
  return [token, () => setToken(null)];
}
