// Unscheduled inspections: the riskiest journeys and why, draws that anybody can recompute, and what was found.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { apiUrl } from "../api/client";
import { answered, type Schema } from "../api/service";
import { hashOf } from "../app/address";
import { useActing } from "../app/acting";
import { useLoaded, useRoom } from "../app/context";
import { When } from "../app/icon";
import { Lines } from "../app/lines";
import { usePages } from "../app/pages";

type Inspection = Schema["Inspection"];
type Draw = Schema["Draw"];
const FINDINGS = ["seal_tampered", "cargo_differs", "undeclared_cargo", "papers", "vehicle_differs", "route_left", "duty_neglected", "other"] as const;
const RISKIEST = 30;

export default function InspectionsView(): JSX.Element {
  const room = useRoom();
  const { words } = room.reader;
  const [turn, setTurn] = useState(0);
  const again = (): void => setTurn((n) => n + 1);
  return (
    <section class="scroll sheet" aria-label={words.views.inspections} tabIndex={0}>
      <Due turn={turn} again={again} />
      <Draws turn={turn} again={again} />
      <Riskiest again={again} />
    </section>
  );
}

function Due({ turn, again }: { turn: number; again: () => void }): JSX.Element {
  const room = useRoom();
  const { words } = room.reader;
  const [recording, setRecording] = useState<Inspection | null>(null);
  const pages = usePages<Inspection>((after) => answered(room.service.GET("/api/v1/inspections", { params: { query: { limit: 50, due: true, ...(after && { after }) } } })), [turn]);
  return (
    <>
      {pages.failed && <p role="alert">{pages.failed}</p>}
      <Lines
        caption={words.inspections.due}
        lines={pages.items}
        name={({ id }) => id}
        none={pages.loading ? words.loading : words.inspections.noneDue}
        more={pages.more}
        columns={[
          { title: words.inspections.whom, cell: (one) => (one.kind === "journey" ? <a href={hashOf({ view: "journeys", of: one.subject })}>{one.subject}</a> : room.unitName(one.subject)) },
          { title: words.seal.unit, cell: ({ unit }) => room.unitName(unit) },
          { title: words.inspections.risk, cell: ({ level, score }) => `${words.riskLevel[level]} (${score})` },
          { title: words.alarms.reason, cell: ({ reason, basis }) => `${basis === "drawn" ? words.inspections.drawn : words.inspections.ordered}: ${reason}` },
          { title: words.alarms.sinceLabel, cell: ({ ordered_at }) => <When iso={ordered_at} full /> },
          { title: words.inspections.result, cell: (one) => room.may("inspect") && <button type="button" class="plain" onClick={() => setRecording(one)}>{words.inspections.record}</button> },
        ]}
      />
      {recording && <Record key={recording.id} one={recording} close={() => setRecording(null)} done={again} />}
    </>
  );
}

function Record({ one, close, done }: { one: Inspection; close: () => void; done: () => void }): JSX.Element {
  const room = useRoom();
  const { words } = room.reader;
  const { busy, failed, act } = useActing();
  const [made, setMade] = useState(true);
  const [findings, setFindings] = useState<readonly (typeof FINDINGS)[number][]>([]);
  const [note, setNote] = useState("");
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    const params = { path: { inspection: one.id }, header: { "If-Match": `"${one.version}"` } };
    const body = { done: made, findings: made ? [...findings] : [], note: note || null };
    if (await act(() => answered(room.service.POST("/api/v1/inspections/{inspection}/record", { params, body })))) {
      done();
      close();
    }
  };
  return (
    <form class="task-form inset" onSubmit={(event) => void send(event)}>
      <h3>
        {words.inspections.record}: {one.subject}
      </h3>
      <label class="mine">
        <input type="checkbox" checked={made} onChange={(event) => setMade(event.currentTarget.checked)} />
        {words.inspections.made}
      </label>
      {made && (
        <fieldset>
          <legend>{words.inspections.found}</legend>
          {FINDINGS.map((finding) => (
            <label key={finding} class="mine">
              <input type="checkbox" checked={findings.includes(finding)} onChange={() => setFindings(findings.includes(finding) ? findings.filter((each) => each !== finding) : [...findings, finding])} />
              {words.finding[finding]}
            </label>
          ))}
        </fieldset>
      )}
      <label>
        {words.alarms.noteLabel}
        <textarea rows={2} required={!made} value={note} onInput={(event) => setNote(event.currentTarget.value)} />
      </label>
      {failed && <p role="alert">{failed}</p>}
      <div class="dialogue-ends">
        <button type="button" onClick={close}>
          {words.cancel}
        </button>
        <button type="submit" class="primary" disabled={busy}>
          {words.inspections.record}
        </button>
      </div>
    </form>
  );
}

function Draws({ turn, again }: { turn: number; again: () => void }): JSX.Element {
  const room = useRoom();
  const { words } = room.reader;
  const { failed, act } = useActing();
  const [reason, setReason] = useState("");
  const [share, setShare] = useState(10);
  const pages = usePages<Draw>((after) => answered(room.service.GET("/api/v1/draws", { params: { query: { limit: 20, ...(after && { after }) } } })), [turn]);
  const commit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const quotas = { high: { share_pct: Math.min(100, share * 3), least: 1 }, medium: { share_pct: share, least: 0 }, low: { share_pct: Math.ceil(share / 5), least: 0 } };
    const body = { kind: "journey" as const, reason, quotas, public_source: null, population: { unit: room.session.unit, regime: null, route: null } };
    if (await act(() => answered(room.service.POST("/api/v1/draws", { body })))) {
      setReason("");
      again();
    }
  };
  const make = async (draw: Draw): Promise<void> => {
    const published = draw.public_source ? window.prompt(draw.public_source) : null;
    if (draw.public_source && published === null) return;
    const params = { path: { draw: draw.id }, header: { "If-Match": `"${draw.version}"` } };
    if (await act(() => answered(room.service.POST("/api/v1/draws/{draw}/make", { params, body: { public: published } })))) again();
  };
  return (
    <>
      {(failed || pages.failed) && <p role="alert">{failed || pages.failed}</p>}
      <Lines
        caption={words.inspections.draws}
        lines={pages.items}
        name={({ id }) => id}
        none={pages.loading ? words.loading : words.inspections.noDraws}
        more={pages.more}
        columns={[
          { title: words.alarms.reason, cell: (draw) => draw.reason },
          { title: words.alarms.state, cell: ({ state }) => words.drawState[state] },
          { title: words.inspections.commitment, cell: ({ commitment }) => <code title={commitment}>{commitment.slice(0, 16)}…</code> },
          { title: words.alarms.sinceLabel, cell: (draw) => <><When iso={draw.committed_at} full /> {draw.committed_by}</> },
          { title: words.inspections.drawnOnes, cell: ({ drawn }) => drawn.map(({ id }) => id).join(", ") },
          {
            title: words.inspections.result,
            cell: (draw) =>
              draw.state === "committed" ? (
                room.may("inspect") && <button type="button" class="plain" onClick={() => void make(draw)}>{words.inspections.make}</button>
              ) : (
                <a href={apiUrl(`draws/${draw.id}`)} download={`draw-${draw.id}.json`}>{words.inspections.toVerify}</a>
              ),
          },
        ]}
      />
      {room.may("inspect") && (
        <form class="report-choice" onSubmit={(event) => void commit(event)}>
          <label>
            {words.inspections.newDraw}
            <input type="text" required placeholder={words.alarms.reason} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
          </label>
          <label>
            {words.inspections.share}
            <input type="number" min={1} max={100} value={share} onInput={(event) => setShare(Number(event.currentTarget.value))} />
          </label>
          <button type="submit" class="plain">
            {words.inspections.commit}
          </button>
        </form>
      )}
    </>
  );
}

function Riskiest({ again }: { again: () => void }): JSX.Element {
  const room = useRoom();
  const { words, language, format } = room.reader;
  const { failed, act } = useActing();
  const read = useLoaded(() => answered(room.service.GET("/api/v1/risk", { params: { query: { limit: RISKIEST } } })), []);
  const order = async (subject: string): Promise<void> => {
    const reason = window.prompt(words.alarms.reason);
    if (reason && (await act(() => answered(room.service.POST("/api/v1/inspections", { body: { kind: "journey", subject, reason } }))))) again();
  };
  return (
    <>
      {failed && <p role="alert">{failed}</p>}
      <Lines
        caption={words.inspections.riskiest}
        lines={read.value?.items ?? []}
        name={({ journey }) => journey}
        none={read.state === "failed" ? read.error.message : read.value ? words.inspections.noRisk : words.loading}
        columns={[
          { title: words.seal.journey, cell: ({ journey }) => <a href={hashOf({ view: "journeys", of: journey })}>{journey}</a> },
          { title: words.inspections.risk, cell: ({ level, score }) => `${words.riskLevel[level]} (${format.number(score)})` },
          { title: words.journeys.carrier, cell: ({ carrier }) => carrier },
          { title: words.inspections.why, cell: ({ lines }) => lines.filter(({ points }) => points > 0).map((line) => <div key={line.indicator}>+{line.points} {line.words[language]}</div>) },
          { title: words.inspections.result, cell: ({ journey }) => room.may("inspect") && <button type="button" class="plain" onClick={() => void order(journey)}>{words.inspections.order}</button> },
        ]}
      />
    </>
  );
}
