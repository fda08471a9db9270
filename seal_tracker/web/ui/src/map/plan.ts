// Corridors with their true half-width, and zones by kind.
import type { DataDrivenPropertyValueSpecification, ExpressionSpecification, LayerSpecification, SourceSpecification } from "maplibre-gl";
import type { RouteProperties, Routes, ZoneProperties, Zones } from "../api/types";
import { ZONE_SHAPE } from "../view/pictograms";
import { FONT } from "./basemap";
import { boundsOf, circle, pixelsAtZoom0, positionsOf, stretches } from "./geometry";
import type { Palette } from "./palette";

/** Deepest zoom of the width expression; MapLibre shows up to 22. */
const DEEPEST_ZOOM = 24;
const EDGE_PX = 1.5;

const KIND_ORDER = Object.keys(ZONE_SHAPE);

export const kindsOf = ({ kind }: ZoneProperties): string[] => (Array.isArray(kind) ? kind : [kind]);

export function mainKind(properties: ZoneProperties): string {
  const kinds = kindsOf(properties);
  return KIND_ORDER.find((kind) => kinds.includes(kind)) ?? kinds[0] ?? "interest";
}

export const areaOf = (zone: Zones["features"][number]): GeoJSON.Geometry =>
  zone.geometry.type === "Point" ? circle(zone.geometry.coordinates, zone.properties.radius_m ?? 0) : zone.geometry;

export const widestHalfWidth = ({ half_width_m }: RouteProperties): number =>
  typeof half_width_m === "number" ? half_width_m : Math.max(...half_width_m);

function zoneSources(zones: Zones): Record<string, SourceSpecification> {
  const areas: GeoJSON.Feature[] = [];
  const marks: GeoJSON.Feature[] = [];
  for (const zone of zones.features) {
    const area = areaOf(zone);
    const properties = { id: zone.id, name: zone.properties.name ?? zone.id, kind: mainKind(zone.properties) };
    const box = boundsOf(positionsOf(area));
    areas.push({ type: "Feature", properties, geometry: area });
    if (box && properties.kind !== "jurisdiction") {
      marks.push({ type: "Feature", properties, geometry: { type: "Point", coordinates: [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2] } });
    }
  }
  const data = (features: GeoJSON.Feature[]): SourceSpecification => ({ type: "geojson", data: { type: "FeatureCollection", features } });
  return { zones: data(areas), "zone-marks": data(marks) };
}

function routeSources(routes: Routes): Record<string, SourceSpecification> {
  const corridors: GeoJSON.Feature[] = [];
  const lines: GeoJSON.Feature[] = [];
  for (const route of routes.features) {
    const properties = { id: route.id, name: route.properties.name ?? route.id };
    lines.push({ type: "Feature", properties, geometry: route.geometry });
    for (const { coordinates, half_width_m, mid_lat_deg } of stretches(route.geometry.coordinates, route.properties.half_width_m)) {
      const width_px0 = pixelsAtZoom0(2 * half_width_m, mid_lat_deg);
      corridors.push({ type: "Feature", properties: { ...properties, width_px0 }, geometry: { type: "LineString", coordinates } });
    }
  }
  return {
    corridors: { type: "geojson", data: { type: "FeatureCollection", features: corridors }, tolerance: 0.1 },
    routes: { type: "geojson", data: { type: "FeatureCollection", features: lines } },
  };
}

/** A line's width that doubles with each zoom, as the ground does, plus some constant pixels. */
const groundWidth = (extra_px: number): DataDrivenPropertyValueSpecification<number> => [
  "interpolate",
  ["exponential", 2],
  ["zoom"],
  0,
  ["+", ["get", "width_px0"], extra_px],
  DEEPEST_ZOOM,
  ["+", ["*", ["get", "width_px0"], 2 ** DEEPEST_ZOOM], extra_px],
];

const byKind = (colours: Palette): ExpressionSpecification =>
  ["match", ["get", "kind"], ...Object.entries(colours.zone).flat(), colours.border] as unknown as ExpressionSpecification;

function corridorLayers(colours: Palette, overTiles: boolean): LayerSpecification[] {
  const layout = { "line-cap": "round", "line-join": "round" } as const;
  const edge = overTiles ? 0.6 : 1;
  return [
    { id: "corridor-edge", type: "line", source: "corridors", layout, paint: { "line-color": colours.corridorEdge, "line-width": groundWidth(2 * EDGE_PX), "line-opacity": edge } },
    { id: "corridor", type: "line", source: "corridors", layout, paint: { "line-color": colours.corridor, "line-width": groundWidth(0), "line-opacity": edge } },
    {
      id: "route",
      type: "line",
      source: "routes",
      layout,
      paint: { "line-color": colours.corridorLine, "line-width": ["interpolate", ["linear"], ["zoom"], 4, 1.2, 10, 2, 15, 1], "line-opacity": ["interpolate", ["linear"], ["zoom"], 11, 1, 14, 0.5] },
    },
  ];
}

function zoneLayers(colours: Palette): LayerSpecification[] {
  const colour = byKind(colours);
  return [
    { id: "zone", type: "fill", source: "zones", filter: ["!=", ["get", "kind"], "jurisdiction"], paint: { "fill-color": colour, "fill-opacity": 0.14 } },
    { id: "zone-hatch", type: "fill", source: "zones", filter: ["==", ["get", "kind"], "prohibited"], paint: { "fill-pattern": "hatch", "fill-opacity": 0.45 } },
    { id: "zone-edge", type: "line", source: "zones", filter: ["!=", ["get", "kind"], "jurisdiction"], paint: { "line-color": colour, "line-width": 1.4 } },
    {
      id: "jurisdiction",
      type: "line",
      source: "zones",
      filter: ["==", ["get", "kind"], "jurisdiction"],
      minzoom: 7,
      paint: { "line-color": colour, "line-width": 1, "line-dasharray": [2, 3], "line-opacity": 0.7 },
    },
  ];
}

const nameLayers = (colours: Palette): LayerSpecification[] => [
  {
    id: "zone-mark",
    type: "symbol",
    source: "zone-marks",
    minzoom: 5,
    layout: {
      "icon-image": ["concat", "zone-", ["get", "kind"]],
      "icon-size": ["interpolate", ["linear"], ["zoom"], 5, 0.7, 9, 1],
      "icon-padding": 0,
      "text-field": ["step", ["zoom"], "", 9, ["get", "name"]],
      "text-font": FONT,
      "text-size": 12,
      "text-anchor": "top",
      "text-offset": [0, 0.8],
      "text-optional": true,
      "text-max-width": 10,
    },
    paint: { "text-color": byKind(colours), "text-halo-color": colours.placeHalo, "text-halo-width": 1.4 },
  },
  {
    id: "route-name",
    type: "symbol",
    source: "routes",
    minzoom: 7,
    layout: { "symbol-placement": "line", "text-field": ["get", "name"], "text-font": FONT, "text-size": 12, "symbol-spacing": 400, "text-offset": [0, -0.9] },
    paint: { "text-color": colours.routeName, "text-halo-color": colours.placeHalo, "text-halo-width": 1.4 },
  },
];

export function planParts(zones: Zones, routes: Routes, colours: Palette, overTiles: boolean) {
  return {
    sources: { ...zoneSources(zones), ...routeSources(routes) },
    areas: [...corridorLayers(colours, overTiles), ...zoneLayers(colours)],
    names: nameLayers(colours),
  };
}
