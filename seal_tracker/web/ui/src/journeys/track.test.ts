import assert from "node:assert/strict";
import { test } from "node:test";
import { crossTracks_m, fixAt, fixesOf, type Fix, type TrackFeature } from "./track";

const fix = (at_ms: number, lon = 0, lat = 0): Fix => ({ at_ms, lon, lat, speed_kmh: null, course_deg: null, battery_pct: null, accuracy_m: null, lock: "closed" });
const route = { type: "Feature" as const, id: "R", geometry: { type: "LineString" as const, coordinates: [[0, 0], [1, 0], [1, 1]] }, properties: { half_width_m: 100 } };

test("A fix is as far from the route as from its nearest leg, beyond its end as from the end", () => {
  const [beside, at, beyond] = crossTracks_m([fix(0, 0.5, 0.001), fix(0, 1, 0.5), fix(0, 1, 1.001)], route);
  assert.ok(Math.abs((beside ?? 0) - 111.195) < 0.2);
  assert.equal(Math.round(at ?? -1), 0);
  assert.ok(Math.abs((beyond ?? 0) - 111.195) < 0.2);
  assert.deepEqual(crossTracks_m([fix(0)], undefined), [null]);
});

test("At a moment the last fix before it counts", () => {
  const fixes = [fix(10), fix(20), fix(30)];
  assert.deepEqual([0, 10, 19, 20, 99].map((at) => fixAt(fixes, at)?.at_ms), [10, 10, 10, 20, 30]);
  assert.equal(fixAt([], 5), undefined);
});

test("A track of one fix, and one of none, are read too", () => {
  const properties: TrackFeature["properties"] = { device: "S", role: "seal", coordinateProperties: { times: ["1970-01-01T00:00:01Z"], speed_kmh: [5], course_deg: [null], battery_pct: [80], accuracy_m: [8], lock: ["closed"] } };
  assert.equal(fixesOf({ geometry: { type: "Point", coordinates: [106, 20] }, properties })[0]?.at_ms, 1000);
  assert.deepEqual(fixesOf({ geometry: null, properties }), []);
  assert.deepEqual(fixesOf(undefined), []);
});
