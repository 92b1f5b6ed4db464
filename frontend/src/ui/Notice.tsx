import type { ReactNode } from "react";
import { Icon, type IconName } from "./icons";

const looks = { info: "info", good: "check", warn: "warn", bad: "block" } as const satisfies Record<
  string,
  IconName
>;

interface Props {
  tone: keyof typeof looks;
  children: ReactNode;
  action?: ReactNode;
  /** Read out at once when it appears. */
  announce?: boolean;
}

export function Notice({ tone, children, action, announce = false }: Props) {
  return (
    <div className={`notice notice-${tone}`} role={announce ? "alert" : undefined}>
      <Icon name={looks[tone]} />
      <div className="notice-text">{children}</div>
      {action && <div className="notice-action">{action}</div>}
    </div>
  );
}
