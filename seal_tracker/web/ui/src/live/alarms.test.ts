import assert from "node:assert/strict";
import { test } from "node:test";
import { AlarmBook, type Alarm } from "./alarms";
import { Gathered } from "./parts";

const alarm = (id: string, severity: Alarm["severity"] = "high", more: Partial<Alarm> = {}): Alarm =>
  ({ alarm: id, severity, state: "unacknowledged", version: 1, acknowledge_by: "2026-11-22T03:05:00.000Z", close_by: null, ...more }) as Alarm;

const ids = (book: AlarmBook): string[] => book.all.map((one) => one.alarm);

test("After an absence what was closed meanwhile is gone and what is new is there, the most urgent first", () => {
  const book = new AlarmBook();
  book.take([alarm("a"), alarm("b")]);
  book.takeFresh();
  book.take([alarm("b", "high", { version: 2, state: "acknowledged" }), alarm("c", "critical")], [], true);
  assert.deepEqual(ids(book), ["c", "b"]);
  assert.deepEqual(book.takeFresh().map((one) => one.alarm), ["c"]);
  book.take([], [], true);
  assert.deepEqual(ids(book), []);
});

test("The order and the counts follow every change", () => {
  const book = new AlarmBook();
  book.take([alarm("a", "low"), alarm("b", "high", { acknowledge_by: "2026-11-22T03:09:00.000Z" }), alarm("c")]);
  assert.deepEqual(ids(book), ["c", "b", "a"]);
  assert.deepEqual(book.tally.high, { count: 2, calls: true });
  book.take([alarm("c", "high", { version: 2, state: "shelved" }), alarm("b", "high", { version: 2, state: "acknowledged" })], ["a"]);
  assert.deepEqual(book.tally.high, { count: 1, calls: false });
  assert.deepEqual(book.tally.low, { count: 0, calls: false });
});

test("What is told in parts is taken with the last of them, and says once that it is whole", () => {
  const gathered = new Gathered<string>();
  assert.equal(gathered.take({ items: ["a"], whole: true, more: true }), null);
  assert.deepEqual(gathered.take({ items: ["b"], whole: false }), { items: ["a", "b"], gone: [], whole: true });
  assert.deepEqual(gathered.take({ items: [], gone: ["a"], whole: false }), { items: [], gone: ["a"], whole: false });
});
