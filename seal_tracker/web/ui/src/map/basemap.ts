// Land, coast, borders and names under everything else: Natural Earth by default, a tile server's pictures where one is set.
import type { ExpressionSpecification, LayerSpecification, SourceSpecification } from "maplibre-gl";
import type { BoundaryLine, Config, PlaceLabel } from "../api/types";
import type { Language } from "../i18n";
import type { Palette } from "./palette";

/** Where the build put each region's GeoJSON. */
declare const BASEMAPS: Record<string, string>;

/** Painted by the browser with its own fonts, so that no font server is needed. */
export const FONT = ["system-ui", "Noto Sans", "Segoe UI", "Roboto", "Arial"];
export const FONT_BOLD = ["Noto Sans Bold", ...FONT];

const DASHES: Record<BoundaryLine["style"], number[] | null> = { solid: [1], dashed: [4, 2], dotted: [1, 2], none: null };
const DEFAULT_LINES: BoundaryLine[] = [{ between: ["*", "*"], style: "dashed", width_px: 1 }];

/** Places named from here on only matter less than zones and routes. */
const MINOR_FROM_ZOOM = 6;

interface TextStyle {
  size_px: [atZoom4: number, atZoom10: number];
  bold?: boolean;
  water?: boolean;
  spacing?: number;
  /** A dot at the place, the name beside it, or below it in the middle. */
  dot?: "beside" | "below";
  /** Drawn even where something else is: names that the law of a state wants on its maps. */
  always?: boolean;
}

const PLAIN: TextStyle = { size_px: [11, 14] };
const TEXT: Record<string, TextStyle> = {
  country: { size_px: [13, 22], bold: true, spacing: 0.12 },
  sea: { size_px: [13, 18], water: true, spacing: 0.2 },
  archipelago: { size_px: [12, 16], bold: true, dot: "below", always: true },
  island: { size_px: [10, 13], dot: "beside" },
  capital: { size_px: [13, 18], bold: true, dot: "beside" },
  city: { size_px: [12, 16], dot: "beside" },
  town: { size_px: [11, 14], dot: "beside" },
};

type Parts = { sources: Record<string, SourceSpecification>; layers: LayerSpecification[] };

const source = (path: string): SourceSpecification => ({ type: "geojson", data: new URL(path, document.baseURI).href, tolerance: 0.3 });

function land(config: Config, colours: Palette): Parts {
  const region = config.basemap?.region;
  const names = region && BASEMAPS[region] && BASEMAPS[`around_${region}`] ? [`around_${region}`, region] : ["world"];
  const sources: Parts["sources"] = {};
  const layers: LayerSpecification[] = [];
  for (const name of names) {
    const id = `basemap-${name}`;
    sources[id] = source(BASEMAPS[name] ?? "");
    layers.push({ id: `${id}-land`, type: "fill", source: id, filter: ["==", ["get", "kind"], "land"], paint: { "fill-color": colours.land, "fill-antialias": false } });
    layers.push({
      id: `${id}-coast`,
      type: "line",
      source: id,
      filter: ["==", ["get", "kind"], "coast"],
      paint: { "line-color": colours.coast, "line-width": ["interpolate", ["linear"], ["zoom"], 3, 0.5, 10, 1.2] },
    });
    layers.push(...borders(id, config.basemap?.boundary_lines ?? DEFAULT_LINES, colours));
  }
  return { sources, layers };
}

function fits({ between }: BoundaryLine): ExpressionSpecification {
  const sides = (between ?? ["*", "*"]).filter((side) => side !== "*").map((side): ExpressionSpecification => ["in", side, ["get", "between"]]);
  return ["all", ["==", ["get", "kind"], "border"], ...sides] as ExpressionSpecification;
}

/** One layer for each way of drawing; a border is drawn by the first that fits it. */
function borders(id: string, lines: readonly BoundaryLine[], colours: Palette): LayerSpecification[] {
  const earlier: ExpressionSpecification[] = [];
  const layers: LayerSpecification[] = [];
  lines.filter(({ coordinates }) => !coordinates).forEach((line, i) => {
    const fit = fits(line);
    const filter = ["all", fit, ...earlier.map((other): ExpressionSpecification => ["!", other])] as ExpressionSpecification;
    earlier.push(fit);
    const dashes = DASHES[line.style];
    if (dashes) layers.push({ id: `${id}-border-${i}`, type: "line", source: id, filter, paint: borderPaint(line, dashes, colours) });
  });
  return layers;
}

const borderPaint = ({ width_px = 1 }: BoundaryLine, dashes: number[], colours: Palette) => ({
  "line-color": colours.border,
  "line-width": ["interpolate", ["linear"], ["zoom"], 3, width_px * 0.7, 10, width_px * 1.8] as ExpressionSpecification,
  "line-dasharray": dashes,
});

/** Lines that the configuration gives itself. */
function ownLines(config: Config, colours: Palette): Parts {
  const sources: Parts["sources"] = {};
  const layers: LayerSpecification[] = [];
  (config.basemap?.boundary_lines ?? []).forEach((line, i) => {
    const dashes = DASHES[line.style];
    if (!line.coordinates || !dashes) return;
    const id = `boundary-${i}`;
    sources[id] = { type: "geojson", data: { type: "Feature", properties: {}, geometry: { type: "LineString", coordinates: line.coordinates } } };
    layers.push({ id, type: "line", source: id, paint: borderPaint(line, dashes, colours) });
  });
  return { sources, layers };
}

function tiles(tile_url: string): Parts {
  return {
    sources: { tiles: { type: "raster", tiles: [new URL(tile_url, document.baseURI).href.replaceAll("%7B", "{").replaceAll("%7D", "}")], tileSize: 256 } },
    layers: [{ id: "tiles", type: "raster", source: "tiles" }],
  };
}

const labelFeature = (label: PlaceLabel, language: Language): GeoJSON.Feature => ({
  type: "Feature",
  properties: { text: language === "en" ? (label.name_en ?? label.name) : label.name, kind: label.kind },
  geometry: { type: "Point", coordinates: [label.lon, label.lat] },
});

/** Names: a layer for each kind and least zoom, in the order given, so that earlier ones win where there is no room; minor ones yield to the plan. */
export function places(config: Config, language: Language, colours: Palette) {
  const groups = new Map<string, PlaceLabel[]>();
  for (const label of config.labels ?? []) {
    const key = `${label.kind}-${label.min_zoom ?? 0}`;
    groups.set(key, [...(groups.get(key) ?? []), label]);
  }
  const sources: Parts["sources"] = {};
  const major: LayerSpecification[] = [];
  const minor: LayerSpecification[] = [];
  for (const [key, labels] of groups) {
    const id = `places-${key}`;
    const [first] = labels as [PlaceLabel];
    sources[id] = { type: "geojson", data: { type: "FeatureCollection", features: labels.map((label) => labelFeature(label, language)) } };
    ((first.min_zoom ?? 0) < MINOR_FROM_ZOOM ? major : minor).push(placeLayer(id, first, colours));
  }
  return { sources, major: major.reverse(), minor: minor.reverse() };
}

function placeLayer(id: string, { kind, min_zoom = 0 }: PlaceLabel, colours: Palette): LayerSpecification {
  const style = TEXT[kind] ?? PLAIN;
  return {
    id,
    type: "symbol",
    source: id,
    minzoom: min_zoom,
    layout: {
      "text-field": ["get", "text"],
      "text-font": style.bold ? FONT_BOLD : FONT,
      "text-size": ["interpolate", ["linear"], ["zoom"], 4, style.size_px[0], 10, style.size_px[1]],
      "text-letter-spacing": style.spacing ?? 0,
      "text-max-width": 9,
      "text-padding": 3,
      ...(style.dot && { "icon-image": "islet", "icon-allow-overlap": true }),
      ...(style.dot === "beside" && { "text-variable-anchor": ["left", "right", "top", "bottom"], "text-radial-offset": 0.5, "text-justify": "auto" }),
      ...(style.dot === "below" && { "text-anchor": "top", "text-offset": [0, 0.4], "text-max-width": 11 }),
      ...(style.always && { "text-allow-overlap": true }),
    },
    paint: {
      "text-color": style.water ? colours.seaName : colours.place,
      "text-halo-color": style.water ? colours.sea : colours.placeHalo,
      "text-halo-width": 1.4,
    },
  };
}

/** What lies under the plan. */
export function ground(config: Config, colours: Palette): Parts {
  const background: LayerSpecification = { id: "sea", type: "background", paint: { "background-color": colours.sea } };
  const below = config.tile_url ? tiles(config.tile_url) : land(config, colours);
  const own = ownLines(config, colours);
  return { sources: { ...below.sources, ...own.sources }, layers: [background, ...below.layers, ...own.layers] };
}
