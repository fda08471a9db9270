// What a signed-in page works with: the plan, what is known of the world now, and the service. Kept current by one stream; no views.
import { getConfig, getNewestEvents, getOpenEpisodes, getRoutes, getSeals, getZones, serverAhead_ms } from "../api/client";
import { answered, serviceOf, type Schema, type Service } from "../api/service";
import type { CloudEvent, Config, Routes, SealState, Session, Zones } from "../api/types";
import { AlarmBook, type Alarm } from "../live/alarms";
import { Board } from "../live/board";
import { EpisodeCards } from "../live/episodes";
import { Feed, type FeedListener, type FeedState } from "../live/feed";
import { JourneyCards } from "../live/journeys";
import { namesOf, type Names } from "../live/names";
import { namedPlaces, type Named } from "../live/places";
import type { Reader } from "../view/reader";
import { Address } from "./address";
import { Changes } from "./changes";
import { FIRST } from "./views";

const EVENTS_AT_START = 200;
/** What comes with every position is told on at most this often. */
const TOLD_EVERY_MS = 1_000;
const SNAPSHOT_RETRY_MS = 5_000;

export type Unit = Schema["UnitItem"];

/** Zones and routes as they are drawn, and what they are called. */
export interface Plan {
  zones: Zones;
  routes: Routes;
  names: Names;
}

export class Room implements FeedListener {
  readonly service: Service;
  readonly board = new Board();
  readonly alarmBook = new AlarmBook();
  readonly journeys: JourneyCards;
  readonly episodes: EpisodeCards;
  readonly address = new Address(FIRST);
  /** Told each second, and when the connection is another: positions, ages, and whether all that is still so. */
  readonly ticks = new Changes();
  readonly planChanges = new Changes();
  readonly #feed = new Feed(this);
  #ahead_ms = 0;
  #timer = 0;
  #stopped = false;
  #opened = false;
  /** Of several snapshots asked for the last alone is taken: one from before may lack what the stream has told since. */
  #asked = 0;
  #places: { plan: Plan; named: Named[] } | null = null;

  private constructor(
    readonly session: Session,
    readonly reader: Reader,
    readonly config: Config,
    readonly units: ReadonlyMap<string, Unit>,
    public plan: Plan,
    private readonly ended: () => void,
  ) {
    this.service = serviceOf(session.csrf);
    this.journeys = new JourneyCards(this.service);
    this.episodes = new EpisodeCards(this.service, this.board);
  }

  /** Reads the plan and starts the stream; `ended` is called when the session is over. */
  static async open(session: Session, reader: Reader, ended: () => void): Promise<Room> {
    const [config, units, plan] = await Promise.all([getConfig(), answered(serviceOf(null).GET("/api/v1/units")), readPlan()]);
    const room = new Room(session, reader, config, new Map(units.items.map((unit) => [unit.id, unit])), plan, ended);
    room.#feed.start();
    room.#timer = window.setInterval(() => room.ticks.tell(), TOLD_EVERY_MS);
    return room;
  }

  stop(): void {
    this.#stopped = true;
    this.#feed.stop();
    this.address.stop();
    window.clearInterval(this.#timer);
  }

  /** The service's clock: a browser whose own is wrong must not call live seals silent. */
  get now_ms(): number {
    return Date.now() + this.#ahead_ms;
  }

  get connection(): FeedState {
    return this.#feed.state;
  }

  /** How long nothing has come from the service. */
  get silent_ms(): number {
    return Date.now() - this.#feed.heard_ms;
  }

  may(right: string): boolean {
    return this.session.rights.includes(right);
  }

  /** Every place with a name, to say where something is. */
  get places(): readonly Named[] {
    if (this.#places?.plan !== this.plan) this.#places = { plan: this.plan, named: namedPlaces(this.config.labels ?? [], this.plan.zones, this.reader.language === "en") };
    return this.#places.named;
  }

  unitName(id: string | null | undefined): string {
    if (!id) return "";
    const names = this.units.get(id)?.name;
    return names?.[this.reader.language] ?? names?.["vi"] ?? names?.["en"] ?? id;
  }

  opened(): void {
    void this.#readSnapshot();
    if (this.#opened) void this.readPlan(); // at first it has just been read
    this.#opened = true;
  }

  stateChanged(): void {
    this.ticks.tell();
  }

  event(event: CloudEvent): void {
    this.board.event(event);
  }

  positions(items: SealState[], gone: string[]): void {
    this.board.positions(items, gone);
  }

  alarms(items: Alarm[], gone: string[], whole: boolean): void {
    this.alarmBook.take(items, gone, whole);
  }

  signedOut(): void {
    this.stop();
    this.ended();
  }

  /** What is drawn must be what judges: read anew after an edit, and after a restart. */
  async readPlan(): Promise<void> {
    try {
      const plan = await readPlan();
      if (this.#stopped || JSON.stringify([plan.zones, plan.routes]) === JSON.stringify([this.plan.zones, this.plan.routes])) return;
      this.plan = plan;
      this.planChanges.tell();
    } catch {
      // the next connection asks again
    }
  }

  async #readSnapshot(): Promise<void> {
    const asked = (this.#asked += 1);
    this.board.expectSnapshot();
    try {
      const [events, episodes, seals, ahead_ms] = await Promise.all([getNewestEvents(EVENTS_AT_START), getOpenEpisodes(), getSeals((page) => this.board.positions(page)), serverAhead_ms()]);
      if (this.#stopped || asked !== this.#asked) return;
      this.#ahead_ms = ahead_ms;
      this.board.install({ events, episodes, seals: seals.map(({ seal }) => seal) });
      this.ticks.tell();
    } catch {
      window.setTimeout(() => !this.#stopped && asked === this.#asked && void this.#readSnapshot(), SNAPSHOT_RETRY_MS);
    }
  }
}

async function readPlan(): Promise<Plan> {
  const [zones, routes] = await Promise.all([getZones(), getRoutes()]);
  return { zones, routes, names: namesOf(zones, routes) };
}
