import type { Site } from "../api/types";
import { formatCount } from "../lib/format";
import { Badge } from "../ui/Badge";

/** What is wrong with a site's appliances, in words; nothing when nothing is. */
export function SiteMarks({ site }: { site: Site }) {
  const { appliance_count: all, silent_appliances: silent, failing_appliances: failing } = site;
  if (silent === 0 && failing === 0) return null;
  return (
    <span className="badges">
      {silent > 0 && (
        <Badge tone={silent >= all ? "bad" : "warn"} icon="mute">
          {silent >= all && all > 1 ? "All" : formatCount(silent)} silent
        </Badge>
      )}
      {failing > 0 && (
        <Badge tone="bad" icon="warn">
          {formatCount(failing)} with errors
        </Badge>
      )}
    </span>
  );
}
