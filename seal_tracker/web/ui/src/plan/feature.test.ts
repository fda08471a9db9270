import assert from "node:assert/strict";
import { test } from "node:test";
import { featureOf, textOf, valueOf, type Field } from "./feature";

const field = (kind: Field["kind"]): Field => ({ name: "x", kind });

test("What the form shows is read back as it was", () => {
  for (const [value, kind] of [[200, "numbers"], [[200, 400], "numbers"], ["gate", "kinds"], [["gate", "checkpoint"], "kinds"], ["Cảng", "text"], [30, "number"]] as const) assert.deepEqual(valueOf(textOf(value), field(kind)), value);
  assert.equal(valueOf(" ", field("text")), undefined);
  assert.equal(textOf(undefined), "");
});

test("What is no number is left for the service to refuse by its name", () => {
  assert.equal(valueOf("wide", field("numbers")), "wide");
});

test("What the form does not know stays, and what it empties goes", () => {
  const feature = featureOf({ id: "Z", geometry: null, properties: { name: undefined, policy: { OVERSPEED: { enabled: false } } } });
  assert.deepEqual(feature.properties, { policy: { OVERSPEED: { enabled: false } } });
});
