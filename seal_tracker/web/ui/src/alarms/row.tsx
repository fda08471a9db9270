// One alarm in a few words: what, where, whose cargo, whose unit, since when, how sure, what has been done, and by when something must be.
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { Evidence } from "../api/types";
import { usePicked, useRoom } from "../app/context";
import { Icon, When } from "../app/icon";
import type { Plan, Room } from "../app/room";
import { fill, word } from "../i18n";
import { dueOf, isUnacknowledged, type Alarm } from "../live/alarms";
import { nearest } from "../live/places";
import { SEVERITY_SHAPE } from "../view/pictograms";

/** Less time than this is shown as pressing. */
const PRESSING_S = 120;

interface RowProps {
  alarm: Alarm;
  current: boolean;
  marked: boolean;
  /** The day of who reads: times of another one are written with it. */
  today: string;
  choose: (alarm: Alarm) => void;
  mark: (alarm: Alarm) => void;
}

export function AlarmRow({ alarm, current, marked, today, choose, mark }: RowProps): JSX.Element {
  const room = useRoom();
  const { words } = room.reader;
  // Drawn anew only where something of it is other: hundreds stand in the list, and it is looked at every second.
  return useMemo(
    () => (
      <li class={`alarm severity-${alarm.severity}`} data-calls={isUnacknowledged(alarm)} data-state={alarm.state} aria-current={current}>
        <input type="checkbox" checked={marked} aria-label={`${words.alarms.mark}: ${titleOf(alarm, room)}`} onChange={() => mark(alarm)} />
        <button type="button" class="row alarm-row" onClick={() => choose(alarm)}>
          <Icon path={SEVERITY_SHAPE[alarm.severity]} />
          <span class="visually-hidden">{words.severity[alarm.severity]}: </span>
          <span class="alarm-what">
            <span class="row-type">{titleOf(alarm, room)}</span> <span class="row-evidence">{[whereOf(alarm, room), sureOf(alarm, room)].filter(Boolean).join(" · ")}</span>
          </span>
          <Due alarm={alarm} />
          <span class="row-where">
            {[whoseOf(alarm, room), room.unitName(alarm.responsible ?? alarm.unit)].filter(Boolean).join(" · ")}
            {" · "}
            {words.alarms.since} <When iso={alarm.raised_at} /> · <span class="row-done">{doneOf(alarm, room)}</span>
          </span>
        </button>
      </li>
    ),
    [alarm, current, marked, today, room.plan, room.journeys.of(alarm.journey), room.episodes.of(alarm)],
  );
}

/** By when the next thing must be done; `brief`: without saying what. */
export function Due({ alarm, brief = false }: { alarm: Alarm; brief?: boolean }): JSX.Element | null {
  const room = useRoom();
  const { words } = room.reader;
  const due = dueOf(alarm);
  const [state, text] = usePicked(room.ticks, () => (due ? leftOf(due, room) : "")).split("|");
  if (!due) return null;
  const what = isUnacknowledged(alarm) ? words.alarms.toAcknowledge : words.alarms.toClose;
  return (
    <time class="due" dateTime={due} title={`${what} ${due.replace("T", " ").replace("Z", " UTC")}`} data-due={state}>
      {brief ? text : `${what} ${text}`}
    </time>
  );
}

/** How pressing a deadline is, and what is left until it, as "soon|within 90 s". */
function leftOf(due: string, { now_ms, reader: { words, format } }: Room): string {
  const left_s = (Date.parse(due) - now_ms) / 1000;
  if (left_s < 0) return `over|${fill(words.alarms.overdue, { age: format.duration(-left_s) })}`;
  return `${left_s < PRESSING_S ? "soon" : "later"}|${fill(words.alarms.left, { age: format.duration(left_s) })}`;
}

export const titleOf = ({ type, repeats }: Alarm, { reader: { words } }: Room): string => word(words.event, type) + (repeats > 1 ? ` ×${repeats}` : "");

export const evidenceOf = (alarm: Alarm, room: Room): Evidence => room.episodes.of(alarm)?.evidence ?? NO_EVIDENCE;

const NO_EVIDENCE: Evidence = {};

/** On which zone or stretch of the route, and near which place. */
export function whereOf(alarm: Alarm, room: Room): string {
  const said = whereSaid.get(alarm);
  const evidence = evidenceOf(alarm, room);
  if (said?.evidence === evidence && said.plan === room.plan) return said.text;
  const text = writeWhere(alarm, evidence, room);
  whereSaid.set(alarm, { evidence, plan: room.plan, text });
  return text;
}

/** To find the nearest place all are looked at: once for each state of an alarm. */
const whereSaid = new WeakMap<Alarm, { evidence: Evidence; plan: Plan; text: string }>();

function writeWhere(alarm: Alarm, evidence: Evidence, room: Room): string {
  const { words, format } = room.reader;
  const { names } = room.plan;
  const chainage_m = evidence["chainage_m"];
  const near = alarm.place && nearest(room.places, alarm.place[0] ?? 0, alarm.place[1] ?? 0);
  return [
    alarm.object && names.zone(alarm.object),
    typeof chainage_m === "number" && fill(words.evidence.chainage, { value: format.length(chainage_m) }),
    near && near.name !== (alarm.object && names.zone(alarm.object)) && fill(words.alarms.near, { place: near.name, away: format.length(near.away_m) }),
  ]
    .filter(Boolean)
    .join(", ");
}

export function whoseOf(alarm: Alarm, room: Room): string {
  const journey = room.journeys.of(alarm.journey);
  return [alarm.journey ?? alarm.seal ?? alarm.subject, journey?.cargo, journey?.vehicle].filter(Boolean).join(", ");
}

/** How many fixes say so, and whether it is inferred, late, or over. */
export function sureOf(alarm: Alarm, room: Room): string {
  const { words, format } = room.reader;
  const evidence = evidenceOf(alarm, room);
  const n = evidence["n_fixes"];
  const fixes = typeof n !== "number" ? "" : n === 1 ? words.evidence.oneFix : fill(words.evidence.fixes, { value: format.number(n) });
  const inferred = room.episodes.of(alarm)?.inferred;
  const over = alarm.ended_at ? fill(words.alarms.over, { time: format.minute(alarm.ended_at, room.now_ms) }) : "";
  return [fixes, inferred && words.flags.inferred, alarm.late && words.flags.late, over].filter(Boolean).join(", ");
}

/** What persons have done: who has seen, has it, was sent, has set it aside; and how often it was escalated. */
export function doneOf(alarm: Alarm, { reader: { words, format }, now_ms }: Room): string {
  const { alarms } = words;
  const aside = alarm.shelf ?? alarm.suppression;
  return [
    isUnacknowledged(alarm) ? words.alarmState[alarm.state as "unacknowledged" | "returned_unacknowledged"] : alarm.acked_by && fill(alarms.ackedBy, { who: alarm.acked_by }),
    alarm.assignee && fill(alarms.assignedTo, { who: alarm.assignee }),
    alarm.dispatched && fill(alarms.sent, { who: alarm.dispatched }),
    aside && fill(alarm.shelf ? alarms.shelvedUntil : alarms.suppressedUntil, { time: format.minute(aside.until, now_ms) }),
    alarm.notes > 0 && fill(alarms.notes, { count: alarm.notes }),
    alarm.escalations > 0 && fill(alarms.escalated, { who: alarm.escalated_to ?? "" }),
  ]
    .filter(Boolean)
    .join(" · ");
}

/** Everything in a line that somebody may look for. */
export const searchOf = (alarm: Alarm, room: Room): string =>
  [titleOf(alarm, room), alarm.alarm, alarm.seal, alarm.declaration, whereOf(alarm, room), whoseOf(alarm, room), room.unitName(alarm.responsible ?? alarm.unit), doneOf(alarm, room)].filter(Boolean).join(" ");
