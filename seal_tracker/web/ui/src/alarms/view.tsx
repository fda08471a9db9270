// The list that matters, the map beside it, and one alarm in full: what a duty officer works with.
import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useChanges, useRoom } from "../app/context";
import { NO_FILTER, passes, type Alarm, type AlarmFilter } from "../live/alarms";
import { MapArea, MapHandle } from "../map/map_area";
import { Announcements } from "./announcements";
import { Detail } from "./detail";
import { Dialogue, type Asking } from "./dialogue";
import { EventsPanel } from "./events";
import { Filters } from "./filters";
import { Help } from "./help";
import { useKeys } from "./keys";
import { AlarmList } from "./list";
import { evidenceOf, searchOf } from "./row";
import { Work } from "./work";

export default function AlarmsView(): JSX.Element {
  const room = useRoom();
  useChanges(room.alarmBook.changes, room.address.changes);
  const { place } = room.address;
  const { words } = room.reader;
  const map = useMemo(() => new MapHandle(), []);
  const work = useMemo(() => new Work(room), [room]);
  const filterBox = useRef<HTMLInputElement>(null);
  const [marked, setMarked] = useState<ReadonlySet<string>>(new Set());
  const [asking, setAsking] = useState<Asking | null>(null);
  const [helping, setHelping] = useState(false);
  const [tab, setTab] = useState<"alarms" | "events">(place.query["show"] === "events" ? "events" : "alarms");

  const filter: AlarmFilter = { ...NO_FILTER, ...place.query };
  const shown = room.alarmBook.all.filter((alarm) => passes(alarm, filter, room.session.username, () => searchOf(alarm, room)));
  const current = room.alarmBook.get(place.of) ?? null;
  const at = shown.findIndex(({ alarm }) => alarm === place.of);

  const choose = (alarm: Alarm | undefined): void => {
    if (!alarm) return;
    room.address.refine({ of: alarm.alarm });
    map.do((view) => view.showAlarm(alarm, evidenceOf(alarm, room)));
  };
  const targets = (): Alarm[] => {
    const chosen = shown.filter(({ alarm }) => marked.has(alarm));
    return chosen.length ? chosen : current ? [current] : [];
  };
  const mark = (alarm: Alarm): void => {
    setMarked((before) => {
      const next = new Set(before);
      if (!next.delete(alarm.alarm)) next.add(alarm.alarm);
      return next;
    });
  };
  const acknowledge = async (alarms: readonly Alarm[]): Promise<void> => {
    await work.acknowledge(alarms);
    setMarked(new Set());
  };
  const ask = (kind: Asking["kind"]): void => {
    const [alarm] = targets();
    if (alarm && room.may("handle_alarms")) setAsking({ kind, alarm });
  };

  useKeys(
    asking || helping
      ? { Escape: () => (setAsking(null), setHelping(false)) }
      : {
          j: () => choose(shown[at + 1] ?? shown[at]),
          k: () => choose(shown[Math.max(0, at - 1)]),
          ArrowDown: () => choose(shown[at + 1] ?? shown[at]),
          ArrowUp: () => choose(shown[Math.max(0, at - 1)]),
          a: () => void acknowledge(targets()),
          x: () => current && mark(current),
          "*": () => setMarked(new Set(marked.size ? [] : shown.map(({ alarm }) => alarm))),
          m: () => current && void work.assign(current, room.session.username),
          n: () => ask("note"),
          c: () => ask("close"),
          s: () => ask("shelve"),
          d: () => ask("dispatch"),
          g: () => setAsking(current ? { kind: "assign", alarm: current } : null),
          f: () => current && map.do((view) => view.showAlarm(current, evidenceOf(current, room))),
          o: () => current?.journey && room.address.go({ view: "journeys", of: current.journey }),
          "/": () => filterBox.current?.focus(),
          "?": () => setHelping(true),
          Escape: () => room.address.refine({ of: "" }),
        },
  );

  useEffect(() => {
    if (current) void work.seen(current);
  }, [place.of]);

  return (
    <div class="room">
      <section class="panel" aria-label={words.alarms.title}>
        <div class="tabs" role="group" aria-label={words.alarms.title}>
          <button type="button" aria-pressed={tab === "alarms"} onClick={() => setTab("alarms")}>
            {words.alarms.title} ({shown.length})
          </button>
          <button type="button" aria-pressed={tab === "events"} onClick={() => setTab("events")}>
            {words.events}
          </button>
          <button type="button" class="help-button" aria-label={words.alarms.help} title={`${words.alarms.help} (?)`} onClick={() => setHelping(true)}>
            ?
          </button>
        </div>
        {tab === "events" ? (
          <EventsPanel map={map} />
        ) : (
          <>
            <Filters filter={filter} box={filterBox} />
            {marked.size > 0 && (
              <div class="bulk" role="group" aria-label={words.alarms.marked}>
                <span>
                  {words.alarms.marked}: {marked.size}
                </span>
                <button type="button" class="primary" onClick={() => void acknowledge(targets())}>
                  {words.alarms.ackMarked}
                </button>
                <button type="button" onClick={() => setMarked(new Set())}>
                  {words.alarms.unmark}
                </button>
              </div>
            )}
            <AlarmList alarms={shown} total={room.alarmBook.size} current={place.of} marked={marked} choose={choose} mark={mark} />
          </>
        )}
      </section>
      <div class="beside">
        <MapArea handle={map} />
        {place.of && <Detail key={place.of} id={place.of} work={work} ask={(kind, alarm) => setAsking({ kind, alarm })} map={map} />}
      </div>
      {asking && <Dialogue asking={asking} work={work} close={() => setAsking(null)} />}
      {helping && <Help close={() => setHelping(false)} />}
      <Announcements />
      <work.Failure />
    </div>
  );
}
