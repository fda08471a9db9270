import assert from "node:assert/strict";
import { test } from "node:test";
import { evidenceLine } from "./evidence";
import { makeFormat, NBSP } from "./format";
import { LANGUAGES, type Language } from "./index";

const NOW_MS = Date.parse("2026-11-22T12:00:00.000Z");

const say = (language: Language, evidence: Record<string, unknown>): string =>
  evidenceLine(evidence, LANGUAGES[language], makeFormat(language, LANGUAGES[language])).replaceAll(NBSP, " ");

/** Every text with its place, such as "signIn.title". */
function texts(messages: object, at = ""): [string, string][] {
  return Object.entries(messages).flatMap(([key, value]): [string, string][] => (typeof value === "string" ? [[`${at}${key}`, value]] : texts(value as object, `${at}${key}.`)));
}

test("A deviation says how far, the limit and how many fixes, in both languages", () => {
  const evidence = { cross_track_m: 412.3, limit_m: 200, n_fixes: 3, fixes: [{}, {}] };
  assert.equal(say("en", evidence), "412 m off, limit 200 m, 3 fixes");
  assert.equal(say("vi", evidence), "cách 412 m, giới hạn 200 m, 3 vị trí");
});

test("A tampered seal says what was found, without repeating itself", () => {
  assert.equal(say("en", { facts: ["rope_cut"], lock: "cut", n_fixes: 1 }), "rope cut, lock cut, 1 report");
});

test("A gap names the zones that were in reach, the first three of many", () => {
  const evidence = { gap_s: 1554, distance_m: 19_927.7, reach_m: 14_101.7, n_zones: 4, zones: ["z1", "z2", "z3", "z4"], limit_m: 300, n_fixes: 2 };
  const english = evidenceLine(evidence, LANGUAGES.en, makeFormat("en", LANGUAGES.en), (id) => id.toUpperCase()).replaceAll(NBSP, " ");
  assert.equal(english, "unseen 25 min, 20 km apart, could have been 14 km away, in reach: Z1, Z2, Z3, +1, limit 300 m, 2 fixes");
  assert.match(say("vi", evidence), /trong tầm với: z1, z2, z3, \+1/);
});

test("A seal without a position is told by its reports, which are no fixes", () => {
  const evidence = { facts: ["jamming"], rssi_dbm: -92, without_fix_s: 628, n_fixes: 15 };
  assert.equal(say("en", evidence), "jamming, no position 10 min, cell signal -92 dBm, 15 reports");
  assert.equal(say("vi", evidence), "phá sóng, không có vị trí 10 phút, sóng di động -92 dBm, 15 bản tin");
});

test("A vehicle outside its hours is told with the hour where it was, and its permit", () => {
  const evidence = { speed_kmh: 31, reason: "outside_hours", local_time: "2026-11-22T07:14:05+07:00", permit: "GP-12", n_fixes: 3 };
  assert.equal(say("en", evidence), "outside permitted hours, 31 km/h, at 07:14:05 local time, permit GP-12, 3 fixes");
  assert.equal(say("vi", evidence), "ngoài khung giờ cho phép, 31 km/h, lúc 07:14:05 giờ địa phương, giấy phép GP-12, 3 vị trí");
});

test("Speeding says whose limit it was", () => {
  assert.equal(say("en", { speed_kmh: 71.2, limit_kmh: 60, source: "route", n_fixes: 4 }), "71 km/h, limit of the route, limit 60 km/h, 4 fixes");
});

test("Lateness says what was expected, what was planned and the difference, in the time of Viet Nam", () => {
  const evidence = { expected_at: "2026-11-22T13:23:12.131Z", planned_at: "2026-11-22T12:51:03.000Z", late_s: 1929.131, tolerance_s: 1800, remaining_m: 338_734.8 };
  assert.equal(say("en", evidence), "expected 22/11/2026 20:23:12, 32 min late, planned 22/11/2026 19:51:03, 339 km to go, 30 min allowed");
});

test("A separated vehicle says from whom, and equipment when it was last heard", () => {
  assert.equal(say("en", { distance_m: 612, limit_m: 300, n_fixes: 3, other: { seal: "S2", lon: 1, lat: 2 } }), "612 m apart, from S2, limit 300 m, 3 fixes");
  assert.equal(say("en", { status: "offline", limit_s: 180, last_ping: "2026-11-22T03:00:00.000Z" }), "said to be offline, last heard 22/11/2026 10:00:00, limit 3 min");
});

test("A clock that is behind is as far off as one that is ahead", () => {
  assert.equal(say("en", { claimed: "2026-11-22T03:00:00.000Z", skew_s: -7200 }), "its clock says 22/11/2026 10:00:00, 2 h off");
});

test("Evidence that the page does not know is left out", () => {
  assert.equal(say("en", { something_new: { deep: 1 } }), "");
});

test("Times are those of Viet Nam, with the day where it is not today", () => {
  const { clock } = makeFormat("en", LANGUAGES.en);
  assert.equal(clock("2026-11-22T03:00:05.000Z", NOW_MS), "10:00:05");
  assert.equal(clock("2026-11-21T16:59:59.000Z", NOW_MS), "21/11 23:59:59");
  assert.equal(clock("2026-11-21T17:00:00.000Z", NOW_MS), "00:00:00");
});

test("No text is empty and both languages fill in the same values", () => {
  const placeholders = (text: string): string => [...text.matchAll(/\{\w+\}/g)].map(String).sort().join();
  const vi = new Map(texts(LANGUAGES.vi));
  for (const [at, text] of texts(LANGUAGES.en)) {
    assert.ok(text && vi.get(at), at);
    assert.equal(placeholders(vi.get(at) ?? ""), placeholders(text), at);
  }
});
