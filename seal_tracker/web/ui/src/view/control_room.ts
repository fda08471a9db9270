// The page after sign-in: header, list and map around one board, which the feed keeps current.
import { getConfig, getNewestEvents, getOpenEpisodes, getRoutes, getSeals, getZones, serverAhead_ms, signOut } from "../api/client";
import type { CloudEvent, Config, Routes, SealState, Session, Zones } from "../api/types";
import { Board } from "../live/board";
import { Feed, type FeedListener } from "../live/feed";
import { namesOf } from "../live/names";
import { legend } from "../map/legend";
import type { Camera, MapInput, MapView } from "../map/view";
import { Announcer } from "./announcer";
import { h } from "./dom";
import { makeHeader, type Header } from "./header";
import { EventList } from "./list";
import type { Reader } from "./reader";

const EVENTS_AT_START = 200;
/** The page is redrawn at most this often, however much comes in. */
const REDRAW_MS = 1_000;
const SNAPSHOT_RETRY_MS = 5_000;
/** Room enough to show the legend unasked. */
const WIDE = "(min-width: 1200px) and (min-height: 860px)";

export interface Leaving {
  signedOut(notice: boolean): void;
  /** The page is to be drawn anew, for another language or plan, with the map where it was. */
  again(camera: Camera | null): void;
}

interface Plan {
  config: Config;
  zones: Zones;
  routes: Routes;
}

export class ControlRoom implements FeedListener {
  readonly #board = new Board();
  readonly #feed = new Feed(this);
  readonly #darkness = window.matchMedia("(prefers-color-scheme: dark)");
  readonly #place: HTMLElement;
  readonly #header: Header;
  readonly #list: EventList;
  readonly #announcer: Announcer;
  readonly #mapInput: MapInput;
  #map: MapView | null = null;
  /** A browser whose clock is wrong must not call live seals silent. */
  #ahead_ms = 0;
  #timer = 0;
  #stopped = false;
  #wasOpen = false;

  private constructor(
    root: HTMLElement,
    session: Session,
    plan: Plan,
    reader: Reader,
    private readonly leaving: Leaving,
  ) {
    const names = namesOf(plan.zones, plan.routes);
    const { words } = reader;
    this.#mapInput = { ...plan, names, board: this.#board, reader };
    this.#header = makeHeader(plan.config.tenant, session, reader, {
      signOut: () => void this.#leave(session),
      languageChanged: () => this.#again(),
    });
    this.#list = new EventList(this.#board, names, reader, {
      event: (event) => this.#show((map) => map.showEvent(event)),
      seal: (seal) => this.#show((map) => map.showSeal(seal)),
    });
    this.#announcer = new Announcer(reader);
    this.#place = h("div", { class: "map" });
    const fit = h("button", { type: "button", class: "fit", click: () => this.#map?.fit() }, words.map.fit);
    root.replaceChildren(
      h("a", { class: "skip", href: "#events" }, words.skipToEvents),
      this.#header.element,
      h(
        "main",
        { class: "room" },
        this.#list.element,
        h("div", { class: "map-area" }, this.#place, fit, legend(plan.zones, reader, window.matchMedia(WIDE).matches)),
      ),
      this.#announcer.element,
    );
  }

  /** Reads the plan, shows the page and starts the feed. */
  static async open(root: HTMLElement, session: Session, reader: Reader, camera: Camera | null, leaving: Leaving): Promise<ControlRoom> {
    const [config, zones, routes] = await Promise.all([getConfig(), getZones(), getRoutes()]);
    const room = new ControlRoom(root, session, { config, zones, routes }, reader, leaving);
    room.#darkness.addEventListener("change", room.#recolour);
    room.#feed.start();
    room.#timer = window.setInterval(() => room.#redraw(), REDRAW_MS);
    await room.#drawMap(camera);
    return room;
  }

  stop(): void {
    this.#stopped = true;
    this.#feed.stop();
    window.clearInterval(this.#timer);
    this.#darkness.removeEventListener("change", this.#recolour);
    this.#map?.remove();
    this.#map = null;
  }

  opened(): void {
    void this.#readSnapshot();
    if (this.#wasOpen) void this.#readPlan();
    this.#wasOpen = true;
  }

  stateChanged(): void {
    this.#redraw();
  }

  event(event: CloudEvent): void {
    if (this.#board.event(event)) this.#announcer.add(event);
  }

  positions(items: SealState[], gone: string[]): void {
    this.#board.positions(items, gone);
  }

  signedOut(): void {
    this.stop();
    this.leaving.signedOut(true);
  }

  async #readSnapshot(): Promise<void> {
    this.#board.expectSnapshot();
    try {
      const [events, episodes, seals, ahead_ms] = await Promise.all([getNewestEvents(EVENTS_AT_START), getOpenEpisodes(), getSeals(), serverAhead_ms()]);
      this.#ahead_ms = ahead_ms;
      this.#board.install({ events, episodes, seals });
      this.#redraw();
    } catch {
      window.setTimeout(() => !this.#stopped && void this.#readSnapshot(), SNAPSHOT_RETRY_MS);
    }
  }

  /** A service that was restarted may have another plan: one that is drawn must be the one that judges. */
  async #readPlan(): Promise<void> {
    const { zones, routes } = this.#mapInput;
    try {
      const now = await Promise.all([getZones(), getRoutes()]);
      if (!this.#stopped && JSON.stringify(now) !== JSON.stringify([zones, routes])) this.#again();
    } catch {
      // the next connection asks again
    }
  }

  #redraw(): void {
    const now_ms = Date.now() + this.#ahead_ms;
    this.#header.update(this.#board, this.#feed.state, Date.now() - this.#feed.heard_ms, now_ms);
    this.#list.update(now_ms);
    this.#announcer.speak(now_ms);
    this.#map?.refresh(this.#feed.state === "live", now_ms);
  }

  #show(what: (map: MapView) => void): void {
    if (this.#map) what(this.#map);
    this.#place.scrollIntoView({ block: "nearest" });
  }

  async #drawMap(camera: Camera | null): Promise<void> {
    const { MapView } = await import("../map/view");
    if (this.#stopped) return;
    try {
      this.#map = new MapView(this.#place, this.#mapInput, this.#darkness.matches, camera);
      this.#redraw();
    } catch {
      this.#place.replaceChildren(h("p", { class: "empty" }, this.#mapInput.reader.words.map.unavailable));
    }
  }

  readonly #recolour = (): void => {
    const camera = this.#map?.camera ?? null;
    this.#map?.remove();
    this.#map = null;
    void this.#drawMap(camera);
  };

  #again(): void {
    const camera = this.#map?.camera ?? null;
    this.stop();
    this.leaving.again(camera);
  }

  async #leave(session: Session): Promise<void> {
    this.stop();
    await signOut(session).catch(() => undefined);
    this.leaving.signedOut(false);
  }
}
