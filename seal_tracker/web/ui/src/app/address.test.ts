import assert from "node:assert/strict";
import { test } from "node:test";
import { hashOf, placeIn } from "./address";

test("An address says view, what is looked at and filters, and is read as it was written", () => {
  const place = { view: "alarms", of: "J-2026/1 é", query: { severity: "high", text: "a&b=c" } };
  assert.deepEqual(placeIn(hashOf(place)), place);
});

test("Filters that say nothing are left out", () => {
  assert.equal(hashOf({ view: "alarms", query: { text: "", unit: "u1" } }), "#/alarms?unit=u1");
});

test("An address that was typed wrong names nothing and breaks nothing", () => {
  assert.deepEqual(placeIn(""), { view: "", of: "", query: {} });
  assert.deepEqual(placeIn("#/alarms/%E0%A4%A"), { view: "alarms", of: "%E0%A4%A", query: {} });
});
