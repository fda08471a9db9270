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
  ["status", "status"],
  ["reason", "reason"],
  ["authorised_by", "authorisedBy"],
  ["unlocked_s", "unlocked"],
  ["peak_m", "peak"],
  ["cross_track_m", "distance"],
  ["fallen_m", "backwards"],
  ["past_m", "past"],
  ["expected_at", "expected"],
  ["late_s", "late"],
  ["planned_at", "planned"],
  ["gap_s", "unseen"],
  ["without_fix_s", "noFix"],
  ["distance_m", "apart"],
  ["other", "other"],
  ["reach_m", "reach"],
  ["zones", "inReach"],
  ["speed_kmh", "speed"],
  ["stopped_s", "stopped"],
  ["duration_s", "stopped"],
  ["moved_m", "moved"],
  ["silent_s", "silent"],
  ["last_ping", "lastHeard"],
  ["battery_pct", "battery"],
  ["lowest_pct", "battery"],
  ["rssi_dbm", "cell"],
  ["claimed", "claimed"],
  ["skew_s", "skew"],
  ["local_time", "localTime"],
  ["source", "source"],
  ["permit", "permit"],
  ["journeys", "journeys"],
  ["chainage_m", "chainage"],
  ["remaining_m", "remaining"],
  ["radius_m", "radius"],
  ["tolerance_s", "tolerance"],
  ["closed_by", "closedBy"],
];

/** Longest line; what comes after in the table above is left to the details. */
const MAX_PHRASES = 5;
/** Most zones or facts named in one phrase. */
const MAX_LISTED = 3;

/** What this page calls zones by their ids. */
type ZoneNames = (id: string) => string;

function measure(key: string, value: number, format: Format): string {
  if (key.endsWith("_m")) return format.length(value);
  if (key.endsWith("_s")) return format.duration(Math.abs(value));
  if (key.endsWith("_min")) return format.duration(value * 60);
  if (key.endsWith("_h")) return format.duration(value * 3600);
  if (key.endsWith("_kmh")) return `${format.number(value)}${NBSP}km/h`;
  if (key.endsWith("_pct")) return `${format.number(value)}${NBSP}%`;
  if (key.endsWith("_dbm")) return `${format.number(value)}${NBSP}dBm`;
  return format.number(value, 1);
}

function said(key: string, value: string, words: Messages, format: Format, zoneName: ZoneNames): string {
  if (key.endsWith("_at") || key === "last_ping" || key === "claimed") return format.moment(value);
  if (key === "local_time") return value.slice(11, 19); // of the place, so never of the reader's zone
  if (key === "zones") return zoneName(value);
  if (key === "lock") return word(words.lock, value);
  if (key === "status") return word(words.status, value);
  if (key === "source") return word(words.limitSource, value);
  if (key === "closed_by") return word(words.closedBy, value);
  if (key === "reason") return words.reason[value as keyof Messages["reason"]] ?? value;
  return words.fact[value as keyof Messages["fact"]] ?? value;
}

function text(key: string, value: unknown, words: Messages, format: Format, zoneName: ZoneNames): string | null {
  if (typeof value === "number") return measure(key, value, format);
  if (typeof value === "string") return value === "" ? null : said(key, value, words, format, zoneName);
  if (Array.isArray(value)) return listed(value.map((item) => said(key, String(item), words, format, zoneName)));
  if (key === "other" && value) return text("seal", (value as { seal?: unknown }).seal, words, format, zoneName);
  return null;
}

/** The first few of what may be many. */
function listed(items: readonly string[]): string | null {
  const told = items.slice(0, MAX_LISTED).join(", ");
  return items.length > MAX_LISTED ? `${told}, +${items.length - MAX_LISTED}` : told || null;
}

function limitText(evidence: Evidence, words: Messages, format: Format): string | null {
  const found = Object.entries(evidence).find(([key, value]) => key.startsWith("limit") && typeof value === "number");
  return found ? fill(words.evidence.limit, { value: measure(found[0], found[1] as number, format) }) : null;
}

/** What rules say that judge reports, whether or not there is a fix in them. */
const OF_REPORTS = ["without_fix_s", "battery_pct", "facts", "lock", "claimed"] as const;

function fixesText(evidence: Evidence, words: Messages, format: Format): string | null {
  const count = typeof evidence.n_fixes === "number" ? evidence.n_fixes : 0;
  if (count === 0) return null;
  const [one, many] = OF_REPORTS.some((key) => key in evidence) ? (["oneReport", "reports"] as const) : (["oneFix", "fixes"] as const);
  return count === 1 ? words.evidence[one] : fill(words.evidence[many], { value: format.number(count) });
}

/** The line, empty where the evidence says nothing this page knows how to say. */
export function evidenceLine(evidence: Evidence, words: Messages, format: Format, zoneName: ZoneNames = (id) => id): string {
  const parts: string[] = [];
  for (const [key, phrase] of PHRASES) {
    const value = parts.length < MAX_PHRASES ? text(key, evidence[key], words, format, zoneName) : null;
    if (value !== null) parts.push(fill(words.evidence[phrase], { value }));
  }
  return [...new Set([...parts, limitText(evidence, words, format), fixesText(evidence, words, format)])].filter(Boolean).join(", ");
}
