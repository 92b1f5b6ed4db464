import { useEffect, useId, useState } from "react";
import { useDebounced } from "../lib/debounce";
import { useHoldPolling } from "../lib/polling";

interface Props {
  label: string;
  value: string;
  placeholder?: string;
  onChange: (value: string) => void;
}

/** Searches as one types, a moment after the last key; what is in the box is never overwritten. */
export function SearchBox({ label, value, placeholder, onChange }: Props) {
  const id = useId();
  const [draft, setDraft] = useState(value);
  const [known, setKnown] = useState(value);
  const rested = useDebounced(draft, 300);
  const typing = draft.trim() !== value;
  useHoldPolling(typing);

  // The address changed by other means (back button, "clear filters"): follow it.
  if (value !== known) {
    setKnown(value);
    if (value !== draft.trim()) setDraft(value);
  }
  useEffect(() => {
    if (rested === draft && rested.trim() !== value) onChange(rested.trim());
    // Only a rest in typing searches; a change of `value` alone must not search again.
    // oxlint-disable-next-line exhaustive-deps
  }, [rested]);

  return (
    <div className="filter filter-search">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="search"
        value={draft}
        placeholder={placeholder}
        maxLength={200}
        autoComplete="off"
        spellCheck={false}
        onChange={(e) => setDraft(e.target.value)}
        onKeyDown={(e) => {
          if (e.key === "Enter" && draft.trim() !== value) onChange(draft.trim());
        }}
      />
    </div>
  );
}
