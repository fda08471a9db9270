// The open alarms, as the stream tells them: each whole, newest state only. No I/O.
import type { Schema } from "../api/service";
import { SEVERITIES, type Severity } from "../api/types";
import { Changes } from "../app/changes";

export type Alarm = Omit<Schema["AlarmLine"], "open_in_group">;

/** What the list may be narrowed by; "" is anything. */
export interface AlarmFilter {
  severity: string;
  type: string;
  unit: string;
  state: string;
  mine: string;
  text: string;
}

export const NO_FILTER: AlarmFilter = { severity: "", type: "", unit: "", state: "", mine: "", text: "" };

const FOREVER = "9999";

/** Still asks for somebody. */
export const isUnacknowledged = ({ state }: Alarm): boolean => state === "unacknowledged" || state === "returned_unacknowledged";

/** Set aside: not in the list unless asked for. */
export const isAside = ({ state }: Alarm): boolean => state === "shelved" || state === "suppressed";

/** By when the next thing must be done; null where nothing waits. */
export const dueOf = (alarm: Alarm): string | null => (isUnacknowledged(alarm) ? alarm.acknowledge_by : alarm.close_by) ?? null;

/** The order of the service: severity, then deadline, then id. */
export function byPriority(a: Alarm, b: Alarm): number {
  const rank = SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity);
  return rank || inOrder(dueOf(a) ?? FOREVER, dueOf(b) ?? FOREVER) || inOrder(a.alarm, b.alarm);
}

/** As `localeCompare` orders moments and ids, at a hundredth of its time. */
const inOrder = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export function passes(alarm: Alarm, filter: AlarmFilter, me: string, words: () => string): boolean {
  if (filter.state ? alarm.state !== filter.state : isAside(alarm)) return false;
  if (filter.severity && SEVERITIES.indexOf(alarm.severity) < SEVERITIES.indexOf(filter.severity as Alarm["severity"])) return false;
  if (filter.type && alarm.type !== filter.type) return false;
  if (filter.unit && alarm.responsible !== filter.unit && alarm.unit !== filter.unit) return false;
  if (filter.mine && alarm.assignee !== me) return false;
  if (!filter.text) return true;
  const said = words().toLowerCase();
  return filter.text.toLowerCase().split(/\s+/).every((part) => said.includes(part));
}

/** Open alarms of each severity, and whether one of them still asks for somebody. */
export type Tally = Readonly<Record<Severity, { count: number; calls: boolean }>>;

export function tallyOf(alarms: Iterable<Alarm>): Tally {
  const tally = Object.fromEntries(SEVERITIES.map((severity) => [severity, { count: 0, calls: false }])) as Record<Severity, { count: number; calls: boolean }>;
  for (const alarm of alarms) {
    if (isAside(alarm)) continue;
    const of = tally[alarm.severity];
    of.count += 1;
    of.calls ||= isUnacknowledged(alarm);
  }
  return tally;
}

export class AlarmBook {
  readonly changes = new Changes();
  readonly #alarms = new Map<string, Alarm>();
  #fresh: Alarm[] = [];
  #sorted: readonly Alarm[] | null = null;
  #tally: Tally | null = null;

  /** The most urgent first. */
  get all(): readonly Alarm[] {
    return (this.#sorted ??= [...this.#alarms.values()].sort(byPriority));
  }

  /** How many are open and not set aside. */
  get tally(): Tally {
    return (this.#tally ??= tallyOf(this.#alarms.values()));
  }

  get(id: string): Alarm | undefined {
    return this.#alarms.get(id);
  }

  get size(): number {
    return this.#alarms.size;
  }

  /** Takes newer states; ids in `gone` are closed; `whole`: what is not among them is gone. An older version than is known is not taken: an answer may come before the stream. */
  take(items: readonly Alarm[], gone: readonly string[] = [], whole = false): void {
    if (whole) {
      const told = new Set(items.map(({ alarm }) => alarm));
      for (const id of this.#alarms.keys()) if (!told.has(id)) this.#alarms.delete(id);
    }
    for (const item of items) {
      const before = this.#alarms.get(item.alarm);
      if (before && before.version > item.version) continue;
      if (item.state === "closed") this.#alarms.delete(item.alarm);
      else this.#alarms.set(item.alarm, item);
      if (!before && isUnacknowledged(item)) this.#fresh.push(item);
    }
    for (const id of gone) this.#alarms.delete(id);
    this.#sorted = this.#tally = null;
    this.changes.tell();
  }

  /** Those that came since this was last asked, for whoever announces them. */
  takeFresh(): Alarm[] {
    const fresh = this.#fresh;
    this.#fresh = [];
    return fresh;
  }
}
