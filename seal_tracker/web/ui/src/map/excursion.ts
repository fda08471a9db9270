// What an episode's evidence shows on a map: its own fixes, joined, and of a gap the area in which the cargo may have been. Pure.
import type { Evidence } from "../api/types";
import { apart_m, EARTH_M, RADIANS } from "./geometry";

const VERTICES = 96;

interface EvidenceFix {
  lon: number;
  lat: number;
}

const isFix = (value: unknown): value is EvidenceFix => typeof value === "object" && value !== null && typeof (value as EvidenceFix).lon === "number" && typeof (value as EvidenceFix).lat === "number";

export const fixesIn = (evidence: Evidence): GeoJSON.Position[] => (Array.isArray(evidence["fixes"]) ? evidence["fixes"].filter(isFix).map(({ lon, lat }) => [lon, lat]) : []);

/** The reachable area first, below the line of the fixes; nothing where the evidence has no fix. */
export function excursionOf(evidence: Evidence): GeoJSON.Geometry[] {
  const fixes = fixesIn(evidence);
  const reach_m = evidence["reach_m"];
  const [a, b] = [fixes[0], fixes.at(-1)];
  const area = typeof reach_m === "number" && a && b && fixes.length === 2 ? [reachable(a, b, reach_m)] : [];
  if (fixes.length > 1) return [...area, { type: "LineString", coordinates: fixes }];
  return a ? [{ type: "Point", coordinates: a }] : [];
}

/** Where one can have been between two fixes: the ellipse about them whose half-width across is `across_m`; on a plane between them. */
export function reachable(a: GeoJSON.Position, b: GeoJSON.Position, across_m: number): GeoJSON.Polygon {
  const lon = ((a[0] ?? 0) + (b[0] ?? 0)) / 2;
  const lat = ((a[1] ?? 0) + (b[1] ?? 0)) / 2;
  const east = EARTH_M * RADIANS * Math.cos(lat * RADIANS);
  const north = EARTH_M * RADIANS;
  const dx = ((b[0] ?? 0) - (a[0] ?? 0)) * east;
  const dy = ((b[1] ?? 0) - (a[1] ?? 0)) * north;
  const along_m = Math.hypot(across_m, Math.hypot(dx, dy) / 2);
  const turn = Math.atan2(dy, dx);
  const ring = Array.from({ length: VERTICES + 1 }, (_, i) => {
    const angle = (2 * Math.PI * (i % VERTICES)) / VERTICES;
    const x = along_m * Math.cos(angle);
    const y = across_m * Math.sin(angle);
    return [lon + (x * Math.cos(turn) - y * Math.sin(turn)) / east, lat + (x * Math.sin(turn) + y * Math.cos(turn)) / north];
  });
  return { type: "Polygon", coordinates: [ring] };
}

/** Metres along a line on the ground. */
export function length_m(line: readonly GeoJSON.Position[]): number {
  return line.slice(1).reduce((sum, at, i) => sum + apart_m(line[i] ?? at, at), 0);
}
