import { useId, type ReactNode } from "react";

interface Props<T extends string> {
  legend: string;
  /** One of them, or any number. */
  kind: "radio" | "checkbox";
  choices: readonly { value: T; label: string; meaning: ReactNode }[];
  chosen: readonly T[];
  onChange: (chosen: T[]) => void;
  error?: string | null;
}

/** A few choices side by side with what each means. */
export function Choices<T extends string>(props: Props<T>) {
  const { legend, kind, choices, chosen, onChange, error = null } = props;
  const name = useId();
  const errorId = `${name}-error`;
  const pick = (value: T, on: boolean) => {
    if (kind === "radio") onChange([value]);
    else onChange(choices.map((c) => c.value).filter((v) => (v === value ? on : chosen.includes(v))));
  };
  return (
    <fieldset className="choices" aria-describedby={errorId}>
      <legend>{legend}</legend>
      {choices.map(({ value, label, meaning }) => (
        <label key={value} className="tick">
          <input
            type={kind}
            name={name}
            value={value}
            checked={chosen.includes(value)}
            onChange={(event) => pick(value, event.target.checked)}
          />
          <span>
            {label}
            <span className="field-line">{meaning}</span>
          </span>
        </label>
      ))}
      <p id={errorId} className="field-line field-error">
        {error}
      </p>
    </fieldset>
  );
}
