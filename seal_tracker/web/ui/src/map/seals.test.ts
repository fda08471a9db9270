import assert from "node:assert/strict";
import { test } from "node:test";
import type { GeoJSONSource, GeoJSONSourceDiff } from "maplibre-gl";
import type { SealState } from "../api/types";
import { Board } from "../live/board";
import { FRESH_MS } from "./freshness";
import { SealLayer } from "./seals";

const NOW_MS = Date.parse("2026-11-22T03:00:00.000Z");

const seal = (name: string, ago_ms: number, lon = 105): SealState => ({ seal: name, journey: null, route: null, lon, lat: 21, time: new Date(NOW_MS - ago_ms).toISOString() });

/** A layer over a board, and what each update sends: the look of each seal by name. */
function layerOver(board: Board): (connected: boolean, now_ms: number) => Promise<Record<string, unknown>> {
  const layer = new SealLayer(board);
  return async (connected, now_ms) => {
    const sent: GeoJSONSourceDiff[] = [];
    layer.update({ updateData: (diff: GeoJSONSourceDiff) => void sent.push(diff) } as unknown as GeoJSONSource, connected, now_ms);
    await new Promise((resume) => setTimeout(resume));
    const looks = sent.flatMap(({ add = [] }) => add.map(({ properties }) => [String(properties?.["seal"]), properties?.["look"] as unknown]));
    return Object.fromEntries([...looks, ...sent.flatMap(({ remove = [] }) => remove.map((name) => [String(name), "gone"]))]) as Record<string, unknown>;
  };
}

test("A seal that falls silent turns stale though nothing is told, and only what changed is sent", async () => {
  const board = new Board();
  board.positions([seal("A", 0), seal("B", FRESH_MS - 1000)]);
  const update = layerOver(board);
  assert.deepEqual(await update(true, NOW_MS), { A: "quiet", B: "quiet" });
  assert.deepEqual(await update(true, NOW_MS + 500), {});
  assert.deepEqual(await update(true, NOW_MS + 1000), { B: "stale" });
  board.positions([seal("B", -2000, 106)]);
  assert.deepEqual(await update(true, NOW_MS + 2000), { B: "quiet" });
});

test("Without a connection no seal is shown as live; with it again those are that still are", async () => {
  const board = new Board();
  board.positions([seal("A", 0), seal("B", 0)]);
  const update = layerOver(board);
  await update(true, NOW_MS);
  assert.deepEqual(await update(false, NOW_MS), { A: "stale", B: "stale" });
  assert.deepEqual(await update(false, NOW_MS + 1000), {});
  board.positions([], ["B"]);
  assert.deepEqual(await update(true, NOW_MS + FRESH_MS - 1), { A: "quiet", B: "gone" });
});

test("Very many are sent in turns, each once", async () => {
  const board = new Board();
  board.positions(Array.from({ length: 2500 }, (_, i) => seal(`S${i}`, 0)));
  const sizes: number[] = [];
  const layer = new SealLayer(board);
  layer.update({ updateData: async ({ add = [] }: GeoJSONSourceDiff) => void sizes.push(add.length) } as unknown as GeoJSONSource, true, NOW_MS);
  await new Promise((resume) => setTimeout(resume));
  assert.deepEqual(sizes, [1000, 1000, 500]);
});
