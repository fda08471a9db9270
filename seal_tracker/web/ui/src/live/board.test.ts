import assert from "node:assert/strict";
import { test } from "node:test";
import type { CloudEvent, Episode, SealState, Severity, Transition } from "../api/types";
import { Board } from "./board";

const START = "2026-11-22T03:00:00.000Z";

interface Story {
  sequence: number;
  episode?: string;
  type?: string;
  transition?: Transition;
  severity?: Severity;
  references?: string[];
}

function event({ sequence, episode = "e1", type = "ROUTE_DEVIATION", transition = "raised", severity = "high", references = [] }: Story): CloudEvent {
  const properties = { event: type, transition, episode, seal: "S1", journey: "J1", started_at: START, references };
  return {
    id: `${episode}/${sequence}`,
    type: `vn.eseal.${type}.${transition}`,
    subject: "journey/J1",
    time: START,
    severitytext: severity,
    sequence: String(sequence).padStart(20, "0"),
    data: { type: "Feature", geometry: null, properties },
  };
}

const episode = (id: string, severity: Severity): Episode => ({
  episode: id,
  type: "BATTERY_LOW",
  severity,
  journey: null,
  seal: "S1",
  object: null,
  started_at: START,
  raised_at: START,
  ended_at: null,
  cleared_at: null,
  inferred: false,
  latched: false,
  evidence: {},
});

const seal = (time: string, lon = 105): SealState => ({ seal: "S1", journey: "J1", route: null, lon, lat: 21, time });

test("An event that comes by the snapshot and by the stream is listed once, newest first", () => {
  const board = new Board();
  board.event(event({ sequence: 2 }));
  board.install({ events: [event({ sequence: 1 }), event({ sequence: 2 })], episodes: [], seals: [] });
  assert.equal(board.event(event({ sequence: 1 })), false);
  assert.deepEqual(board.events.map(({ sequence }) => Number(sequence)), [2, 1]);
});

test("What the stream brings while a snapshot is on its way is not undone by it", () => {
  const board = new Board();
  board.expectSnapshot();
  board.event(event({ sequence: 5, episode: "new" }));
  board.event(event({ sequence: 6, episode: "old", transition: "cleared" }));
  board.install({ events: [], episodes: [episode("old", "low")], seals: [] });
  assert.deepEqual([...board.episodes.keys()], ["new"]);
});

test("An episode is open from raised to cleared, and updates replace its severity", () => {
  const board = new Board();
  board.event(event({ sequence: 1, severity: "medium" }));
  board.event(event({ sequence: 2, transition: "updated", severity: "critical" }));
  assert.equal(board.rankOf("S1"), 5);
  board.event(event({ sequence: 3, transition: "cleared" }));
  assert.equal(board.episodes.size, 0);
});

test("A successor takes the place of the episode it refers to", () => {
  const board = new Board();
  board.event(event({ sequence: 1, episode: "a" }));
  board.event(event({ sequence: 2, episode: "b", transition: "updated", references: ["a"] }));
  assert.deepEqual([...board.episodes.keys()], ["b"]);
});

test("A checkpoint that was reached is a moment and never open", () => {
  const board = new Board();
  board.event(event({ sequence: 1, type: "CHECKPOINT_REACHED", severity: "info" }));
  assert.equal(board.episodes.size, 0);
});

test("A position older than the one known is not taken, and a seal that is gone is forgotten", () => {
  const board = new Board();
  board.positions([seal("2026-11-22T03:00:10.000Z", 106)]);
  board.positions([seal(START, 105)]);
  assert.equal(board.seals.get("S1")?.lon, 106);
  board.positions([], ["S1"]);
  assert.equal(board.seals.size, 0);
});

test("A seal that a snapshot does not know and of which the stream has not spoken since is gone", () => {
  const board = new Board();
  board.positions([seal(START), { ...seal(START), seal: "S2", journey: "J2" }]);
  board.expectSnapshot();
  board.positions([{ ...seal(START), seal: "S3", journey: "J3" }]);
  board.install({ events: [], episodes: [], seals: ["S1"] });
  assert.deepEqual([...board.seals.keys()].sort(), ["S1", "S3"]);
  assert.equal(board.journeys, 2);
});

test("Who follows the board learns which seals moved, are gone or have other episodes, and no others", () => {
  const board = new Board();
  board.positions([seal(START), { ...seal(START), seal: "S2" }]);
  const changed = board.follow();
  assert.deepEqual([...changed], ["S1", "S2"]);
  changed.clear();
  board.event(event({ sequence: 1 }));
  assert.deepEqual([...changed], ["S1"]);
  changed.clear();
  board.positions([], ["S2"]);
  assert.deepEqual([...changed], ["S2"]);
});

test("Those that spoke are counted by the moment they spoke of", () => {
  const board = new Board();
  board.positions([seal(START), { ...seal("2026-11-22T03:01:00.000Z"), seal: "S2" }, { ...seal(START), seal: "S3", time: null }]);
  assert.equal(board.spokeAfter(Date.parse(START)), 1);
});
