// The stream of the service, kept alive. The browser's EventSource resumes by Last-Event-ID when a connection breaks;
// where it gives up (the service refused, a proxy answered), it is opened anew, with growing pauses, at the last event.
import { apiUrl, currentSession } from "../api/client";
import type { CloudEvent, SealState } from "../api/types";
import type { Alarm } from "./alarms";
import { Gathered, type StatePart } from "./parts";

export type FeedState = "connecting" | "live" | "reconnecting";

export interface FeedListener {
  /** A connection stands: what is shown may be old, read it again. */
  opened(): void;
  stateChanged(state: FeedState): void;
  event(event: CloudEvent): void;
  positions(items: SealState[], gone: string[]): void;
  /** `whole`: these are all that are open. */
  alarms(items: Alarm[], gone: string[], whole: boolean): void;
  /** The session is over. */
  signedOut(): void;
}

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
const WATCH_EVERY_MS = 5_000;
/** Timers that come this much later than asked mean that the machine slept. */
const SLEPT_MS = 30_000;
/** After this much silence the service is asked whether it is there: the stream's own heartbeat is a comment, which scripts cannot see. */
const SILENCE_MS = 40_000;
const PROBE_TIMEOUT_MS = 8_000;
const REFUSALS_TO_FORGET = 3;

export class Feed {
  /** When anything last came from the service, by this browser's clock. */
  heard_ms = Date.now();
  state: FeedState = "connecting";
  #source: EventSource | null = null;
  #lastEventId = "";
  #pause_ms = FIRST_PAUSE_MS;
  #refusals = 0;
  #reopening = 0;
  #watching = 0;
  #watched_ms = 0;

  constructor(private readonly listener: FeedListener) {}

  start(): void {
    this.#open();
    this.#watched_ms = Date.now();
    this.#watching = window.setInterval(() => void this.#watch(), WATCH_EVERY_MS);
    window.addEventListener("online", this.#reopenNow);
    window.addEventListener("offline", this.#lost);
  }

  stop(): void {
    this.#source?.close();
    this.#source = null;
    window.clearInterval(this.#watching);
    window.clearTimeout(this.#reopening);
    window.removeEventListener("online", this.#reopenNow);
    window.removeEventListener("offline", this.#lost);
  }

  #open(): void {
    window.clearTimeout(this.#reopening);
    this.#source?.close();
    const resume = this.#lastEventId ? `?last_event_id=${encodeURIComponent(this.#lastEventId)}` : "";
    const source = new EventSource(apiUrl(`stream${resume}`));
    this.#source = source;
    source.onopen = () => {
      this.#pause_ms = FIRST_PAUSE_MS;
      this.#refusals = 0;
      this.#heard();
      this.#become("live");
      this.listener.opened();
    };
    source.onerror = () => {
      this.#become("reconnecting");
      if (source.readyState === EventSource.CLOSED) this.#refused();
    };
    this.#listen<CloudEvent>(source, "event", (event) => this.listener.event(event));
    this.#listen<StatePart<SealState>>(source, "position", ({ items, gone }) => this.listener.positions(items, gone ?? []));
    const alarms = new Gathered<Alarm>();
    this.#listen<StatePart<Alarm>>(source, "alarm", (part) => {
      const told = alarms.take(part);
      if (told) this.listener.alarms(told.items, told.gone, told.whole);
    });
    for (const name of ["journey", "command", "heartbeat"]) source.addEventListener(name, () => this.#heard());
  }

  #listen<T>(source: EventSource, name: string, take: (content: T) => void): void {
    source.addEventListener(name, (message: MessageEvent<string>) => {
      this.#heard();
      if (message.lastEventId) this.#lastEventId = message.lastEventId;
      take(JSON.parse(message.data) as T);
    });
  }

  #heard(): void {
    this.heard_ms = Date.now();
  }

  #become(state: FeedState): void {
    this.state = state;
    this.listener.stateChanged(state);
  }

  readonly #lost = (): void => this.#become("reconnecting");

  readonly #reopenNow = (): void => {
    this.#become("reconnecting");
    this.#open();
  };

  /** A service restored from a backup does not know the last event: then begin with now, the snapshot tells the rest. */
  #refused(): void {
    this.#refusals += 1;
    if (this.#refusals >= REFUSALS_TO_FORGET) this.#lastEventId = "";
    this.#reopenLater();
  }

  #reopenLater(): void {
    window.clearTimeout(this.#reopening);
    const pause_ms = this.#pause_ms * (0.75 + Math.random() / 2);
    this.#pause_ms = Math.min(this.#pause_ms * 2, LONGEST_PAUSE_MS);
    this.#reopening = window.setTimeout(() => void this.#reopenIfSignedIn(), pause_ms);
  }

  async #reopenIfSignedIn(): Promise<void> {
    try {
      if (await currentSession()) this.#open();
      else this.listener.signedOut();
    } catch {
      this.#reopenLater();
    }
  }

  async #watch(): Promise<void> {
    const now_ms = Date.now();
    const slept = now_ms - this.#watched_ms > SLEPT_MS;
    this.#watched_ms = now_ms;
    if (slept) this.#reopenNow();
    else if (this.state === "live" && now_ms - this.heard_ms > SILENCE_MS) await this.#probe();
  }

  async #probe(): Promise<void> {
    try {
      const response = await fetch(new URL("healthz", document.baseURI), { cache: "no-store", signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
      if (!response.ok) throw new Error(response.statusText);
      this.#heard();
    } catch {
      this.#become("reconnecting");
      this.#source?.close();
      this.#reopenLater();
    }
  }
}
