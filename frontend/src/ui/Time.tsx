import { formatLocal, formatUtc, noValue, parseTime } from "../lib/format";

interface Props {
  value: string | null | undefined;
  /** What to say when there is no time. */
  none?: string;
}

/** A time in the viewer's zone; the exact one, in UTC, on hover and for machines. */
export function Time({ value, none = noValue }: Props) {
  const time = parseTime(value);
  if (!time) return <span className="muted">{none}</span>;
  return (
    <time dateTime={time.toISOString()} title={formatUtc(time)}>
      {formatLocal(time)}
    </time>
  );
}
