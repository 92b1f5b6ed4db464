import type { ReactNode } from "react";
import { Link } from "./Link";

interface Props<View extends string> {
  /** The tab they are in. */
  tab: string;
  label: string;
  words: Record<View, ReactNode>;
  current: View;
}

/** The views within a tab, the open one marked. */
export function Views<View extends string>({ tab, label, words, current }: Props<View>) {
  return (
    <nav className="views" aria-label={label}>
      {(Object.keys(words) as View[]).map((name) => (
        <Link key={name} to={{ tab, view: name }} aria-current={name === current ? "true" : undefined}>
          {words[name]}
        </Link>
      ))}
    </nav>
  );
}
