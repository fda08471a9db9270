// Special situations: what no seal sensed. Registered, followed up and closed by officers; every version stays.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { answered, type Schema } from "../api/service";
import { SEVERITIES } from "../api/types";
import { useActing } from "../app/acting";
import { useChanges, useLoaded, useRoom } from "../app/context";
import { When } from "../app/icon";
import { Lines } from "../app/lines";
import { usePages } from "../app/pages";

type Situation = Schema["Situation"];
type Kinds = readonly Schema["KindItem"][];

export default function SituationsView(): JSX.Element {
  const room = useRoom();
  useChanges(room.address.changes);
  const { words, language } = room.reader;
  const { of, query } = room.address.place;
  const [turn, setTurn] = useState(0);
  const again = (): void => setTurn((n) => n + 1);
  const kinds = useLoaded(() => answered(room.service.GET("/api/v1/situations/kinds")), []);
  const known: Kinds = (kinds.value as { items: Kinds } | null)?.items ?? [];
  const kindName = (kind: string): string => known.find((one) => one.kind === kind)?.[language] ?? kind;
  const state = query["closed"] ? {} : { state: "open" as const };
  const pages = usePages<Situation>((after) => answered(room.service.GET("/api/v1/situations", { params: { query: { limit: 100, ...state, ...(after && { after }) } } })), [query["closed"], turn]);
  return (
    <div class="sheet two">
      <section class="scroll" aria-label={words.views.situations} tabIndex={0}>
        <div class="panel-filter">
          <label class="mine">
            <input type="checkbox" checked={query["closed"] === "1"} onChange={(event) => room.address.refine({ query: { closed: event.currentTarget.checked ? "1" : "" } })} />
            {words.situations.closedToo}
          </label>
          <button type="button" class="plain" onClick={() => room.address.refine({ of: "+" })}>
            {words.situations.register}
          </button>
        </div>
        {pages.failed && <p role="alert">{pages.failed}</p>}
        <Lines
          lines={pages.items}
          name={({ id }) => id}
          none={pages.loading ? words.loading : words.situations.none}
          more={pages.more}
          columns={[
            { title: words.situations.what, cell: (one) => <a href={`#/situations/${one.id}`}>{kindName(one.kind)}</a> },
            { title: words.alarms.severityLabel, cell: ({ severity }) => words.severity[severity] },
            { title: words.seal.unit, cell: ({ unit }) => room.unitName(unit) || words.noUnit },
            { title: words.situations.when, cell: ({ occurred_at }) => <When iso={occurred_at} full /> },
            { title: words.situations.narrative, cell: ({ narrative }) => narrative },
            { title: words.situations.lastStep, cell: ({ follow_ups }) => follow_ups.at(-1)?.text },
            { title: words.alarms.state, cell: ({ state: now }) => words.situationState[now] },
          ]}
        />
      </section>
      {of === "+" && <Register kinds={known} done={(id) => (again(), room.address.refine({ of: id }))} />}
      {of && of !== "+" && <One key={of} id={of} kindName={kindName} changed={again} />}
    </div>
  );
}

function Register({ kinds, done }: { kinds: Kinds; done: (id: string) => void }): JSX.Element {
  const room = useRoom();
  const { words, language } = room.reader;
  const { busy, failed, act } = useActing();
  const [kind, setKind] = useState("");
  const [severity, setSeverity] = useState<(typeof SEVERITIES)[number]>("medium");
  const [unit, setUnit] = useState(room.session.unit ?? "");
  const [when, setWhen] = useState(new Date(room.now_ms + 7 * 3_600_000).toISOString().slice(0, 16));
  const [narrative, setNarrative] = useState("");
  const send = (event: Event): void => {
    event.preventDefault();
    const body = { kind, severity, unit: unit || null, occurred_at: `${when}:00+07:00`, narrative, journeys: [], alarms: [] };
    void act(async () => done((await answered(room.service.POST("/api/v1/situations", { body }))).id));
  };
  return (
    <aside class="detail" aria-label={words.situations.register}>
      <form class="task-form" onSubmit={send}>
        <h2>{words.situations.register}</h2>
        <label>
          {words.situations.what}
          <select required value={kind} onChange={(event) => setKind(event.currentTarget.value)}>
            <option value="" />
            {kinds.map((one) => (
              <option key={one.kind} value={one.kind}>
                {one[language]}
              </option>
            ))}
          </select>
        </label>
        <label>
          {words.alarms.severityLabel}
          <select value={severity} onChange={(event) => setSeverity(event.currentTarget.value as typeof severity)}>
            {[...SEVERITIES].reverse().map((one) => (
              <option key={one} value={one}>
                {words.severity[one]}
              </option>
            ))}
          </select>
        </label>
        <label>
          {words.seal.unit}
          <select value={unit} onChange={(event) => setUnit(event.currentTarget.value)}>
            <option value="">{words.noUnit}</option>
            {[...room.units.keys()].map((id) => (
              <option key={id} value={id}>
                {room.unitName(id)}
              </option>
            ))}
          </select>
        </label>
        <label>
          {words.situations.when}
          <input type="datetime-local" required value={when} onInput={(event) => setWhen(event.currentTarget.value)} />
        </label>
        <label>
          {words.situations.narrative}
          <textarea rows={6} required value={narrative} onInput={(event) => setNarrative(event.currentTarget.value)} />
        </label>
        {failed && <p role="alert">{failed}</p>}
        <div class="dialogue-ends">
          <button type="button" onClick={() => room.address.refine({ of: "" })}>
            {words.cancel}
          </button>
          <button type="submit" class="primary" disabled={busy}>
            {words.situations.register}
          </button>
        </div>
      </form>
    </aside>
  );
}

function One({ id, kindName, changed }: { id: string; kindName: (kind: string) => string; changed: () => void }): JSX.Element {
  const room = useRoom();
  const { words } = room.reader;
  const { busy, failed, act } = useActing();
  const [text, setText] = useState("");
  const read = useLoaded<Situation>(() => answered(room.service.GET("/api/v1/situations/{situation}", { params: { path: { situation: id } } })), [id]);
  const found = read.value;
  if (!found) return <aside class="detail">{read.state === "failed" ? read.error.message : words.loading}</aside>;
  const path = { situation: id };
  const send = async (deed: () => Promise<unknown>): Promise<void> => {
    if (!(await act(deed))) return;
    setText("");
    read.again();
    changed();
  };
  const followUp = (): Promise<unknown> => answered(room.service.POST("/api/v1/situations/{situation}/follow-ups", { params: { path }, body: { text } }));
  const close = (): Promise<unknown> => answered(room.service.POST("/api/v1/situations/{situation}/close", { params: { path, header: { "If-Match": `"${found.version}"` } }, body: { outcome: text } }));
  return (
    <aside class={`detail severity-${found.severity}`} aria-label={kindName(found.kind)}>
      <header>
        <span />
        <h2>{kindName(found.kind)}</h2>
        <button type="button" class="quiet" aria-label={words.close} onClick={() => room.address.refine({ of: "" })}>
          ×
        </button>
      </header>
      <p class="task-text">{found.narrative}</p>
      {found.state === "open" && (
        <form class="task-form" onSubmit={(event) => (event.preventDefault(), void send(followUp))}>
          <label>
            {words.situations.step}
            <textarea rows={3} required value={text} onInput={(event) => setText(event.currentTarget.value)} />
          </label>
          {failed && <p role="alert">{failed}</p>}
          <div class="dialogue-ends">
            <button type="button" disabled={busy || !text} onClick={() => void send(close)}>
              {words.situations.closeIt}
            </button>
            <button type="submit" class="primary" disabled={busy}>
              {words.situations.add}
            </button>
          </div>
        </form>
      )}
      <section class="history">
        <h3>{words.alarms.history}</h3>
        <ol>
          {[...found.follow_ups].reverse().map((step) => (
            <li key={step.at}>
              <When iso={step.at} full /> {step.by}
              <q>{step.text}</q>
            </li>
          ))}
        </ol>
      </section>
    </aside>
  );
}
