import { useEffect, useState } from "react";
import { formatDuration } from "../lib/format";

/** How long it still takes, second by second, from when it is first shown. */
export function Wait({ seconds }: { seconds: number }) {
  const [until] = useState(() => Date.now() + seconds * 1000);
  const [left, setLeft] = useState(seconds);
  useEffect(() => {
    // By the clock, not by counting: a tab in the background hardly ticks.
    const timer = setInterval(
      () => setLeft(Math.max(0, Math.ceil((until - Date.now()) / 1000))),
      1000,
    );
    return () => clearInterval(timer);
  }, [until]);
  return (
    <p className="sign-in-wait" role="timer">
      {left > 0 ? (
        <>
          Try again in <strong>{formatDuration(left * 1000)}</strong>.
        </>
      ) : (
        "You can try again now."
      )}
    </p>
  );
}
