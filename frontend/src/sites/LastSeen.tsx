import type { Appliance } from "../api/types";
import { formatIn, parseTime } from "../lib/format";
import { Icon } from "../ui/icons";
import { Time } from "../ui/Time";

/** When an appliance was last heard of; of a silent one also how long ago that is. */
export function LastSeen({ of }: { of: Pick<Appliance, "last_seen_at" | "silent"> }) {
  const seen = parseTime(of.last_seen_at);
  if (!of.silent) {
    return (
      <span>
        Last seen <Time value={of.last_seen_at} none="never" />
      </span>
    );
  }
  return (
    <span className="silent">
      <Icon name="mute" />
      <span>
        {seen ? (
          <>
            Silent: last seen {formatIn(seen)}, <Time value={of.last_seen_at} />
          </>
        ) : (
          "Silent: never heard from"
        )}
      </span>
    </span>
  );
}
