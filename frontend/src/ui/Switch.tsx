interface Props {
  on: boolean;
  label: string;
  busy?: boolean;
  onChange: (on: boolean) => void;
}

/** An on/off switch. While busy it keeps the focus and ignores presses. */
export function Switch({ on, label, busy = false, onChange }: Props) {
  return (
    <button
      type="button"
      role="switch"
      className="switch"
      aria-checked={on}
      aria-label={label}
      aria-disabled={busy}
      onClick={() => {
        if (!busy) onChange(!on);
      }}
    >
      <span className="switch-knob" />
    </button>
  );
}
