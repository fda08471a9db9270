import assert from "node:assert/strict";
import { test } from "node:test";
import { excursionOf, length_m, reachable } from "./excursion";

test("From one fix over any edge of the reachable area to the other is as far as could be driven", () => {
  const [a, b] = [[106.0, 20.9], [106.2, 21.0]];
  const apart_m = length_m([a, b]);
  const across_m = 12_000;
  const driven_m = 2 * Math.hypot(across_m, apart_m / 2);
  for (const edge of reachable(a, b, across_m).coordinates[0] ?? []) assert.ok(Math.abs(length_m([a, edge, b]) / driven_m - 1) < 0.003);
});

test("An excursion is its own fixes; a gap has its area below them; evidence without fixes shows nothing", () => {
  const fixes = [{ lon: 1, lat: 2, time: "…" }, { lon: 2, lat: 2, time: "…" }];
  assert.deepEqual(excursionOf({ fixes }), [{ type: "LineString", coordinates: [[1, 2], [2, 2]] }]);
  assert.deepEqual(excursionOf({ fixes, reach_m: 5000 }).map(({ type }) => type), ["Polygon", "LineString"]);
  assert.deepEqual(excursionOf({ fixes: fixes.slice(1) }), [{ type: "Point", coordinates: [2, 2] }]);
  assert.deepEqual(excursionOf({}), []);
});
