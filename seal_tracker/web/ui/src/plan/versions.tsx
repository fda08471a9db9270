// Who changed the plan, when, why and what.
import type { JSX } from "preact";
import { answered, type Schema } from "../api/service";
import { useRoom } from "../app/context";
import { When } from "../app/icon";
import { usePages } from "../app/pages";

export function Versions(): JSX.Element {
  const room = useRoom();
  const { words } = room.reader;
  type Version = Schema["seal_tracker.web.plans.VersionItem"];
  const pages = usePages<Version>((after) => answered(room.service.GET("/api/v1/plan-versions", { params: { query: { limit: 20, ...(after && { after }) } } })), [room.plan]);
  return (
    <details class="versions">
      <summary>{words.plan.versions}</summary>
      <ol>
        {pages.items.map((version) => (
          <li key={version.version}>
            <strong>{version.version}</strong> <When iso={version.recorded_at} full /> {version.author ?? words.plan.folder} {version.note}
            <small>
              {Object.entries(version.changes).map(([name, { added, changed, removed }]) => {
                const ids = [...added.map((id) => `+${id}`), ...changed.map((id) => `~${id}`), ...removed.map((id) => `−${id}`)];
                return ` ${name}: ${ids.slice(0, 5).join(", ")}${ids.length > 5 ? ` +${ids.length - 5}` : ""}`;
              })}
            </small>
          </li>
        ))}
      </ol>
      {pages.more && (
        <button type="button" class="more" onClick={pages.more}>
          {words.more}
        </button>
      )}
    </details>
  );
}
