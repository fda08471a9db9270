// All that happened to a journey, newest first: events of the seal, and what officers did.
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { answered, type Schema } from "../api/service";
import type { CloudEvent } from "../api/types";
import { useLoaded, useRoom } from "../app/context";
import { When } from "../app/icon";
import { word } from "../i18n";
import { evidenceLine } from "../i18n/evidence";
import type { MapHandle } from "../map/map_area";

interface Happening {
  at: string;
  key: string;
  what: string;
  detail: string;
  severity: string;
  event: CloudEvent | null;
}

export function Timeline({ id, journey, choose, map }: { id: string; journey: Schema["JourneyDetail"]; choose: (at_ms: number) => void; map: MapHandle }): JSX.Element {
  const room = useRoom();
  const { words, format } = room.reader;
  const read = useLoaded(() => answered(room.service.GET("/api/v1/events", { params: { query: { journey: id, order: "desc", limit: 500 } } })), [id, journey.version, journey.open_alarms]);
  const happenings = useMemo((): Happening[] => {
    const events = ((read.value as { items: unknown[] } | null)?.items ?? []) as CloudEvent[];
    const of = events.map((event): Happening => {
      const { event: type, transition, evidence } = event.data.properties;
      const detail = evidenceLine(evidence ?? {}, words, format, room.plan.names.zone);
      return { at: event.time, key: event.id, what: `${word(words.event, type)}: ${word(words.transition, transition)}`, detail, severity: event.severitytext, event };
    });
    const orders = journey.history.map(({ at, verb, by, reason, version }): Happening => ({ at, key: `v${version}`, what: `${word(words.journeyVerb, verb)} (${by})`, detail: reason ?? "", severity: "", event: null }));
    return [...of, ...orders].sort((a, b) => b.at.localeCompare(a.at));
  }, [read.value, journey.version]);
  return (
    <section class="history">
      <h3>{words.journeys.timeline}</h3>
      <ol>
        {happenings.map(({ at, key, what, detail, severity, event }) => (
          <li key={key} class={severity ? `severity-${severity}` : "deed"}>
            <button
              type="button"
              onClick={() => {
                choose(Date.parse(at));
                if (event) map.do((view) => view.showEvent(event));
              }}
            >
              <When iso={at} full /> <strong>{what}</strong> {detail}
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}
