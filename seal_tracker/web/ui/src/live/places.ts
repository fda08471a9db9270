// The nearest place that has a name: labels of the basemap and zones of the plan. Pure.
import { apart_m } from "../map/geometry";
import { kindsOf } from "../map/plan";
import type { PlaceLabel, Zones } from "../api/types";

export interface Named {
  name: string;
  lon: number;
  lat: number;
}

export interface Nearest {
  name: string;
  away_m: number;
}

/** Farther away a name tells nothing. */
const FARTHEST_M = 60_000;
/** Of these kinds of labels one is somewhere; seas and countries are everywhere. */
const LABELS = new Set(["city", "town", "capital", "island"]);

/** A zone of this kind alone is as large as a province. */
const EVERYWHERE = new Set(["jurisdiction"]);

export function namedPlaces(labels: readonly PlaceLabel[], zones: Zones, english: boolean): Named[] {
  const towns = labels.filter(({ kind }) => LABELS.has(kind)).map(({ name, name_en, lon, lat }) => ({ name: (english && name_en) || name, lon, lat }));
  const marked = zones.features.flatMap(({ id, geometry, properties }): Named[] => {
    const at = firstPosition(geometry);
    return at && properties.name && !kindsOf(properties).some((kind) => EVERYWHERE.has(kind)) ? [{ name: properties.name ?? String(id), lon: at[0], lat: at[1] }] : [];
  });
  return [...towns, ...marked];
}

export function nearest(places: readonly Named[], lon: number, lat: number): Nearest | null {
  let best: Nearest | null = null;
  for (const place of places) {
    const away_m = apart_m([lon, lat], [place.lon, place.lat]);
    if (away_m <= FARTHEST_M && (!best || away_m < best.away_m)) best = { name: place.name, away_m };
  }
  return best;
}

function firstPosition(geometry: GeoJSON.Geometry): [number, number] | null {
  let at: unknown = "coordinates" in geometry ? geometry.coordinates : null;
  while (Array.isArray(at) && Array.isArray(at[0])) at = at[0];
  return Array.isArray(at) && typeof at[0] === "number" ? [at[0], at[1] as number] : null;
}
