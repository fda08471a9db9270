// New alarms, said to screen readers and, where it is wished, by a sound of their severity.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { SEVERITIES } from "../api/types";
import { useRoom } from "../app/context";
import { Icon } from "../app/icon";
import { fill } from "../i18n";
import type { Alarm } from "../live/alarms";
import { BELL, BELL_OFF } from "../view/pictograms";
import { titleOf, whoseOf } from "./row";
import { Sound } from "./sound";

/** A flood is one sentence. */
const SAID_AT_MOST_EVERY_MS = 10_000;
const STORAGE_KEY = "seal-tracker.sound";

export function Announcements(): JSX.Element {
  const room = useRoom();
  const { words } = room.reader;
  const spoken = useRef<HTMLDivElement>(null);
  const [on, setOn] = useState(localStorage.getItem(STORAGE_KEY) === "on");
  const sound = useRef<Sound | null>(null);
  const waiting = useRef<Alarm[]>([]);
  const said_ms = useRef(0);
  const heard = useRef(on);
  heard.current = on;

  useEffect(() => {
    room.alarmBook.takeFresh(); // what was open before the page was is no news
    const look = (): void => {
      const fresh = room.alarmBook.takeFresh().filter(({ silent }) => !silent);
      if (fresh.length && heard.current) (sound.current ??= new Sound()).play(worst(fresh));
      waiting.current.push(...fresh);
      const last = waiting.current.at(-1);
      if (!last || Date.now() - said_ms.current < SAID_AT_MOST_EVERY_MS || !spoken.current) return;
      const text = `${words.severity[last.severity]}: ${titleOf(last, room)}, ${whoseOf(last, room)}`;
      spoken.current.textContent = waiting.current.length === 1 ? text : fill(words.newEvents, { count: waiting.current.length, latest: text });
      waiting.current = [];
      said_ms.current = Date.now();
    };
    const ends = [room.alarmBook.changes.subscribe(look), room.ticks.subscribe(look)];
    return () => ends.forEach((end) => end());
  }, [room]);

  const toggle = (): void => {
    localStorage.setItem(STORAGE_KEY, on ? "off" : "on");
    if (!on) (sound.current ??= new Sound()).play("low"); // by the reader's own click, as browsers ask
    setOn(!on);
  };
  return (
    <>
      <div class="visually-hidden" aria-live="assertive" ref={spoken} />
      <button type="button" class="sound" aria-pressed={on} title={words.alarms.sound} onClick={toggle}>
        <Icon path={on ? BELL : BELL_OFF} name="sound-shape" />
        <span class="visually-hidden">{words.alarms.sound}</span>
      </button>
    </>
  );
}

const worst = (alarms: readonly Alarm[]): Alarm["severity"] => alarms.reduce<Alarm["severity"]>((found, { severity }) => (SEVERITIES.indexOf(severity) > SEVERITIES.indexOf(found) ? severity : found), "info");
