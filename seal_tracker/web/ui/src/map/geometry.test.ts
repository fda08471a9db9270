import assert from "node:assert/strict";
import { test } from "node:test";
import { boundsOf, circle, pixelsAtZoom0, stretches } from "./geometry";

const EARTH_M = 6_371_008.8;

function haversine_m([lon1 = 0, lat1 = 0]: GeoJSON.Position, [lon2 = 0, lat2 = 0]: GeoJSON.Position): number {
  const [a, b, d, e] = [lat1, lat2, lat2 - lat1, lon2 - lon1].map((degrees) => (degrees * Math.PI) / 180) as [number, number, number, number];
  return 2 * EARTH_M * Math.asin(Math.sqrt(Math.sin(d / 2) ** 2 + Math.cos(a) * Math.cos(b) * Math.sin(e / 2) ** 2));
}

test("Every vertex of a circle lies its radius away from the centre", () => {
  const centre = [106.7, 20.85];
  for (const vertex of circle(centre, 1500).coordinates[0] ?? []) assert.ok(Math.abs(haversine_m(centre, vertex) - 1500) < 0.01);
});

test("A route is cut where its half-width changes, and the stretches join", () => {
  const line = [[0, 0], [0.1, 0], [0.2, 0], [0.3, 0]];
  const parts = stretches(line, [200, 200, 500]);
  assert.deepEqual(parts.map(({ half_width_m }) => half_width_m), [200, 500]);
  assert.deepEqual(parts[0]?.coordinates.at(-1), parts[1]?.coordinates[0]);
});

test("A long route is cut so that one width serves little latitude, and nothing of it is lost", () => {
  const line = Array.from({ length: 41 }, (_, i) => [105, 20 + i / 20]);
  const parts = stretches(line, 300);
  assert.ok(parts.length >= 4);
  assert.deepEqual([...new Set(parts.flatMap(({ coordinates }) => coordinates))], line);
});

test("A line's width covers the same ground as that many metres of longitude do", () => {
  const degree_m = (Math.PI / 180) * 6_378_137 * Math.cos((21 * Math.PI) / 180);
  assert.ok(Math.abs(pixelsAtZoom0(degree_m, 21) - 512 / 360) < 1e-9);
});

test("Nothing has no bounds", () => {
  assert.equal(boundsOf([]), null);
  assert.deepEqual(boundsOf([[1, 2], [3, -4]]), [1, -4, 3, 2]);
});
