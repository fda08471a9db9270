// One journey: what was declared, where it is, its track in plots with a scrubber, all that happened, and what a superior may order.
import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { apiUrl } from "../api/client";
import { answered, type Schema } from "../api/service";
import { hashOf } from "../app/address";
import { useChanges, useLoaded, useRoom } from "../app/context";
import { When } from "../app/icon";
import { word } from "../i18n";
import type { MapHandle } from "../map/map_area";
import { Checkpoints } from "./checkpoints";
import { Orders } from "./orders";
import { Plots } from "./plots";
import { Timeline } from "./timeline";
import { crossTracks_m, fixAt, fixesOf, type TrackFeature } from "./track";

const TRACK_AGAIN_MS = 30_000;
const REPLAY_MS = 100;
const REPLAY_STEPS = 300;

async function trackOf(id: string): Promise<TrackFeature[]> {
  const response = await fetch(apiUrl(`tracks/${encodeURIComponent(id)}?format=geojson`), { cache: "no-store" });
  if (!response.ok) throw new Error(response.statusText);
  return ((await response.json()) as { features: TrackFeature[] }).features;
}

export function OneJourney({ id, map }: { id: string; map: MapHandle }): JSX.Element {
  const room = useRoom();
  useChanges(room.alarmBook.changes, room.planChanges);
  const { words, format } = room.reader;
  const [turn, setTurn] = useState(0);
  const alarms = room.alarmBook.all.filter(({ journey }) => journey === id);
  const read = useLoaded<Schema["JourneyDetail"]>(() => answered(room.service.GET("/api/v1/journeys/{id}", { params: { path: { id } } })), [id, turn, alarms.length]);
  const track = useLoaded(() => trackOf(id), [id, turn]);
  const [at_ms, setAt] = useState<number | null>(null);
  const [playing, setPlaying] = useState(false);

  useEffect(() => {
    const timer = window.setInterval(() => setTurn((n) => n + 1), TRACK_AGAIN_MS);
    return () => window.clearInterval(timer);
  }, []);

  const fixes = useMemo(() => fixesOf(track.value?.[0]), [track.value]);
  const journey = read.value;
  const route = room.plan.routes.features.find((feature) => feature.id === journey?.route);
  const off_m = useMemo(() => crossTracks_m(fixes, route), [fixes, route]);
  const [first, last] = [fixes[0]?.at_ms ?? 0, fixes.at(-1)?.at_ms ?? 0];
  const now = at_ms === null ? fixes.at(-1) : fixAt(fixes, at_ms);

  useEffect(() => map.do((view) => view.showTrack(fixes.map(({ lon, lat }) => [lon, lat]))), [fixes]);
  useEffect(() => {
    if (now) map.do((view) => view.showMoment([now.lon, now.lat], now.course_deg));
  }, [now]);
  useEffect(() => {
    if (!playing) return undefined;
    const step_ms = Math.max(1000, (last - first) / REPLAY_STEPS);
    const timer = window.setInterval(() => setAt((before) => Math.min(last, (before ?? first) + step_ms)), REPLAY_MS);
    return () => window.clearInterval(timer);
  }, [playing, first, last]);
  useEffect(() => {
    if (at_ms !== null && at_ms >= last) setPlaying(false);
  }, [at_ms, last]);

  const play = (): void => {
    if (!playing && (at_ms === null || at_ms >= last)) setAt(first);
    setPlaying(!playing);
  };

  if (!journey) return <section class="panel">{<p class="empty">{read.state === "failed" ? read.error.message : words.loading}</p>}</section>;
  const rows: [string, string | JSX.Element | null | undefined | false][] = [
    [words.alarms.state, word(words.journeyState, journey.derived ?? journey.state)],
    [words.journeys.declaration, journey.declaration],
    [words.journeys.cargo, journey.cargo],
    [words.journeys.vehicle, [journey.vehicle, journey.box].filter(Boolean).join(" · ")],
    [words.journeys.carrier, journey.carrier],
    [words.journeys.seal, journey.seal],
    [words.seal.route, journey.route && room.plan.names.route(journey.route)],
    [words.seal.regime, word(words.regime, journey.regime)],
    [words.seal.unit, room.unitName(journey.unit)],
    [words.journeys.armed, journey.armed_at && <When iso={journey.armed_at} full />],
    [words.journeys.due, journey.due_at && <When iso={journey.due_at} full />],
    [words.seal.progress, journey.progress_pct !== null && `${format.number(journey.progress_pct)} %`],
  ];
  return (
    <section class="panel one-journey" aria-label={`${words.seal.journey} ${id}`}>
      <header>
        <a href={hashOf({ view: "journeys" })}>← {words.views.journeys}</a>
        <h2>{id}</h2>
        <Orders journey={journey} done={() => setTurn((n) => n + 1)} />
      </header>
      <div class="scroll" tabIndex={0} role="region" aria-label={id}>
        <dl>
          {rows.map(([name, value]) => value && [<dt key={name}>{name}</dt>, <dd key={`${name} `}>{value}</dd>])}
        </dl>
        {alarms.length > 0 && (
          <ul class="journey-alarms">
            {alarms.map((alarm) => (
              <li key={alarm.alarm} class={`severity-${alarm.severity}`}>
                <a href={hashOf({ view: "alarms", of: alarm.alarm })}>
                  {words.severity[alarm.severity]}: {word(words.event, alarm.type)}
                </a>{" "}
                {words.alarms.since} <When iso={alarm.raised_at} />
              </li>
            ))}
          </ul>
        )}
        {fixes.length > 0 && (
          <>
            <div class="scrubber">
              <button type="button" onClick={play} aria-label={playing ? words.journeys.pause : words.journeys.play}>
                {playing ? "❚❚" : "▶"}
              </button>
              <input type="range" min={first} max={last} step={1000} value={at_ms ?? last} aria-label={words.journeys.moment} onInput={(event) => setAt(Number(event.currentTarget.value))} />
              <output>{now && format.moment(new Date(now.at_ms).toISOString())}</output>
            </div>
            <Plots fixes={fixes} off_m={off_m} limit_m={route?.properties.half_width_m ?? null} at_ms={at_ms} choose={setAt} />
          </>
        )}
        <Checkpoints journey={journey} route={route} />
        <Timeline id={id} journey={journey} choose={setAt} map={map} />
        <p class="exports">
          {words.journeys.export}:{" "}
          {(["geojson", "gpx", "csv", "mf-json"] as const).map((name) => (
            <a key={name} href={apiUrl(`tracks/${encodeURIComponent(id)}?format=${name}`)} download={`${id}.${name === "mf-json" ? "mf.json" : name}`}>
              {name}
            </a>
          ))}
          {room.may("audit") && (
            <a href={apiUrl(`ledger/bundles/${encodeURIComponent(id)}`)} download={`${id}.zip`}>
              {words.journeys.evidence}
            </a>
          )}
        </p>
      </div>
    </section>
  );
}
