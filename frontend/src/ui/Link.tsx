import type { ComponentProps, MouseEvent } from "react";
import { goTo, hrefOf, type Change } from "../lib/url";

type Props = Omit<ComponentProps<"a">, "href"> & {
  /** The parameters that name the place. */
  to: Change;
};

/** A link to another place in the dashboard: without loading the page anew, unless asked for. */
export function Link({ to, onClick, ...rest }: Props) {
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    const plain =
      event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (event.defaultPrevented || !plain) return;
    event.preventDefault();
    goTo(to);
  };
  return <a {...rest} href={hrefOf(to)} onClick={follow} />;
}
