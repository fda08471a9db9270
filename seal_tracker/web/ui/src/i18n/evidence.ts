// What an event rests on, in one line: "412 m off, limit 200 m, 3 fixes". Pure.
import type { Evidence } from "../api/types";
import { NBSP, type Format } from "./format";
import { fill, word, type Messages } from "./index";

type Phrase = keyof Messages["evidence"];

/** Members worth a place in the line, in its order, and how each is said. The unit is in the member's name. */
const PHRASES: readonly (readonly [key: string, phrase: Phrase])[] = [
  ["facts", "facts"],
  ["fact", "facts"],
  ["lock", "lock"],
  ["reason", "reason"],
  ["peak_m", "peak"],
  ["cross_track_m", "distance"],
  ["distance_m", "distance"],
  ["speed_kmh", "speed"],
  ["stopped_s", "stopped"],
  ["duration_s", "stopped"],
  ["moved_m", "moved"],
  ["gap_s", "silent"],
  ["silent_s", "silent"],
  ["battery_pct", "battery"],
  ["lowest_pct", "battery"],
  ["chainage_m", "chainage"],
  ["reach_m", "reach"],
  ["radius_m", "radius"],
  ["expected_at", "expected"],
  ["planned_at", "expected"],
  ["closed_by", "closedBy"],
];

/** Longest line; what comes after in the table above is left to the details. */
const MAX_PHRASES = 4;

function measure(key: string, value: number, format: Format): string {
  if (key.endsWith("_m")) return format.length(value);
  if (key.endsWith("_s")) return format.duration(value);
  if (key.endsWith("_min")) return format.duration(value * 60);
  if (key.endsWith("_kmh")) return `${format.number(value)}${NBSP}km/h`;
  if (key.endsWith("_pct")) return `${format.number(value)}${NBSP}%`;
  return format.number(value, 1);
}

function text(key: string, value: unknown, words: Messages, format: Format): string | null {
  if (typeof value === "number") return measure(key, value, format);
  if (Array.isArray(value)) return value.length ? value.map((item) => word(words.fact, String(item))).join(", ") : null;
  if (typeof value !== "string" || value === "") return null;
  if (key === "lock") return word(words.lock, value);
  if (key === "closed_by") return word(words.closedBy, value);
  if (key.endsWith("_at")) return format.moment(value);
  if (key === "reason") return words.reason[value as keyof Messages["reason"]] ?? value;
  return words.fact[value as keyof Messages["fact"]] ?? value;
}

function limitText(evidence: Evidence, words: Messages, format: Format): string | null {
  const found = Object.entries(evidence).find(([key, value]) => key.startsWith("limit") && typeof value === "number");
  return found ? fill(words.evidence.limit, { value: measure(found[0], found[1] as number, format) }) : null;
}

function fixesText(evidence: Evidence, words: Messages, format: Format): string | null {
  const count = typeof evidence.n_fixes === "number" ? evidence.n_fixes : 0;
  if (count === 0) return null;
  return count === 1 ? words.evidence.oneFix : fill(words.evidence.fixes, { value: format.number(count) });
}

/** The line, empty where the evidence says nothing this page knows how to say. */
export function evidenceLine(evidence: Evidence, words: Messages, format: Format): string {
  const parts: string[] = [];
  for (const [key, phrase] of PHRASES) {
    const value = parts.length < MAX_PHRASES ? text(key, evidence[key], words, format) : null;
    if (value !== null) parts.push(fill(words.evidence[phrase], { value }));
  }
  return [...new Set([...parts, limitText(evidence, words, format), fixesText(evidence, words, format)])].filter(Boolean).join(", ");
}
