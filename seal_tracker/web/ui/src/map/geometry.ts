// Shapes of the plan as the map draws them. Lengths are metres on the ground, coordinates degrees. Pure.
import type { RouteProperties } from "../api/types";

/** Metres of one pixel at zoom 0 on the equator, tiles being 512 px: 2π · 6,378,137 m / 512. */
const METRES_PER_PIXEL = (2 * Math.PI * 6_378_137) / 512;

/** A stretch of route drawn with one width spans at most this much latitude, so that its width errs by less than 1 %. */
const STRETCH_DEG = 0.4;

const CIRCLE_VERTICES = 72;
/** Mean radius of the earth; a circle of a zone is off by less than 0.4 % for it, which no map shows. */
export const EARTH_M = 6_371_008.8;
export const RADIANS = Math.PI / 180;

/** How wide, in pixels at zoom 0, a line at this latitude must be to cover `metres`; it doubles with each zoom. */
export function pixelsAtZoom0(metres: number, lat_deg: number): number {
  return metres / (METRES_PER_PIXEL * Math.cos(lat_deg * RADIANS));
}

export interface Stretch {
  coordinates: GeoJSON.Position[];
  half_width_m: number;
  mid_lat_deg: number;
}

/** A route cut where its half-width changes or the map's scale would. Drawn with round ends, the stretches make the corridor. */
export function stretches(line: readonly GeoJSON.Position[], half_width_m: RouteProperties["half_width_m"]): Stretch[] {
  const widthOf = (leg: number): number => (typeof half_width_m === "number" ? half_width_m : (half_width_m[leg] ?? 0));
  const out: Stretch[] = [];
  let start = 0;
  const end = (leg: number): void => {
    const coordinates = line.slice(start, leg + 1);
    const lats = coordinates.map((at) => at[1] ?? 0);
    if (leg > start) out.push({ coordinates, half_width_m: widthOf(start), mid_lat_deg: (Math.min(...lats) + Math.max(...lats)) / 2 });
    start = leg;
  };
  for (let leg = 1; leg < line.length; leg += 1) {
    const far = Math.abs((line[leg]?.[1] ?? 0) - (line[start]?.[1] ?? 0)) > STRETCH_DEG;
    if (far || leg === line.length - 1 || widthOf(leg) !== widthOf(start)) end(leg);
  }
  return out;
}

/** A circle on the ground as a polygon. */
export function circle([lon_deg, lat_deg]: GeoJSON.Position, radius_m: number): GeoJSON.Polygon {
  const centreLat = (lat_deg ?? 0) * RADIANS;
  const angle = radius_m / EARTH_M;
  const ring = Array.from({ length: CIRCLE_VERTICES + 1 }, (_, i) => {
    const bearing = (2 * Math.PI * (i % CIRCLE_VERTICES)) / CIRCLE_VERTICES;
    const lat = Math.asin(Math.sin(centreLat) * Math.cos(angle) + Math.cos(centreLat) * Math.sin(angle) * Math.cos(bearing));
    const east = Math.atan2(
      Math.sin(bearing) * Math.sin(angle) * Math.cos(centreLat),
      Math.cos(angle) - Math.sin(centreLat) * Math.sin(lat),
    );
    return [(lon_deg ?? 0) + east / RADIANS, lat / RADIANS];
  });
  return { type: "Polygon", coordinates: [ring] };
}

/** Metres between two positions on the ground, by the haversine formula. */
export function apart_m([lonA = 0, latA = 0]: GeoJSON.Position, [lonB = 0, latB = 0]: GeoJSON.Position): number {
  const half = Math.sin(((latB - latA) * RADIANS) / 2) ** 2 + Math.cos(latA * RADIANS) * Math.cos(latB * RADIANS) * Math.sin(((lonB - lonA) * RADIANS) / 2) ** 2;
  return 2 * EARTH_M * Math.asin(Math.sqrt(half));
}

/** [west, south, east, north] of everything given, or null for nothing. */
export function boundsOf(positions: Iterable<GeoJSON.Position>): [number, number, number, number] | null {
  let box: [number, number, number, number] | null = null;
  for (const [lon = 0, lat = 0] of positions) {
    if (!box) box = [lon, lat, lon, lat];
    else box = [Math.min(box[0], lon), Math.min(box[1], lat), Math.max(box[2], lon), Math.max(box[3], lat)];
  }
  return box;
}

/** All positions of a geometry. */
export function positionsOf(geometry: GeoJSON.Geometry | null): GeoJSON.Position[] {
  if (!geometry) return [];
  switch (geometry.type) {
    case "Point":
      return [geometry.coordinates];
    case "LineString":
    case "MultiPoint":
      return geometry.coordinates;
    case "Polygon":
    case "MultiLineString":
      return geometry.coordinates.flat();
    case "MultiPolygon":
      return geometry.coordinates.flat(2);
    case "GeometryCollection":
      return geometry.geometries.flatMap(positionsOf);
  }
}
