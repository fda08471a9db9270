// What the service sends, as far as the page reads it. Times are ISO 8601 in UTC, positions degrees.

import type { Schema } from "./service";

export const SEVERITIES = ["info", "low", "medium", "high", "critical"] as const;
/** Ordered from the least to the worst. */
export type Severity = (typeof SEVERITIES)[number];

/** What becomes of an episode, and the steps that people and the clock take with its alarm. */
export type Transition =
  | "raised" | "updated" | "cleared" | "retracted"
  | "acknowledged" | "assigned" | "noted" | "dispatched" | "shelved" | "unshelved" | "suppressed" | "unsuppressed" | "escalated" | "closed";
export type Lock = "closed" | "open" | "cut" | "unknown";

/** Who is signed in; `must_change_password`: somebody else gave the password, and nothing but changing it is allowed. */
export type Session = Schema["SessionAnswer"];

export interface PlaceLabel {
  name: string;
  name_en?: string;
  kind: string;
  lon: number;
  lat: number;
  min_zoom?: number;
}

/** How to draw the borders between two countries ("*" is any); the first that fits a border decides. */
export interface BoundaryLine {
  between?: [string, string];
  coordinates?: [number, number][];
  style: "solid" | "dashed" | "dotted" | "none";
  width_px?: number;
}

export interface Config {
  tenant: string;
  tile_url: string | null;
  basemap?: {
    region?: string;
    boundary_lines?: BoundaryLine[];
    /** [west, south, east, north] shown at first; without it, the whole plan. */
    start_bounds?: [number, number, number, number];
  };
  labels?: PlaceLabel[];
  centre?: [number, number];
  zoom?: number;
  version?: string;
}

export interface SealState {
  seal: string;
  journey: string | null;
  route: string | null;
  regime?: string | null;
  unit?: string | null;
  lon: number | null;
  lat: number | null;
  time: string | null;
  speed_kmh?: number | null;
  course_deg?: number | null;
  lock?: Lock | null;
  battery_pct?: number | null;
  progress_pct?: number | null;
  off_route_m?: number | null;
}

export type Evidence = Record<string, unknown>;

export interface EventProperties {
  event: string;
  transition: Transition;
  episode: string;
  journey?: string | null;
  seal?: string | null;
  object?: string | null;
  regime?: string | null;
  unit?: string | null;
  started_at: string;
  raised_at?: string | null;
  ended_at?: string | null;
  cleared_at?: string | null;
  late?: boolean;
  inferred?: boolean;
  latched?: boolean;
  exercise?: boolean;
  evidence?: Evidence;
  plan_version?: number;
  references?: string[];
}

export interface CloudEvent {
  id: string;
  type: string;
  subject: string;
  time: string;
  recordedtime?: string;
  severitytext: Severity;
  sequence: string;
  data: GeoJSON.Feature<GeoJSON.Geometry | null, EventProperties>;
}

export interface Episode {
  episode: string;
  type: string;
  severity: Severity;
  journey: string | null;
  seal: string;
  object: string | null;
  started_at: string;
  raised_at: string;
  ended_at: string | null;
  cleared_at: string | null;
  inferred: boolean;
  latched: boolean;
  evidence: Evidence;
}

export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface ZoneProperties {
  name?: string;
  kind: string | string[];
  reason?: string;
  radius_m?: number;
  max_stop_min?: number;
  speed_limit_kmh?: number;
}

export interface RouteProperties {
  name?: string;
  half_width_m: number | number[];
}

export type Zones = GeoJSON.FeatureCollection<GeoJSON.Geometry, ZoneProperties>;
export type Routes = GeoJSON.FeatureCollection<GeoJSON.LineString, RouteProperties>;
