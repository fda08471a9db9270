// The large screen of the control room: how much is open, the most urgent in large print, the map beside. Nobody has to touch it, so it
// keeps the screen awake, and says in the strongest words when what it shows is not live. Filters of the address narrow it as they do the list.
import type { JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { titleOf, whereOf, whoseOf, Due } from "../alarms/row";
import { Announcements } from "../alarms/announcements";
import { SEVERITIES } from "../api/types";
import { Connection } from "../app/bar";
import { useChanges, usePicked, useRoom } from "../app/context";
import { Icon } from "../app/icon";
import { fill } from "../i18n";
import { isUnacknowledged, NO_FILTER, passes, tallyOf, type Alarm, type Tally } from "../live/alarms";
import { FRESH_MS } from "../map/freshness";
import { MapArea, MapHandle } from "../map/map_area";
import { SEVERITY_SHAPE } from "../view/pictograms";
import { keepAwake } from "./awake";

/** More do not fit the largest screen. */
const SHOWN = 24;

export default function WallView(): JSX.Element {
  const room = useRoom();
  useChanges(room.alarmBook.changes, room.address.changes);
  const map = useMemo(() => new MapHandle(), []);
  const live = usePicked(room.ticks, () => room.connection === "live");
  const { words } = room.reader;
  const filter = { ...NO_FILTER, ...room.address.place.query };
  const shown = room.alarmBook.all.filter((alarm) => passes(alarm, filter, room.session.username, () => titleOf(alarm, room)));

  useEffect(keepAwake, []);
  useEffect(() => {
    const leave = ({ key }: KeyboardEvent): void => void (key === "Escape" && room.address.go({ view: "alarms", query: room.address.place.query }));
    window.addEventListener("keydown", leave);
    return () => window.removeEventListener("keydown", leave);
  }, [room]);

  return (
    <div class="wall" data-live={live}>
      <Head />
      <Counts tally={tallyOf(shown)} />
      <section class="wall-list" aria-label={words.alarms.title}>
        {shown.length === 0 && <p class="empty">{live ? words.alarms.none : words.loading}</p>}
        <ol class="wall-alarms">
          {shown.slice(0, SHOWN).map((alarm) => (
            <Line key={alarm.alarm} alarm={alarm} />
          ))}
        </ol>
      </section>
      <MapArea handle={map} />
      <Announcements />
    </div>
  );
}

function Head(): JSX.Element {
  const room = useRoom();
  const { words, format } = room.reader;
  const minute = usePicked(room.ticks, () => format.minute(new Date(room.now_ms).toISOString(), room.now_ms));
  const live = usePicked(room.ticks, () => (room.connection === "live" ? room.board.spokeAfter(room.now_ms - FRESH_MS) : 0));
  const all = usePicked(room.ticks, () => room.board.seals.size);
  return (
    <header class="wall-head">
      <time>{minute}</time>
      <Connection />
      <span class="wall-seals">
        {words.counts.seals}: {fill(words.counts.live, { live: format.number(live), all: format.number(all) })}
      </span>
      <a href="#/alarms" title="Esc" aria-label={words.wall.leave}>
        ×
      </a>
    </header>
  );
}

function Counts({ tally }: { tally: Tally }): JSX.Element {
  const { words, format } = useRoom().reader;
  return (
    <ul class="wall-counts" aria-label={words.counts.open}>
      {[...SEVERITIES].reverse().map((severity) => (
        <li key={severity} class={`severity-${severity}`} data-some={tally[severity].count > 0} data-calls={tally[severity].calls}>
          <Icon path={SEVERITY_SHAPE[severity]} size={28} />
          <strong>{format.number(tally[severity].count)}</strong>
          <span>{words.severity[severity]}</span>
        </li>
      ))}
    </ul>
  );
}

function Line({ alarm }: { alarm: Alarm }): JSX.Element {
  const room = useRoom();
  useChanges(room.journeys.changes);
  const { words } = room.reader;
  const unit = room.unitName(alarm.responsible ?? alarm.unit);
  return (
    <li class={`wall-alarm severity-${alarm.severity}`} data-calls={isUnacknowledged(alarm)}>
      <Icon path={SEVERITY_SHAPE[alarm.severity]} size={32} />
      <span class="visually-hidden">{words.severity[alarm.severity]}: </span>
      <strong>{titleOf(alarm, room)}</strong>
      <Due alarm={alarm} brief />
      <span class="wall-where">{[whereOf(alarm, room), whoseOf(alarm, room), unit].filter(Boolean).join(" · ")}</span>
    </li>
  );
}
