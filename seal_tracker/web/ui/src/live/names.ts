// Names of zones and routes by id, as the plan gives them.
import type { Routes, Zones } from "../api/types";

export interface Names {
  zone(id: string): string;
  route(id: string): string;
  /** Without what stands in brackets at the end. */
  shortRoute(id: string): string;
}

const index = (features: readonly GeoJSON.Feature<GeoJSON.Geometry, { name?: string }>[]): Map<string, string> =>
  new Map(features.map(({ id, properties }) => [String(id), properties.name ?? String(id)]));

export function namesOf(zones: Zones, routes: Routes): Names {
  const zoneNames = index(zones.features);
  const routeNames = index(routes.features);
  const route = (id: string): string => routeNames.get(id) ?? id;
  return { zone: (id) => zoneNames.get(id) ?? route(id), route, shortRoute: (id) => route(id).replace(/\s*\([^()]*\)$/, "") };
}
