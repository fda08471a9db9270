// Tasks of units: instructions with their source, date and progress; a unit's officers say here how far they are.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { answered, type Schema } from "../api/service";
import { useActing } from "../app/acting";
import { useChanges, useLoaded, useRoom } from "../app/context";
import { When } from "../app/icon";
import { Lines } from "../app/lines";
import { usePages } from "../app/pages";
import { word } from "../i18n";

type Task = Schema["TaskLine"];

export default function TasksView(): JSX.Element {
  const room = useRoom();
  useChanges(room.address.changes);
  const { words, format } = room.reader;
  const { of, query } = room.address.place;
  const [turn, setTurn] = useState(0);
  const pages = usePages<Task>(
    (after) => answered(room.service.GET("/api/v1/tasks", { params: { query: { limit: 100, ...(query["all"] ? {} : { open: true }), ...(query["overdue"] && { overdue: true }), ...(after && { after }) } } })),
    [query["all"], query["overdue"], turn],
  );
  const choice = (name: string, text: string): JSX.Element => (
    <label class="mine">
      <input type="checkbox" checked={query[name] === "1"} onChange={(event) => room.address.refine({ query: { [name]: event.currentTarget.checked ? "1" : "" } })} />
      {text}
    </label>
  );
  return (
    <div class="sheet two">
      <section class="scroll" aria-label={words.views.tasks} tabIndex={0}>
        <div class="panel-filter">
          {choice("overdue", words.tasks.overdueOnly)}
          {choice("all", words.tasks.endedToo)}
        </div>
        {pages.failed && <p role="alert">{pages.failed}</p>}
        <Lines
          lines={pages.items}
          name={({ id }) => id}
          none={pages.loading ? words.loading : words.tasks.none}
          more={pages.more}
          columns={[
            { title: words.tasks.title, cell: (task) => <a href={`#/tasks/${task.id}`}>{task.title}</a> },
            { title: words.tasks.document, cell: ({ document }) => document },
            { title: words.seal.unit, cell: ({ unit }) => room.unitName(unit) },
            { title: words.journeys.due, cell: (task) => <span data-due={task.overdue ? "over" : "later"} class="due"><When iso={task.due} /></span> },
            { title: words.alarms.state, cell: ({ state }) => words.taskState[state] },
            { title: words.seal.progress, number: true, cell: ({ percent }) => `${format.number(percent)} %` },
          ]}
        />
      </section>
      {of && <OneTask key={of} id={of} changed={() => setTurn((n) => n + 1)} />}
    </div>
  );
}

function OneTask({ id, changed }: { id: string; changed: () => void }): JSX.Element {
  const room = useRoom();
  const { words } = room.reader;
  const read = useLoaded(() => answered(room.service.GET("/api/v1/tasks/{task}", { params: { path: { task: id } } })), [id]);
  const [note, setNote] = useState("");
  const [percent, setPercent] = useState(0);
  const { failed, act: send } = useActing();
  const task = read.value;
  useEffect(() => setPercent(task?.percent ?? 0), [task?.percent]);
  if (!task) return <aside class="detail">{read.state === "failed" ? read.error.message : words.loading}</aside>;
  const params = { path: { task: id }, header: { "If-Match": `"${task.version}"` } };
  const act = async (deed: () => Promise<unknown>): Promise<void> => {
    if (!(await send(deed))) return;
    setNote("");
    read.again();
    changed();
  };
  const { service } = room;
  const underWay = task.state === "accepted" || task.state === "in_progress" || task.state === "returned";
  return (
    <aside class="detail" aria-label={task.title}>
      <header>
        <h2>{task.title}</h2>
        <button type="button" class="quiet" aria-label={words.close} onClick={() => room.address.refine({ of: "" })}>
          ×
        </button>
      </header>
      <p class="task-text">{task.text}</p>
      {failed && <p role="alert">{failed}</p>}
      <div class="deeds">
        {(task.state === "given" || task.state === "returned") && (
          <button type="button" class="primary" onClick={() => void act(() => answered(service.POST("/api/v1/tasks/{task}/accept", { params, body: {} })))}>
            {words.tasks.accept}
          </button>
        )}
      </div>
      {underWay && (
        <form
          class="task-form"
          onSubmit={(event) => {
            event.preventDefault();
            void act(() => answered(service.POST("/api/v1/tasks/{task}/progress", { params, body: { percent, note } })));
          }}
        >
          <label>
            {words.tasks.percent}
            <input type="number" min={0} max={99} value={percent} onInput={(event) => setPercent(Number(event.currentTarget.value))} />
          </label>
          <label>
            {words.alarms.noteLabel}
            <textarea rows={2} required value={note} onInput={(event) => setNote(event.currentTarget.value)} />
          </label>
          <div class="dialogue-ends">
            <button type="submit">{words.tasks.report}</button>
            <button type="button" class="primary" disabled={!note} onClick={() => void act(() => answered(service.POST("/api/v1/tasks/{task}/done", { params, body: { note } })))}>
              {words.tasks.done}
            </button>
          </div>
        </form>
      )}
      <section class="history">
        <h3>{words.alarms.history}</h3>
        <ol>
          {task.history.map((step, i) => (
            <li key={i}>
              <When iso={step.at} full /> <strong>{word(words.taskStep, step.step)}</strong> {step.by}
            </li>
          ))}
        </ol>
      </section>
    </aside>
  );
}
