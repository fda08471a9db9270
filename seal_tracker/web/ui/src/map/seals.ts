// Seals on the map: where, which way, how locked, how bad, and whether that is still so. Clusters where they crowd.
import type { ExpressionSpecification, GeoJSONSource, LayerSpecification, SourceSpecification } from "maplibre-gl";
import { SEVERITIES, type SealState } from "../api/types";
import type { Board } from "../live/board";
import { FONT, FONT_BOLD } from "./basemap";
import { FRESH_MS } from "./freshness";
import type { Palette } from "./palette";

/** Slower than this the course is noise. */
const MOVING_KMH = 3;
/** Sent to the map in one turn: some milliseconds of work. */
const AT_ONCE = 1_000;
const CLUSTER_BELOW_ZOOM = 10;

export interface SealLook {
  seal: string;
  rank: number;
  look: string;
  badge: string;
  lock: string;
  /** -1 where the seal stands or says no course. */
  course_deg: number;
}

export function lookOf(state: SealState, rank: number, fresh: boolean): SealLook {
  const severity = SEVERITIES[rank - 1];
  const moving = typeof state.course_deg === "number" && (state.speed_kmh ?? 0) > MOVING_KMH;
  return {
    seal: state.seal,
    rank,
    look: !fresh ? "stale" : severity && severity !== "info" ? severity : "quiet",
    badge: severity ?? "",
    lock: state.lock ?? "unknown",
    course_deg: moving ? Math.round(state.course_deg ?? 0) : -1,
  };
}

/** Keeps the map's source equal to what is known: only seals that changed, or that fell silent, are looked at and sent. */
export class SealLayer {
  readonly #shown = new Map<string, { print: string; fresh: boolean }>();
  readonly #changed: Set<string>;
  #wanted: { source: GeoJSONSource; freshFrom_ms: number } | null = null;
  #sending = false;

  constructor(private readonly board: Board) {
    this.#changed = board.follow();
  }

  stop(): void {
    this.#wanted = null;
    this.board.unfollow(this.#changed);
  }

  /** Brings the source up to date; seals without a position are not drawn. Very many at once take several turns. */
  update(source: GeoJSONSource, connected: boolean, now_ms: number): void {
    const freshFrom_ms = connected ? now_ms - FRESH_MS : Infinity;
    const { heard_ms } = this.board;
    for (const [seal, { fresh }] of this.#shown) if ((heard_ms.get(seal) ?? 0) > freshFrom_ms !== fresh) this.#changed.add(seal);
    this.#wanted = { source, freshFrom_ms };
    if (!this.#sending) void this.#send();
  }

  /** Turn after turn, each when the map has taken the one before, which leaves the browser its own between two. */
  async #send(): Promise<void> {
    this.#sending = true;
    try {
      while (this.#wanted && this.#changed.size > 0) {
        const { source, freshFrom_ms } = this.#wanted;
        const diff = this.#next(freshFrom_ms);
        if (diff.add.length > 0 || diff.remove.length > 0) await source.updateData(diff);
      }
    } finally {
      this.#sending = false;
    }
  }

  #next(freshFrom_ms: number): { add: GeoJSON.Feature[]; remove: string[] } {
    const add: GeoJSON.Feature[] = [];
    const remove: string[] = [];
    for (const seal of this.#changed) {
      this.#changed.delete(seal);
      const state = this.board.seals.get(seal);
      if (state && state.lon !== null && state.lat !== null) this.#show(add, state, [state.lon, state.lat], (this.board.heard_ms.get(seal) ?? 0) > freshFrom_ms);
      else if (this.#shown.delete(seal)) remove.push(seal);
      if (add.length + remove.length >= AT_ONCE) break;
    }
    return { add, remove };
  }

  #show(add: GeoJSON.Feature[], state: SealState, at: [number, number], fresh: boolean): void {
    const look = lookOf(state, this.board.rankOf(state.seal), fresh);
    const print = `${at[0]} ${at[1]} ${look.look} ${look.rank} ${look.lock} ${look.course_deg}`;
    if (this.#shown.get(state.seal)?.print === print) return;
    this.#shown.set(state.seal, { print, fresh });
    add.push({ type: "Feature", properties: look, geometry: { type: "Point", coordinates: at } });
  }
}

export const sealSource: SourceSpecification = {
  type: "geojson",
  data: { type: "FeatureCollection", features: [] },
  promoteId: "seal",
  cluster: true,
  clusterMaxZoom: CLUSTER_BELOW_ZOOM,
  clusterRadius: 12,
  clusterProperties: { worst: ["max", ["get", "rank"]], live: ["+", ["case", ["==", ["get", "look"], "stale"], 0, 1]] },
};

/** `live` where a seal of the cluster is live, else `stale`. */
const whetherLive = (live: unknown, stale: unknown): ExpressionSpecification => ["case", [">", ["get", "live"], 0], live, stale] as unknown as ExpressionSpecification;

/** By the worst open severity; `none` where nothing is open but information, whose grey would read as silence. */
function byWorst(colours: Palette, none: string): unknown[] {
  return ["step", ["get", "worst"], none, ...SEVERITIES.flatMap((severity, i) => (severity === "info" ? [] : [i + 1, colours.severity[severity]]))];
}

const single: ExpressionSpecification = ["!", ["has", "point_count"]];

function clusterLayers(colours: Palette): LayerSpecification[] {
  return [
    {
      id: "seal-cluster",
      type: "circle",
      source: "seals",
      filter: ["has", "point_count"],
      paint: {
        // Seals that are all silent are grey, but what is open among them is still told, by the ring.
        "circle-color": whetherLive(byWorst(colours, colours.sealQuiet), colours.sealStale),
        "circle-radius": ["interpolate", ["linear"], ["sqrt", ["get", "point_count"]], 1, 9, 10, 16, 100, 30],
        "circle-stroke-color": whetherLive(colours.sealEdge, byWorst(colours, colours.sealEdge)),
        "circle-stroke-width": whetherLive(1.5, 3),
      },
    },
    {
      id: "seal-cluster-count",
      type: "symbol",
      source: "seals",
      filter: ["has", "point_count"],
      layout: { "text-field": ["get", "point_count_abbreviated"], "text-font": FONT_BOLD, "text-size": 12, "text-allow-overlap": true, "text-ignore-placement": true },
      paint: { "text-color": colours.onSeal },
    },
  ];
}

const common = { "icon-allow-overlap": true, "icon-ignore-placement": true, "symbol-sort-key": ["get", "rank"] as ExpressionSpecification };

function singleLayers(colours: Palette): LayerSpecification[] {
  const shape: ExpressionSpecification = ["case", [">=", ["get", "course_deg"], 0], "seal-", "parked-"];
  return [
    {
      id: "seal",
      type: "symbol",
      source: "seals",
      filter: single,
      layout: { ...common, "icon-image": ["concat", shape, ["get", "look"]], "icon-rotate": ["max", 0, ["get", "course_deg"]], "icon-rotation-alignment": "map" },
    },
    { id: "seal-lock", type: "symbol", source: "seals", filter: single, layout: { ...common, "icon-image": ["concat", "lock-", ["get", "lock"]], "icon-offset": [0, 0.5] } },
    {
      id: "seal-badge",
      type: "symbol",
      source: "seals",
      filter: ["all", single, ["!=", ["get", "badge"], ""]],
      layout: { ...common, "icon-image": ["concat", "badge-", ["get", "badge"]], "icon-offset": [10, -9] },
    },
    {
      id: "seal-name",
      type: "symbol",
      source: "seals",
      minzoom: 9,
      filter: single,
      layout: { "text-field": ["get", "seal"], "text-font": FONT, "text-size": 11, "text-anchor": "top", "text-offset": [0, 1.2], "text-optional": true },
      paint: { "text-color": colours.place, "text-halo-color": colours.placeHalo, "text-halo-width": 1.4 },
    },
  ];
}

export const sealLayers = (colours: Palette): LayerSpecification[] => [...clusterLayers(colours), ...singleLayers(colours)];
