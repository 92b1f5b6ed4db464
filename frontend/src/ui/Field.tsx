import { useId, type ReactNode } from "react";

interface FieldProps {
  label: string;
  hint?: ReactNode;
  error?: string | null;
  optional?: boolean;
  /** Receives what ties the control to its label, hint and error. */
  children: (control: {
    id: string;
    "aria-describedby": string;
    "aria-invalid": boolean;
  }) => ReactNode;
}

/** A labelled control. The line for its error is always there, so that nothing moves when it fills. */
export function Field({ label, hint, error, optional = false, children }: FieldProps) {
  const id = useId();
  const hintId = `${id}-hint`;
  return (
    <div className="field">
      <label htmlFor={id}>
        {label} {optional && <span className="muted">(optional)</span>}
      </label>
      {children({ id, "aria-describedby": hintId, "aria-invalid": Boolean(error) })}
      <p id={hintId} className={error ? "field-line field-error" : "field-line"}>
        {error ?? hint}
      </p>
    </div>
  );
}

interface SelectProps<T extends string> {
  label: string;
  value: T | "";
  /** What no choice means, such as "All sites". */
  all: string;
  choices: readonly { value: T; label: string }[];
  onChange: (value: T | null) => void;
  className?: string;
}

/** A filter: the platform's select with its label above. */
export function Select<T extends string>(props: SelectProps<T>) {
  const { label, value, all, choices, onChange, className } = props;
  const id = useId();
  return (
    <div className={`filter ${className ?? ""}`}>
      <label htmlFor={id}>{label}</label>
      <select id={id} value={value} onChange={(e) => onChange((e.target.value as T) || null)}>
        <option value="">{all}</option>
        {choices.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {choice.label}
          </option>
        ))}
      </select>
    </div>
  );
}
