// The bar on top: whose service, whether what is shown is live, how much there is.
import { SEVERITIES, type Session } from "../api/types";
import { fill } from "../i18n";
import type { Board } from "../live/board";
import type { FeedState } from "../live/feed";
import { FRESH_MS } from "../map/freshness";
import { h, icon } from "./dom";
import { languageChoice } from "./language";
import { SEVERITY_SHAPE } from "./pictograms";
import type { Reader } from "./reader";

/** From this much silence on, a broken connection is said in the strongest words. */
const STALE_MS = 15_000;

export interface Header {
  element: HTMLElement;
  /** `silent_ms` is how long nothing has come from the service. */
  update(board: Board, state: FeedState, silent_ms: number, now_ms: number): void;
}

export interface HeaderActions {
  signOut(): void;
  languageChanged(): void;
}

export function makeHeader(tenant: string, session: Session, reader: Reader, actions: HeaderActions): Header {
  const { words, format, language } = reader;
  const connection = h("span", { class: "connection", "data-state": "connecting" }, words.connection.connecting);
  const seals = h("span", { class: "count-value" });
  const journeys = h("span", { class: "count-value" });
  const open = h("span", { class: "open-counts" });
  const spoken = h("span", { role: "status", class: "visually-hidden" });
  const status = h("div", { class: "status" }, connection, spoken);

  const count = (label: string, value: Node): HTMLElement => h("div", { class: "count" }, h("span", { class: "count-label" }, label), value);

  const connectionText = (state: FeedState, silent_ms: number): [FeedState | "stale", string] => {
    if (state === "live" || state === "connecting") return [state, words.connection[state]];
    const age = format.duration(silent_ms / 1000);
    return silent_ms > STALE_MS ? ["stale", fill(words.connection.stale, { age })] : [state, fill(words.connection.reconnecting, { age })];
  };

  const update: Header["update"] = (board, state, silent_ms, now_ms) => {
    const [shown, text] = connectionText(state, silent_ms);
    connection.dataset.state = shown;
    if (connection.textContent !== text) connection.textContent = text;
    const said = words.connectionSpoken[shown];
    if (spoken.textContent !== said) spoken.textContent = said;
    const all = [...board.seals.values()];
    const live = state === "live" ? all.filter(({ time }) => time !== null && now_ms - Date.parse(time) < FRESH_MS).length : 0;
    seals.textContent = fill(words.counts.live, { live: format.number(live), all: format.number(all.length) });
    journeys.textContent = format.number(new Set(all.map(({ journey }) => journey).filter(Boolean)).size);
    open.replaceChildren(...openCounts(board, reader));
  };

  const element = h(
    "header",
    { class: "bar" },
    h("div", { class: "brand" }, h("h1", {}, words.appName), h("span", { class: "tenant" }, tenant)),
    status,
    h("div", { class: "counts" }, count(words.counts.seals, seals), count(words.counts.journeys, journeys), count(words.counts.open, open)),
    languageChoice(language, words, actions.languageChanged),
    h("button", { type: "button", class: "sign-out", title: `${session.username} (${session.role})`, click: actions.signOut }, words.signOut),
  );
  return { element, update };
}

function openCounts(board: Board, { words, format }: Reader): HTMLElement[] {
  const episodes = [...board.episodes.values()];
  return [...SEVERITIES].reverse().map((severity) => {
    const n = episodes.filter((episode) => episode.severity === severity).length;
    const label = `${words.severity[severity]}: ${n}`;
    return h("span", { class: `open-count severity-${severity}`, title: label, role: "img", "aria-label": label }, icon(SEVERITY_SHAPE[severity], "shape", 12), format.number(n));
  });
}
