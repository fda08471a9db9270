// Open alarms, the most urgent first. The chosen one is kept in sight.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useChanges, useRoom } from "../app/context";
import { fill } from "../i18n";
import type { Alarm } from "../live/alarms";
import { AlarmRow } from "./row";

/** Rows in the document at once; more on request, and as many as lead to the chosen one. */
const ROWS = 100;

interface ListProps {
  alarms: readonly Alarm[];
  /** How many there are without a filter. */
  total: number;
  current: string;
  marked: ReadonlySet<string>;
  choose: (alarm: Alarm) => void;
  mark: (alarm: Alarm) => void;
}

export function AlarmList({ alarms, total, current, marked, choose, mark }: ListProps): JSX.Element {
  const room = useRoom();
  useChanges(room.ticks, room.journeys.changes);
  const [rows, setRows] = useState(ROWS);
  const today = room.reader.format.day(room.now_ms);
  const count = Math.max(rows, alarms.findIndex(({ alarm }) => alarm === current) + 1);
  const list = useRef<HTMLOListElement>(null);
  const { words, format } = room.reader;
  useEffect(() => list.current?.querySelector("[aria-current=true]")?.scrollIntoView({ block: "nearest" }), [current]);
  if (alarms.length === 0) return <p class="empty">{total ? words.noMatch : words.alarms.none}</p>;
  return (
    <>
      <ol class="rows" ref={list}>
        {alarms.slice(0, count).map((alarm) => (
          <AlarmRow key={alarm.alarm} alarm={alarm} current={alarm.alarm === current} today={today} marked={marked.has(alarm.alarm)} choose={choose} mark={mark} />
        ))}
        {alarms.length > count && (
          <li>
            <button type="button" class="more" onClick={() => setRows(count + ROWS)}>
              {fill(words.alarms.more, { count: format.number(alarms.length - count) })}
            </button>
          </li>
        )}
      </ol>
    </>
  );
}
