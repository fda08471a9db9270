// What a deed needs to be told: a note, a name, a time, a reason. One form at a time; Escape leaves it, Enter sends it.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useRoom } from "../app/context";
import type { Alarm } from "../live/alarms";
import { titleOf } from "./row";
import type { ClosingCode, Work } from "./work";

export interface Asking {
  kind: "note" | "assign" | "dispatch" | "shelve" | "close";
  alarm: Alarm;
}

const CODES: readonly ClosingCode[] = ["resolved", "confirmed", "false_alarm", "authorised", "equipment_fault", "duplicate", "test"];
const SHELF_MIN = [15, 30, 60, 120, 240, 480] as const;

export function Dialogue({ asking: { kind, alarm }, work, close }: { asking: Asking; work: Work; close: () => void }): JSX.Element {
  const room = useRoom();
  const { words } = room.reader;
  const dialogue = useRef<HTMLDialogElement>(null);
  const [note, setNote] = useState("");
  const [who, setWho] = useState("");
  const [code, setCode] = useState<ClosingCode>("resolved");
  const [minutes, setMinutes] = useState<number>(30);
  const [busy, setBusy] = useState(false);
  const latched = room.board.episodes.get(alarm.episode)?.latched ?? false;
  const [reset, setReset] = useState(false);

  useEffect(() => dialogue.current?.showModal(), []);

  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    const until = new Date(room.now_ms + minutes * 60_000).toISOString();
    const done = {
      note: () => work.note(alarm, note),
      assign: () => work.assign(alarm, who),
      dispatch: () => work.dispatch(alarm, who, note),
      shelve: () => work.shelve(alarm, until, note),
      close: () => work.close(alarm, code, note, reset),
    }[kind];
    if (await done()) close();
    else setBusy(false);
  };

  return (
    <dialog ref={dialogue} class="dialogue" aria-labelledby="asking" onClose={close} onCancel={close}>
      <form onSubmit={(event) => void send(event)}>
        <h2 id="asking">
          {words.alarms.asking[kind]}: {titleOf(alarm, room)}
        </h2>
        {(kind === "assign" || kind === "dispatch") && (
          <label>
            {kind === "assign" ? words.alarms.toWhom : words.alarms.whoIsSent}
            <input type="text" required maxLength={100} value={who} autoFocus onInput={(event) => setWho(event.currentTarget.value)} />
          </label>
        )}
        {kind === "shelve" && (
          <label>
            {words.alarms.howLong}
            <select value={minutes} onChange={(event) => setMinutes(Number(event.currentTarget.value))}>
              {SHELF_MIN.map((n) => (
                <option key={n} value={n}>
                  {room.reader.format.duration(n * 60)}
                </option>
              ))}
            </select>
          </label>
        )}
        {kind === "close" && (
          <label>
            {words.alarms.code}
            <select value={code} autoFocus onChange={(event) => setCode(event.currentTarget.value as ClosingCode)}>
              {CODES.map((each) => (
                <option key={each} value={each}>
                  {words.closingCode[each]}
                </option>
              ))}
            </select>
          </label>
        )}
        {kind === "close" && latched && (
          <label class="check">
            <input type="checkbox" checked={reset} onChange={(event) => setReset(event.currentTarget.checked)} />
            {words.alarms.resetToo}
          </label>
        )}
        {kind !== "assign" && (
          <label>
            {kind === "shelve" ? words.alarms.reason : words.alarms.noteLabel}
            <textarea rows={3} maxLength={2000} required={kind === "note" || kind === "shelve"} autoFocus={kind === "note" || kind === "shelve"} value={note} onInput={(event) => setNote(event.currentTarget.value)} />
          </label>
        )}
        <div class="dialogue-ends">
          <button type="button" onClick={close}>
            {words.cancel}
          </button>
          <button type="submit" class="primary" disabled={busy}>
            {words.alarms.asking[kind]}
          </button>
        </div>
      </form>
    </dialog>
  );
}
