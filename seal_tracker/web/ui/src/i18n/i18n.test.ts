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
  assert.equal(say("en", { facts: ["rope_cut"], lock: "cut", n_fixes: 1 }), "rope cut, lock cut, 1 fix");
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
