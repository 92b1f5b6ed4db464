import { useEffect, useId, useRef, useState } from "react";
import { useHoldPolling } from "../lib/polling";

interface Props {
  label: string;
  value: string;
  placeholder?: string;
  onChange: (value: string) => void;
}

const rest = 300;

/** Searches as one types, a moment after the last key; what is in the box is never overwritten. */
export function SearchBox({ label, value, placeholder, onChange }: Props) {
  const id = useId();
  const [draft, setDraft] = useState(value);
  const [known, setKnown] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const typing = draft.trim() !== value;
  useHoldPolling(typing);

  // The address changed by other means (back button, "clear filters"): follow it.
  if (value !== known) {
    setKnown(value);
    if (value !== draft.trim()) setDraft(value);
  }
  useEffect(() => () => clearTimeout(timer.current), []);

  const search = (text: string) => {
    clearTimeout(timer.current);
    if (text.trim() !== value) onChange(text.trim());
  };

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
        onChange={({ target }) => {
          setDraft(target.value);
          clearTimeout(timer.current);
          timer.current = setTimeout(search, rest, target.value);
        }}
        onKeyDown={(e) => {
          if (e.key === "Enter") search(draft);
        }}
      />
    </div>
  );
}
