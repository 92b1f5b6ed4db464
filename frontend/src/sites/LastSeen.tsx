import type { Appliance } from "../api/types";
import { formatIn, parseTime } from "../lib/format";
import { Icon } from "../ui/icons";
import { Time } from "../ui/Time";

interface Props {
  of: Pick<Appliance, "last_seen_at" | "silent">;
  /** Beside it stands that the appliance is silent. */
  marked?: boolean;
}

/** When an appliance was last heard from; of a silent one also how long ago that is. */
export function LastSeen({ of, marked = false }: Props) {
  const seen = parseTime(of.last_seen_at);
  const when = <Time value={of.last_seen_at} none="never" />;
  if (!of.silent) return <span>Last seen {when}</span>;
  const words = seen ? `seen ${formatIn(seen)}, ` : "seen ";
  return (
    <span className="silent">
      <Icon name="mute" />
      <span>
        {marked ? "Last" : "Silent: last"} {words}
        {when}
      </span>
    </span>
  );
}
