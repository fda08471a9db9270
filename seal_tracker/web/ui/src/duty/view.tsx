// Duty: who is on, what was handed over, how many alarms there are for each, floods; and, for a unit's head, what is past its deadline.
import type { JSX } from "preact";
import { answered, type Schema } from "../api/service";
import { useActing } from "../app/acting";
import { hashOf } from "../app/address";
import { useLoaded, useRoom } from "../app/context";
import { When } from "../app/icon";
import { Lines } from "../app/lines";
import { usePages } from "../app/pages";
import { fill, word } from "../i18n";

const DAY_MS = 86_400_000;

export default function DutyView(): JSX.Element {
  const { words } = useRoom().reader;
  return (
    <section class="scroll sheet" aria-label={words.views.duty} tabIndex={0}>
      <OnDuty />
      <HandOvers />
      <Rates />
      <Overdue />
    </section>
  );
}

function OnDuty(): JSX.Element {
  const room = useRoom();
  const { words } = room.reader;
  const read = useLoaded(() => answered(room.service.GET("/api/v1/duty/now")), []);
  const lines = (read.value as { items: Schema["DutyItem"][] } | null)?.items ?? [];
  return (
    <Lines
      caption={words.duty.now}
      lines={lines}
      name={(line) => line.unit ?? ""}
      none={read.state === "failed" ? read.error.message : words.duty.nobody}
      columns={[
        { title: words.seal.unit, cell: ({ unit }) => room.unitName(unit) || words.noUnit },
        { title: words.duty.officers, cell: ({ on_duty }) => on_duty.join(", ") || words.duty.nobody },
        { title: words.duty.answers, cell: ({ answers_for }) => answers_for },
        {
          title: words.duty.until,
          cell: ({ shifts }) => shifts.map((shift) => <When key={shift.id} iso={shift.ends_at} />),
        },
      ]}
    />
  );
}

function HandOvers(): JSX.Element {
  const room = useRoom();
  const { words } = room.reader;
  const { failed, act } = useActing();
  const pages = usePages((after) => answered(room.service.GET("/api/v1/hand-overs", { params: { query: { limit: 20, ...(after && { after }) } } })), []);
  const take = async (line: Schema["HandOverLine"]): Promise<void> => {
    const params = { path: { hand_over: line.id }, header: { "If-Match": `"${line.version}"` } };
    if (await act(() => answered(room.service.POST("/api/v1/hand-overs/{hand_over}/take", { params })))) pages.again();
  };
  return (
    <>
      {(failed || pages.failed) && <p role="alert">{failed || pages.failed}</p>}
      <Lines
        caption={words.duty.handOvers}
        lines={pages.items}
        name={({ id }) => id}
        none={words.duty.noHandOvers}
        more={pages.more}
        columns={[
          { title: words.duty.handed, cell: (line) => <><When iso={line.handed_at} /> {line.handed_by}</> },
          { title: words.seal.unit, cell: ({ unit }) => room.unitName(unit) },
          { title: words.duty.openThen, number: true, cell: ({ alarms_open }) => alarms_open },
          { title: words.alarms.noteLabel, cell: ({ note }) => note },
          {
            title: words.duty.taken,
            cell: (line) =>
              line.taken_at ? (
                <><When iso={line.taken_at} /> {line.taken_by}</>
              ) : room.may("keep_duty") && line.handed_by !== room.session.username ? (
                <button type="button" onClick={() => void take(line)}>
                  {words.duty.take}
                </button>
              ) : (
                words.duty.waiting
              ),
          },
        ]}
      />
    </>
  );
}

function Rates(): JSX.Element | null {
  const room = useRoom();
  const { words, format } = room.reader;
  const read = useLoaded(() => answered(room.service.GET("/api/v1/alarms/rates", { params: { query: { from: new Date(room.now_ms - DAY_MS).toISOString(), to: new Date(room.now_ms).toISOString() } } })), []);
  if (!read.value) return read.state === "failed" ? <p role="alert">{read.error.message}</p> : null;
  const { alarms, per_hour, per_operator_hour, floods, chattering, stale } = read.value;
  return (
    <section class="figures">
      <h2>{words.duty.rates}</h2>
      <p>
        {fill(words.duty.raised, { count: format.number(alarms), hour: format.number(per_hour, 1) })}
        {per_operator_hour !== null && `, ${fill(words.duty.perOperator, { count: format.number(per_operator_hour, 1) })}`}
      </p>
      <p>{floods.length ? words.duty.floods : words.duty.noFloods}</p>
      <ul>
        {floods.map((flood) => (
          <li key={flood.from}>
            <When iso={flood.from} /> – <When iso={flood.to} />: {format.number(flood.alarms)}
          </li>
        ))}
      </ul>
      {chattering.length > 0 && <p>{fill(words.duty.chattering, { count: chattering.length })}</p>}
      {Object.keys(stale as Record<string, number>).length > 0 && <p>{fill(words.duty.stale, { count: Object.values(stale as Record<string, number>).reduce((sum, n) => sum + n, 0) })}</p>}
    </section>
  );
}

function Overdue(): JSX.Element {
  const room = useRoom();
  const { words, format } = room.reader;
  const pages = usePages<Schema["LateUnitItem"]>((after) => answered(room.service.GET("/api/v1/duty/accountability", { params: { query: after ? { after } : {} } })), []);
  const lines = pages.items.flatMap((unit) => unit.alarms.map((alarm) => ({ unit, alarm })));
  return (
    <>
      {pages.failed && <p role="alert">{pages.failed}</p>}
      <Lines
        caption={words.duty.overdue}
        lines={lines}
        name={({ alarm }) => alarm.alarm}
        none={pages.loading ? words.loading : words.duty.nothingLate}
        more={pages.more}
        columns={[
          { title: words.alarms.type, cell: ({ alarm }) => <a href={hashOf({ view: "alarms", of: alarm.alarm })}>{word(words.event, alarm.type)}</a> },
          { title: words.alarms.severityLabel, cell: ({ alarm }) => word(words.severity, alarm.severity) },
          { title: words.seal.unit, cell: ({ unit }) => room.unitName(unit.unit) || words.noUnit },
          { title: words.duty.head, cell: ({ unit }) => unit.deputy ?? unit.head },
          { title: words.alarms.state, cell: ({ alarm }) => word(words.alarmState, alarm.state) },
          { title: words.duty.lateBy, number: true, cell: ({ alarm }) => format.duration((room.now_ms - Date.parse(alarm.due_at)) / 1000) },
          { title: words.duty.escalated, cell: ({ alarm }) => alarm.escalated_to },
          { title: words.duty.seen, cell: ({ alarm }) => alarm.seen.map(({ by, at }) => <span key={by}>{by} <When iso={at} /> </span>) },
        ]}
      />
    </>
  );
}
