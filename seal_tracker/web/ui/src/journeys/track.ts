// A journey's track as plots and the scrubber need it. Coordinates are degrees, distances metres. Pure.
import type { Routes } from "../api/types";
import { EARTH_M, RADIANS } from "../map/geometry";

export interface TrackFeature {
  geometry: GeoJSON.LineString | GeoJSON.Point | null;
  properties: {
    device: string;
    role: string;
    gone_until?: string | null;
    coordinateProperties: { times: string[]; speed_kmh: (number | null)[]; course_deg: (number | null)[]; battery_pct: (number | null)[]; accuracy_m: (number | null)[]; lock: string[] };
  };
}

export interface Fix {
  at_ms: number;
  lon: number;
  lat: number;
  speed_kmh: number | null;
  course_deg: number | null;
  battery_pct: number | null;
  accuracy_m: number | null;
  lock: string;
}


export function fixesOf(feature: TrackFeature | undefined): Fix[] {
  if (!feature?.geometry) return [];
  const positions = feature.geometry.type === "Point" ? [feature.geometry.coordinates] : feature.geometry.coordinates;
  const of = feature.properties.coordinateProperties;
  return positions.map((position, i) => ({
    at_ms: Date.parse(of.times[i] ?? ""),
    lon: position[0] ?? 0,
    lat: position[1] ?? 0,
    speed_kmh: of.speed_kmh[i] ?? null,
    course_deg: of.course_deg[i] ?? null,
    battery_pct: of.battery_pct[i] ?? null,
    accuracy_m: of.accuracy_m[i] ?? null,
    lock: of.lock[i] ?? "unknown",
  }));
}

/** Distance of each fix to the nearest point of the route, on a plane at the fix: off by less than 0.1 % over a corridor's width. */
export function crossTracks_m(fixes: readonly Fix[], route: Routes["features"][number] | undefined): (number | null)[] {
  const line = route?.geometry.coordinates;
  if (!line || line.length < 2) return fixes.map(() => null);
  return fixes.map(({ lon, lat }) => {
    const east = EARTH_M * RADIANS * Math.cos(lat * RADIANS);
    const north = EARTH_M * RADIANS;
    let best = Infinity;
    for (let i = 1; i < line.length; i += 1) {
      const [a, b] = [line[i - 1], line[i]];
      if (!a || !b) continue;
      const ax = ((a[0] ?? 0) - lon) * east;
      const ay = ((a[1] ?? 0) - lat) * north;
      const dx = ((b[0] ?? 0) - (a[0] ?? 0)) * east;
      const dy = ((b[1] ?? 0) - (a[1] ?? 0)) * north;
      const along = dx || dy ? Math.min(1, Math.max(0, -(ax * dx + ay * dy) / (dx * dx + dy * dy))) : 0;
      best = Math.min(best, Math.hypot(ax + along * dx, ay + along * dy));
    }
    return best;
  });
}

/** The last fix at or before a time; the first where there is none. */
export function fixAt(fixes: readonly Fix[], at_ms: number): Fix | undefined {
  let low = 0;
  let high = fixes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((fixes[middle]?.at_ms ?? Infinity) <= at_ms) low = middle + 1;
    else high = middle;
  }
  return fixes[Math.max(0, low - 1)];
}
