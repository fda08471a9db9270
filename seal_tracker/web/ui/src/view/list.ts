// The list beside the map: events newest first, or what is open, worst first; filtered by words.
import type { CloudEvent, Episode } from "../api/types";
import { rank, type Board } from "../live/board";
import type { Names } from "../live/names";
import { h } from "./dom";
import type { Reader } from "./reader";
import { episodeRow, eventRow, type Row } from "./row";

/** Rows in the document at once; a filter finds the others. */
const MAX_ROWS = 200;
/** Ages in the rows of open episodes are renewed this often. */
const AGES_EVERY_MS = 30_000;

type Tab = "events" | "open";
type Item = CloudEvent | Episode;

export interface ListActions {
  event(event: CloudEvent): void;
  seal(seal: string): void;
}

export class EventList {
  readonly element: HTMLElement;
  readonly #rows = new Map<Item, Row>();
  readonly #items = h("ol", { class: "rows", id: "events", tabindex: "-1" });
  readonly #empty = h("p", { class: "empty" });
  readonly #filter: HTMLInputElement;
  readonly #hideInfo: HTMLInputElement;
  readonly #tabs: Record<Tab, HTMLButtonElement>;
  #tab: Tab = "events";
  #aged_ms = 0;
  #now_ms = 0;

  constructor(
    private readonly board: Board,
    private readonly names: Names,
    private readonly reader: Reader,
    private readonly actions: ListActions,
  ) {
    const { words } = reader;
    const redraw = (): void => this.update(this.#now_ms);
    const tab = (name: Tab, text: string): HTMLButtonElement => h("button", { type: "button", "aria-pressed": String(name === this.#tab), click: () => this.#choose(name) }, text);
    this.#tabs = { events: tab("events", words.events), open: tab("open", words.open) };
    this.#filter = h("input", { type: "search", placeholder: words.filter, "aria-label": words.filter, input: redraw });
    this.#hideInfo = h("input", { type: "checkbox", change: redraw });
    this.element = h(
      "section",
      { class: "panel", "aria-label": words.events },
      h("div", { class: "panel-head" }, h("div", { class: "tabs", role: "group", "aria-label": words.events }, this.#tabs.events, this.#tabs.open)),
      h("div", { class: "panel-filter" }, this.#filter, h("label", {}, this.#hideInfo, words.hideInfo)),
      this.#items,
      this.#empty,
    );
  }

  /** Makes the rows what the board knows; rows that stay are not touched, so that focus and scroll stay too. */
  update(now_ms: number): void {
    this.#now_ms = now_ms;
    if (now_ms - this.#aged_ms > AGES_EVERY_MS) {
      this.#aged_ms = now_ms;
      if (this.#tab === "open") this.#rows.clear();
    }
    const wanted = this.#wanted();
    const rows = wanted.map((item) => this.#row(item, now_ms));
    const shown = rows.filter((row) => this.#passes(row)).slice(0, MAX_ROWS);
    this.#show(shown);
    const known = new Set(wanted);
    for (const item of this.#rows.keys()) if (!known.has(item)) this.#rows.delete(item);
    const { words } = this.reader;
    this.#tabs.open.textContent = `${words.open} (${this.board.episodes.size})`;
    this.#empty.textContent = shown.length ? "" : rows.length ? words.noMatch : this.#tab === "events" ? words.noEvents : words.noOpen;
  }

  #choose(tab: Tab): void {
    this.#tab = tab;
    for (const [name, button] of Object.entries(this.#tabs)) button.setAttribute("aria-pressed", String(name === tab));
    this.#rows.clear();
    this.#items.replaceChildren();
    this.update(this.#now_ms);
  }

  #wanted(): readonly Item[] {
    if (this.#tab === "events") return this.board.events;
    const worstFirst = (a: Episode, b: Episode): number => rank(b.severity) - rank(a.severity) || b.raised_at.localeCompare(a.raised_at);
    return [...this.board.episodes.values()].sort(worstFirst);
  }

  #row(item: Item, now_ms: number): Row {
    let row = this.#rows.get(item);
    if (!row) {
      row = "data" in item ? this.#eventRow(item, now_ms) : this.#episodeRow(item, now_ms);
      this.#rows.set(item, row);
    }
    return row;
  }

  #eventRow(event: CloudEvent, now_ms: number): Row {
    const route = this.#routeOf(event.data.properties.seal);
    return eventRow(event, route, this.names, this.reader, now_ms, () => this.actions.event(event));
  }

  #episodeRow(episode: Episode, now_ms: number): Row {
    const chosen = (): void => {
      const event = this.board.events.find(({ data }) => data.properties.episode === episode.episode);
      if (event) this.actions.event(event);
      else this.actions.seal(episode.seal);
    };
    return episodeRow(episode, this.#routeOf(episode.seal), this.names, this.reader, now_ms, chosen);
  }

  #routeOf(seal: string | null | undefined): string | null {
    return (seal && this.board.seals.get(seal)?.route) || null;
  }

  #passes({ search, severity }: Row): boolean {
    if (this.#hideInfo.checked && severity === "info") return false;
    return this.#filter.value.toLowerCase().split(/\s+/).every((part) => search.includes(part));
  }

  #show(rows: readonly Row[]): void {
    const wanted = new Set<Element>(rows.map(({ element }) => element));
    for (const element of [...this.#items.children]) if (!wanted.has(element)) element.remove();
    rows.forEach(({ element }, i) => {
      const there = this.#items.children[i];
      if (there !== element) this.#items.insertBefore(element, there ?? null);
    });
  }
}
