/**
 * Copies what is in a field. Plain HTTP has no clipboard of its own; there the old command still
 * works, on what is selected. False when neither does: then it is copied by hand.
 */
export async function copyField(field: HTMLTextAreaElement): Promise<boolean> {
  field.focus();
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    return true;
  } catch {
    return typeof document.execCommand === "function" && document.execCommand("copy");
  }
}
