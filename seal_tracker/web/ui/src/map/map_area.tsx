// The map beside a view, and what a view may ask of it. Its code is loaded on its own; without WebGL the rest works.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useChanges, useRoom } from "../app/context";
import { legend } from "./legend";
import type { Camera, MapView } from "./view";

/** Room enough to show the legend unasked. */
const WIDE = "(min-width: 1200px) and (min-height: 860px)";

/** What waits for the map, or is said to it. */
export class MapHandle {
  map: MapView | null = null;
  #waiting: ((map: MapView) => void) | null = null;

  /** Do something with the map, now or once it is there; of several that wait the last alone. */
  do(what: (map: MapView) => void): void {
    if (this.map) what(this.map);
    else this.#waiting = what;
  }

  ready(map: MapView | null): void {
    this.map = map;
    if (map && this.#waiting) this.#waiting(map);
    if (map) this.#waiting = null;
  }
}

export function MapArea({ handle }: { handle: MapHandle }): JSX.Element {
  const room = useRoom();
  const place = useRef<HTMLDivElement>(null);
  /** Where the reader was, for a map that is drawn anew. */
  const camera = useRef<Camera | null>(null);
  const signs = useRef<HTMLDivElement>(null);
  const [measuring, setMeasuring] = useState(false);
  const [unavailable, setUnavailable] = useState(false);
  useChanges(room.planChanges);
  const { plan, reader } = room;

  useEffect(() => signs.current?.replaceChildren(legend(plan.zones, reader, window.matchMedia(WIDE).matches)), [plan]);

  useEffect(() => {
    const darkness = window.matchMedia("(prefers-color-scheme: dark)");
    let stopped = false;
    const refresh = (): void => handle.map?.refresh(room.connection === "live", room.now_ms);
    const draw = async (): Promise<void> => {
      const { MapView: View } = await import("./view");
      if (stopped || !place.current) return;
      try {
        const { config, board } = room;
        handle.ready(new View(place.current, { config, ...plan, board, reader }, darkness.matches, camera.current));
        refresh();
      } catch {
        setUnavailable(true);
      }
    };
    const remove = (): void => {
      camera.current = handle.map?.camera ?? camera.current;
      handle.map?.remove();
      handle.ready(null);
    };
    const recolour = (): void => {
      remove();
      void draw();
    };
    void draw();
    darkness.addEventListener("change", recolour);
    const end = room.ticks.subscribe(refresh);
    return () => {
      stopped = true;
      end();
      darkness.removeEventListener("change", recolour);
      remove();
    };
  }, [plan]);

  return (
    <div class="map-area">
      <div class="map" ref={place} />
      {unavailable && <p class="empty">{reader.words.map.unavailable}</p>}
      <div class="map-tools">
        <button type="button" aria-pressed={measuring} onClick={() => setMeasuring(handle.map?.measure() ?? false)}>
          {reader.words.map.measure}
        </button>
        <button type="button" onClick={() => handle.map?.fit()}>
          {reader.words.map.fit}
        </button>
      </div>
      <div ref={signs} />
    </div>
  );
}
