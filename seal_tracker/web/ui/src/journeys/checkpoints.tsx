// Checkpoints of the route: planned against actual.
import type { JSX } from "preact";
import { answered, type Schema } from "../api/service";
import type { Routes } from "../api/types";
import { useLoaded, useRoom } from "../app/context";
import { When } from "../app/icon";
import { word } from "../i18n";

interface Planned {
  zone: string;
  after_min?: number;
  tolerance_min?: number;
}

const TYPES = ["CHECKPOINT_REACHED", "CHECKPOINT_LATE", "CHECKPOINT_MISSED"];

export function Checkpoints({ journey, route }: { journey: Schema["JourneyDetail"]; route: Routes["features"][number] | undefined }): JSX.Element | null {
  const room = useRoom();
  const { words } = room.reader;
  const planned = ((route?.properties as { checkpoints?: Planned[] } | undefined)?.checkpoints ?? []) as Planned[];
  const read = useLoaded(() => answered(room.service.GET("/api/v1/episodes", { params: { query: { journey: journey.id, limit: 1000 } } })), [journey.id, journey.open_alarms, journey.progress_pct]);
  if (planned.length === 0) return null;
  const told = ((read.value as { items?: Schema["EpisodeItem"][] } | null)?.items ?? []).filter(({ type }) => TYPES.includes(type));
  const armed_ms = Date.parse(journey.armed_at ?? "");
  return (
    <table class="lines checkpoints">
      <caption>{words.journeys.checkpoints}</caption>
      <thead>
        <tr>
          <th scope="col">{words.zoneKind.checkpoint}</th>
          <th scope="col">{words.journeys.planned}</th>
          <th scope="col">{words.journeys.actual}</th>
        </tr>
      </thead>
      <tbody>
        {planned.map(({ zone, after_min }, i) => {
          const found = told.filter(({ object }) => object === zone || object === `${zone}#${i + 1}`);
          return (
            <tr key={`${zone} ${i}`}>
              <th scope="row">{room.plan.names.zone(zone)}</th>
              <td>{after_min !== undefined && armed_ms ? <When iso={new Date(armed_ms + after_min * 60_000).toISOString()} /> : "–"}</td>
              <td>
                {found.map((episode) => (
                  <span key={episode.episode} class={`severity-${episode.severity}`}>
                    {word(words.event, episode.type)} <When iso={episode.started_at} />{" "}
                  </span>
                ))}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
