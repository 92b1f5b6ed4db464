/** What the server will accept (contract §2), checked before it is asked. Null means fine. */

const lengthOf = (text: string) => [...text].length;

export function checkName(name: string): string | null {
  const trimmed = name.trim();
  if (lengthOf(trimmed) > 200) return "Use at most 200 characters.";
  if (/\p{Cc}/u.test(trimmed)) return "Use letters, digits and signs only, no control characters.";
  return null;
}

export function checkNotes(notes: string): string | null {
  return lengthOf(notes) > 2000 ? `Use at most 2,000 characters; these are ${lengthOf(notes)}.` : null;
}

export function checkReason(reason: string): string | null {
  // Zero-width characters are not white space to Unicode, but a reason of them is blank all the same.
  if (/^[\s\p{White_Space}\u200b-\u200d\u2060\ufeff]*$/u.test(reason)) {
    return "Say why, so that others can understand it later.";
  }
  return checkNotes(reason);
}

/** An address as one is written; whether it exists, only sending to it can tell. */
export function checkEmail(email: string): string | null {
  if (email.trim() === "") return "Enter an email address.";
  if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email.trim())) return "Write it like kim@clinic.example.";
  return email.trim().length > 254 ? "This is too long for an address." : null;
}

export const shortestPassword = 12;

export function checkPassword(password: string, email = ""): string | null {
  if (lengthOf(password) < shortestPassword) {
    return `Use at least ${shortestPassword} characters; these are ${lengthOf(password)}.`;
  }
  if (email && password.toLowerCase() === email.toLowerCase()) {
    return "Use something else than the address.";
  }
  return null;
}

/** A whole number of days, as typed. */
export function checkDays(days: string): string | null {
  const count = Number(days);
  return /^\d+$/.test(days.trim()) && count >= 1 && count <= 365
    ? null
    : "Use a whole number from 1 to 365.";
}
