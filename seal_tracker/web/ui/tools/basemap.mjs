// Natural Earth (public domain), as the world-atlas package has it, to compact GeoJSON: land, coast and country borders.
// A border carries the two countries it lies between, so that configuration can choose how, or whether, to draw it.
// No names are written: a map's names are configuration.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { feature, mesh } from "topojson-client";
import { boxesAround, clipLine, clipRing, shifted, turned, unwrap, unwrapRing } from "./clip.mjs";

const WORLD = [-180, -90, 180, 90];
const require = createRequire(import.meta.url);
const atlas = (detail) => JSON.parse(readFileSync(require.resolve(`world-atlas/countries-${detail}.json`), "utf8"));

/** Coordinates on a grid of `step` degrees, repeated ones dropped. */
function snap(line, step) {
  const digits = Math.max(0, Math.ceil(-Math.log10(step)));
  const on = (v) => Number((Math.round(v / step) * step).toFixed(digits));
  const out = [];
  for (const [x, y] of line) {
    const p = [on(x), on(y)];
    const last = out.at(-1);
    if (!last || last[0] !== p[0] || last[1] !== p[1]) out.push(p);
  }
  return out;
}

const one = (kind, geometry, more = {}) => ({ type: "Feature", properties: { kind, ...more }, geometry });

function land(topology, boxes, step) {
  const polygons = [];
  for (const { geometry } of feature(topology, topology.objects.land).features) {
    for (const rings of geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates) {
      const whole = rings.map(unwrapRing);
      for (const { box, shift } of boxes.flatMap(turned)) {
        const kept = whole.map((ring) => clipRing(ring, box)).filter(Boolean).map((ring) => snap(shifted(ring, -shift), step));
        if (kept[0]?.length > 3) polygons.push(kept.filter((ring) => ring.length > 3));
      }
    }
  }
  return one("land", { type: "MultiPolygon", coordinates: polygons });
}

const lines = (geometry, boxes, step) =>
  geometry.coordinates
    .map(unwrap)
    .flatMap((line) => boxes.flatMap(turned).flatMap(({ box, shift }) => clipLine(line, box).map((piece) => snap(shifted(piece, -shift), step))))
    .filter((line) => line.length > 1);

/** Pairs of countries that share a border, by name, in alphabetical order. */
function neighbours(topology) {
  const pairs = new Map();
  mesh(topology, topology.objects.countries, (a, b) => {
    if (a !== b) {
      const pair = [a.properties.name, b.properties.name].sort();
      pairs.set(pair.join("|"), pair);
    }
    return false;
  });
  return [...pairs.values()].sort();
}

function borders(topology, boxes, step) {
  return neighbours(topology).flatMap((pair) => {
    const shared = mesh(topology, topology.objects.countries, (a, b) => a !== b && pair.includes(a.properties.name) && pair.includes(b.properties.name));
    const coordinates = lines(shared, boxes, step);
    return coordinates.length ? [one("border", { type: "MultiLineString", coordinates }, { between: pair })] : [];
  });
}

function collect(topology, boxes, step) {
  const coast = lines(mesh(topology, topology.objects.countries, (a, b) => a === b), boxes, step);
  return {
    type: "FeatureCollection",
    features: [land(topology, boxes, step), one("coast", { type: "MultiLineString", coordinates: coast }), ...borders(topology, boxes, step)],
  };
}

/** GeoJSON text by region: each region in its own detail, and for each the world around it with the region left out. */
export function basemaps(regions) {
  const { world, ...named } = regions;
  const files = {};
  const whole = atlas(world.detail);
  files.world = JSON.stringify(collect(whole, [WORLD], world.step_deg));
  for (const [name, { detail, step_deg: step, bbox }] of Object.entries(named)) {
    files[name] = JSON.stringify(collect(atlas(detail), [bbox], step));
    files[`around_${name}`] = JSON.stringify(collect(whole, boxesAround(bbox), world.step_deg));
  }
  return files;
}
