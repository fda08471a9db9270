import assert from "node:assert/strict";
import { test } from "node:test";
import { boxesAround, clipLine, clipRing, unwrap, unwrapRing } from "./clip.mjs";

const BOX = [0, 0, 10, 10];

test("A line that leaves the box and returns becomes two pieces that end on its edge", () => {
  const pieces = clipLine([[5, 5], [15, 5], [15, 8], [5, 8]], BOX);
  assert.deepEqual(pieces, [[[5, 5], [10, 5]], [[10, 8], [5, 8]]]);
});

test("A ring is cut to the box and stays closed; one outside is gone", () => {
  const ring = clipRing([[5, 5], [15, 5], [15, 8], [5, 8], [5, 5]], BOX);
  assert.deepEqual(ring[0], ring.at(-1));
  assert.ok(ring.every(([x]) => x >= 5 && x <= 10));
  assert.equal(clipRing([[20, 20], [30, 20], [30, 30], [20, 20]], BOX), null);
});

test("A line over the antimeridian runs on, and a ring around the pole is closed over it", () => {
  assert.deepEqual(unwrap([[179, 0], [-179, 0]]), [[179, 0], [181, 0]]);
  const ring = unwrapRing([[-180, -70], [-60, -70], [60, -70], [180, -70]]);
  assert.deepEqual(ring.slice(-3), [[180, -90], [-180, -90], [-180, -70]]);
});

test("The boxes around a box tile the rest of the world", () => {
  const area = ([west, south, east, north]) => (east - west) * (north - south);
  assert.equal([BOX, ...boxesAround(BOX)].map(area).reduce((a, b) => a + b), 360 * 180);
});
