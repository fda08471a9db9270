// Tells screen readers of new events, at most once in a while, so that a flood is one sentence.
import type { CloudEvent } from "../api/types";
import { fill, word } from "../i18n";
import { h } from "./dom";
import type { Reader } from "./reader";

const AT_MOST_EVERY_MS = 10_000;

export class Announcer {
  readonly element = h("div", { class: "visually-hidden", "aria-live": "polite" });
  #waiting: CloudEvent[] = [];
  #said_ms = 0;

  constructor(private readonly reader: Reader) {}

  add(event: CloudEvent): void {
    this.#waiting.push(event);
  }

  /** Says what waits, unless something was said just now. */
  speak(now_ms: number): void {
    const latest = this.#waiting.at(-1);
    if (!latest || now_ms - this.#said_ms < AT_MOST_EVERY_MS) return;
    const { words } = this.reader;
    const of = latest.data.properties;
    const text = `${words.severity[latest.severitytext]}: ${word(words.event, of.event)}, ${of.journey ?? of.seal ?? ""}`;
    this.element.textContent = this.#waiting.length === 1 ? text : fill(words.newEvents, { count: this.#waiting.length, latest: text });
    this.#waiting = [];
    this.#said_ms = now_ms;
  }
}
