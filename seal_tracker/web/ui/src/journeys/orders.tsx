// Diversion and closing: a click, a reason, a click. The service decides whether it may be.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { answered, type Schema } from "../api/service";
import { useActing } from "../app/acting";
import { useRoom } from "../app/context";

type Kind = "divert" | "close";
const CODES = ["completed", "completed_with_findings", "aborted", "other"] as const;
const UNDER_WAY = ["ARMED", "SUSPENDED", "DIVERTED", "TRANSFERRED"];

export function Orders({ journey, done }: { journey: Schema["JourneyDetail"]; done: () => void }): JSX.Element {
  const room = useRoom();
  const { words } = room.reader;
  const [asking, setAsking] = useState<Kind | null>(null);
  return (
    <div class="deeds">
      {room.may("order") && UNDER_WAY.includes(journey.state) && (
        <button type="button" onClick={() => setAsking("divert")}>
          {words.journeys.divert}
        </button>
      )}
      {room.may("keep_journeys") && journey.state === "DISARMED" && (
        <button type="button" onClick={() => setAsking("close")}>
          {words.journeys.closeIt}
        </button>
      )}
      {asking && <Order kind={asking} journey={journey} close={() => setAsking(null)} done={done} />}
    </div>
  );
}

function Order({ kind, journey, close, done }: { kind: Kind; journey: Schema["JourneyDetail"]; close: () => void; done: () => void }): JSX.Element {
  const room = useRoom();
  const { words } = room.reader;
  const dialogue = useRef<HTMLDialogElement>(null);
  const [reason, setReason] = useState("");
  const [route, setRoute] = useState("");
  const [code, setCode] = useState<(typeof CODES)[number]>("completed");
  const { failed, act } = useActing();
  useEffect(() => dialogue.current?.showModal(), []);
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    const params = { path: { id: journey.id }, header: { "If-Match": `"${journey.version}"` } };
    const divert = (): Promise<unknown> => answered(room.service.POST("/api/v1/journeys/{id}/divert", { params, body: { route: route || null, reason, at: null } }));
    const end = (): Promise<unknown> => answered(room.service.POST("/api/v1/journeys/{id}/close", { params, body: { code, note: reason } }));
    if (!(await act(kind === "divert" ? divert : end))) return;
    done();
    close();
  };
  return (
    <dialog ref={dialogue} class="dialogue" aria-labelledby="order" onClose={close}>
      <form onSubmit={(event) => void send(event)}>
        <h2 id="order">
          {kind === "divert" ? words.journeys.divert : words.journeys.closeIt}: {journey.id}
        </h2>
        {kind === "divert" ? (
          <label>
            {words.journeys.newRoute}
            <select value={route} onChange={(event) => setRoute(event.currentTarget.value)}>
              <option value="">{words.journeys.noRoute}</option>
              {room.plan.routes.features.map(({ id }) => (
                <option key={String(id)} value={String(id)}>
                  {room.plan.names.route(String(id))}
                </option>
              ))}
            </select>
          </label>
        ) : (
          <label>
            {words.alarms.code}
            <select value={code} onChange={(event) => setCode(event.currentTarget.value as (typeof CODES)[number])}>
              {CODES.map((each) => (
                <option key={each} value={each}>
                  {words.journeyClosing[each]}
                </option>
              ))}
            </select>
          </label>
        )}
        <label>
          {words.alarms.reason}
          <textarea rows={3} required maxLength={500} autoFocus value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
        </label>
        {failed && <p role="alert">{failed}</p>}
        <div class="dialogue-ends">
          <button type="button" onClick={close}>
            {words.cancel}
          </button>
          <button type="submit" class="primary">
            {kind === "divert" ? words.journeys.divert : words.journeys.closeIt}
          </button>
        </div>
      </form>
    </dialog>
  );
}
