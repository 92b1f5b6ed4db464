const levels = ["L1", "L2", "L3"] as const;
const meanings = ["rule", "planner", "person"] as const;

type Three<T> = readonly [T, T, T];

interface Props {
  /** How much of the whole each level has; any unit. */
  shares: Three<number | null>;
  /** What is written for each. */
  values: Three<string>;
  small?: boolean;
}

const total = (amounts: readonly number[]) => amounts.reduce((a, b) => a + b, 0);
const percentOf = (part: number, whole: number) => `${whole > 0 ? (part / whole) * 100 : 0}%`;

/** Who resolved it: L1, L2, L3 as parts of a bar. The words below say the same. */
export function LevelBar({ shares, values, small = false }: Props) {
  const amounts = shares.map((share) => Math.max(0, share ?? 0));
  const sum = total(amounts);
  return (
    <div className={small ? "levels levels-small" : "levels"}>
      <svg className="levels-bar" width="100%" height="100%" aria-hidden="true" focusable="false">
        {amounts.map((amount, index) => {
          const left = total(amounts.slice(0, index));
          return (
            <rect
              key={levels[index]}
              className={`levels-${levels[index]}`}
              x={percentOf(left, sum)}
              width={percentOf(amount, sum)}
              y="0"
              height="100%"
            />
          );
        })}
      </svg>
      <ul className="levels-legend">
        {levels.map((level, index) => (
          <li key={level}>
            <span className={`levels-key levels-${level}`} aria-hidden="true" />
            {level} {!small && <span className="muted">{meanings[index]}</span>}{" "}
            <strong>{values[index]}</strong>
          </li>
        ))}
      </ul>
    </div>
  );
}
