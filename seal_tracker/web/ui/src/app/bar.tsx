// The bar on top: whose service, whether what is shown is live, how much there is, and the ways to the views.
import type { JSX } from "preact";
import { SEVERITIES } from "../api/types";
import { fill, rememberLanguage, type Language } from "../i18n";
import type { FeedState } from "../live/feed";
import { FRESH_MS } from "../map/freshness";
import { useChanges, useRoom } from "./context";
import { Icon } from "./icon";
import { SEVERITY_SHAPE } from "../view/pictograms";
import type { View, ViewId } from "./views";

/** From this much silence on, a broken connection is said in the strongest words. */
const STALE_MS = 15_000;
const LANGUAGE_NAMES: Record<Language, string> = { vi: "Tiếng Việt", en: "English" };

interface BarProps {
  views: readonly View[];
  current: ViewId;
  signOut: () => void;
  /** The page is to be drawn anew, in another language. */
  again: () => void;
}

export function Bar({ views, current, signOut, again }: BarProps): JSX.Element {
  const room = useRoom();
  const { words } = room.reader;
  return (
    <header class="bar">
      <div class="brand">
        <h1>{words.appName}</h1>
        <span class="tenant">{room.config.tenant}</span>
      </div>
      <Connection />
      <Counts />
      {views.length > 1 && (
        <nav class="ways" aria-label={words.viewsLabel}>
          {views.filter(({ bare }) => !bare).map(({ id }) => (
            <a key={id} href={`#/${id}`} aria-current={id === current ? "page" : undefined}>
              {words.views[id]}
            </a>
          ))}
        </nav>
      )}
      <a class="to-wall" href="#/wall" title={words.wall.hint}>
        {words.views.wall}
      </a>
      <Languages again={again} />
      <button type="button" class="sign-out" title={`${room.session.username} (${room.session.role})`} onClick={signOut}>
        {words.signOut}
      </button>
    </header>
  );
}

export function Connection(): JSX.Element {
  const room = useRoom();
  useChanges(room.ticks);
  const { words, format } = room.reader;
  const state: FeedState = room.connection;
  const broken = state === "reconnecting";
  const shown: FeedState | "stale" = broken && room.silent_ms > STALE_MS ? "stale" : state;
  return (
    <div class="status">
      <span class="connection" data-state={shown}>
        {broken ? fill(words.connection[shown], { age: format.duration(room.silent_ms / 1000) }) : words.connection[shown]}
      </span>
      <span role="status" class="visually-hidden">
        {words.connectionSpoken[shown]}
      </span>
    </div>
  );
}

function Counts(): JSX.Element {
  const room = useRoom();
  useChanges(room.ticks, room.alarmBook.changes);
  const { words, format } = room.reader;
  const live = room.connection === "live" ? room.board.spokeAfter(room.now_ms - FRESH_MS) : 0;
  return (
    <div class="counts">
      <Count label={words.counts.seals}>{fill(words.counts.live, { live: format.number(live), all: format.number(room.board.seals.size) })}</Count>
      <Count label={words.counts.journeys}>{format.number(room.board.journeys)}</Count>
      <div class="count">
        <span class="count-label">{words.counts.open}</span>
        <span class="open-counts">
          {[...SEVERITIES].reverse().map((severity) => {
            const { count, calls } = room.alarmBook.tally[severity];
            const label = `${words.severity[severity]}: ${count}`;
            return (
              <span key={severity} class={`open-count severity-${severity}`} data-calls={calls} title={label} role="img" aria-label={label}>
                <Icon path={SEVERITY_SHAPE[severity]} size={12} />
                {format.number(count)}
              </span>
            );
          })}
        </span>
      </div>
    </div>
  );
}

function Count({ label, children }: { label: string; children: string }): JSX.Element {
  return (
    <div class="count">
      <span class="count-label">{label}</span>
      <span class="count-value">{children}</span>
    </div>
  );
}

function Languages({ again }: { again: () => void }): JSX.Element {
  const { words, language } = useRoom().reader;
  const choose = (wanted: Language): void => {
    if (wanted === language) return;
    rememberLanguage(wanted);
    again();
  };
  return (
    <div class="language" role="group" aria-label={words.language}>
      {(["vi", "en"] as const).map((one) => (
        <button key={one} type="button" lang={one} title={LANGUAGE_NAMES[one]} aria-label={`${one.toUpperCase()}: ${LANGUAGE_NAMES[one]}`} aria-pressed={one === language} onClick={() => choose(one)}>
          {one.toUpperCase()}
        </button>
      ))}
    </div>
  );
}
