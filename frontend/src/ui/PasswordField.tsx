import { useState, type RefObject } from "react";
import { Field } from "./Field";

interface Props {
  label: string;
  hint?: string;
  error: string | null;
  autoComplete: "current-password" | "new-password";
  value: string;
  input: RefObject<HTMLInputElement | null>;
  onChange: (value: string) => void;
  onBlur?: () => void;
}

/** A password that can be looked at while it is typed, so that nobody has to type it twice. */
export function PasswordField(props: Props) {
  const { label, hint, error, autoComplete, value, input, onChange, onBlur } = props;
  const [shown, setShown] = useState(false);
  return (
    <Field label={label} hint={hint} error={error}>
      {(control) => (
        <div className="password">
          <input
            {...control}
            ref={input}
            type={shown ? "text" : "password"}
            autoComplete={autoComplete}
            autoCapitalize="none"
            spellCheck={false}
            value={value}
            onChange={(event) => onChange(event.target.value)}
            onBlur={onBlur}
          />
          <button
            type="button"
            className="button button-small"
            aria-pressed={shown}
            aria-label={`Show the ${label.toLowerCase()}`}
            onClick={() => setShown(!shown)}
          >
            {shown ? "Hide" : "Show"}
          </button>
        </div>
      )}
    </Field>
  );
}
