// What is known of the world now: events, open episodes, seals. Fed by snapshots and by the stream, in any overlap:
// an event is taken once, and what the stream brought while a snapshot was on its way is applied after it. No I/O.
import { SEVERITIES, type CloudEvent, type Episode, type SealState, type Severity } from "../api/types";

/** Events kept for the list; older ones are in the API. */
const MAX_EVENTS = 1000;

/** An episode of these is a moment: raised and over. */
const MOMENTS = new Set(["CHECKPOINT_REACHED", "CHECKPOINT_LATE", "CHECKPOINT_MISSED", "UNOBSERVED_GAP", "GATE_MISMATCH"]);

export interface Snapshot {
  events: CloudEvent[];
  episodes: Episode[];
  seals: SealState[];
}

export const rank = (severity: Severity): number => SEVERITIES.indexOf(severity) + 1;

const newestFirst = (a: CloudEvent, b: CloudEvent): number => (a.sequence < b.sequence ? 1 : a.sequence > b.sequence ? -1 : 0);

export class Board {
  readonly seals = new Map<string, SealState>();
  readonly episodes = new Map<string, Episode>();
  #events: CloudEvent[] = [];
  readonly #known = new Set<string>();
  #sinceAsked: CloudEvent[] | null = null;

  /** Newest first. */
  get events(): readonly CloudEvent[] {
    return this.#events;
  }

  /** Call when a snapshot is asked for; `install` ends it. */
  expectSnapshot(): void {
    this.#sinceAsked = [];
  }

  /** Takes the snapshot, then again what the stream brought since it was asked for. */
  install(snapshot: Snapshot): void {
    this.episodes.clear();
    for (const episode of snapshot.episodes) this.episodes.set(episode.episode, episode);
    this.positions(snapshot.seals);
    this.#remember(snapshot.events);
    for (const event of this.#sinceAsked ?? []) this.#follow(event);
    this.#sinceAsked = null;
  }

  /** Takes one event of the stream; false where it was known already. */
  event(event: CloudEvent): boolean {
    if (this.#known.has(event.id)) return false;
    this.#remember([event]);
    this.#sinceAsked?.push(event);
    this.#follow(event);
    return true;
  }

  /** Takes newer states of some seals; older ones than known are not taken. */
  positions(items: readonly SealState[], gone: readonly string[] = []): void {
    for (const item of items) {
      const before = this.seals.get(item.seal);
      if ((before?.time ?? "") <= (item.time ?? "")) this.seals.set(item.seal, item);
    }
    for (const seal of gone) this.seals.delete(seal);
  }

  /** The worst open severity of each seal that has any, as its rank (1 information to 5 critical). */
  worstRanks(): Map<string, number> {
    const ranks = new Map<string, number>();
    for (const { seal, severity } of this.episodes.values()) ranks.set(seal, Math.max(ranks.get(seal) ?? 0, rank(severity)));
    return ranks;
  }

  #remember(events: readonly CloudEvent[]): void {
    const fresh = events.filter(({ id }) => !this.#known.has(id));
    for (const { id } of fresh) this.#known.add(id);
    this.#events = [...fresh, ...this.#events].sort(newestFirst);
    for (const { id } of this.#events.splice(MAX_EVENTS)) this.#known.delete(id);
  }

  #follow(event: CloudEvent): void {
    const of = event.data.properties;
    for (const replaced of of.references ?? []) this.episodes.delete(replaced);
    const over = of.transition === "cleared" || of.transition === "retracted" || of.ended_at || of.cleared_at || MOMENTS.has(of.event);
    if (over) this.episodes.delete(of.episode);
    else this.episodes.set(of.episode, episodeOf(event));
  }
}

function episodeOf({ severitytext, time, data: { properties: of } }: CloudEvent): Episode {
  return {
    episode: of.episode,
    type: of.event,
    severity: severitytext,
    journey: of.journey ?? null,
    seal: of.seal ?? "",
    object: of.object ?? null,
    started_at: of.started_at,
    raised_at: of.raised_at ?? time,
    ended_at: null,
    cleared_at: null,
    inferred: of.inferred ?? false,
    latched: of.latched ?? false,
    evidence: of.evidence ?? {},
  };
}
