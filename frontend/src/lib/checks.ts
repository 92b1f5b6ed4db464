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
