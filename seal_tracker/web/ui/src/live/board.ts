// What is known of the world now: events, open episodes, seals. Fed by snapshots and by the stream, in any overlap:
// an event is taken once, and what the stream brought while a snapshot was on its way is applied after it. With tens of thousands of
// seals each second's work must follow from what has changed, so the board counts as it goes and says which seals are to be looked at. No I/O.
import { SEVERITIES, type CloudEvent, type Episode, type SealState, type Severity } from "../api/types";

/** Events kept for the list; older ones are in the API. */
const MAX_EVENTS = 1000;

/** An episode of these is a moment: raised and over. */
const MOMENTS = new Set(["CHECKPOINT_REACHED", "CHECKPOINT_LATE", "CHECKPOINT_MISSED", "UNOBSERVED_GAP", "GATE_MISMATCH"]);

export interface Snapshot {
  events: CloudEvent[];
  episodes: Episode[];
  /** All that there are; their states are told by `positions`, a page at a time. */
  seals: readonly string[];
}

export const rank = (severity: Severity): number => SEVERITIES.indexOf(severity) + 1;

const newestFirst = (a: CloudEvent, b: CloudEvent): number => (a.sequence < b.sequence ? 1 : a.sequence > b.sequence ? -1 : 0);

export class Board {
  readonly seals = new Map<string, SealState>();
  readonly episodes = new Map<string, Episode>();
  #events: CloudEvent[] = [];
  readonly #known = new Set<string>();
  readonly #bySeal = new Map<string, Set<string>>();
  readonly #heard_ms = new Map<string, number>();
  readonly #journeys = new Map<string, number>();
  readonly #followers = new Set<Set<string>>();
  #sinceAsked: CloudEvent[] | null = null;
  /** Seals told of since a snapshot was asked for: it cannot say that they are gone. */
  #toldSince = new Set<string>();

  /** Newest first. */
  get events(): readonly CloudEvent[] {
    return this.#events;
  }

  /** Call when a snapshot is asked for; `install` ends it. */
  expectSnapshot(): void {
    this.#sinceAsked = [];
    this.#toldSince = new Set();
  }

  /** Takes the snapshot, then again what the stream brought since it was asked for. A seal that neither knows is gone. */
  install(snapshot: Snapshot): void {
    this.#installEpisodes(snapshot.episodes);
    this.#keepSeals(snapshot.seals);
    this.#remember(snapshot.events);
    for (const event of this.#sinceAsked ?? []) this.#follow(event);
    this.#sinceAsked = null;
  }

  /** A set that from now on gets every seal that must be looked at again: it moved, is gone, or has other episodes. The follower empties it. */
  follow(): Set<string> {
    const changed = new Set(this.seals.keys());
    this.#followers.add(changed);
    return changed;
  }

  unfollow(changed: Set<string>): void {
    this.#followers.delete(changed);
  }

  /** When each seal was where it is said to be, as ms since 1970; 0 where that is not known. */
  get heard_ms(): ReadonlyMap<string, number> {
    return this.#heard_ms;
  }

  /** How many seals spoke after that moment. */
  spokeAfter(ms: number): number {
    let count = 0;
    for (const heard_ms of this.#heard_ms.values()) if (heard_ms > ms) count += 1;
    return count;
  }

  /** How many journeys the seals are on. */
  get journeys(): number {
    return this.#journeys.size;
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
      this.#toldSince.add(item.seal);
      if ((before?.time ?? "") > (item.time ?? "")) continue;
      this.#countJourney(before?.journey, -1);
      this.#countJourney(item.journey, 1);
      this.seals.set(item.seal, item);
      this.#heard_ms.set(item.seal, item.time === null ? 0 : Date.parse(item.time));
      this.#touch(item.seal);
    }
    for (const seal of gone) this.#forget(seal);
  }

  /** The worst open severity of a seal as its rank (1 information to 5 critical); 0 where nothing is open. */
  rankOf(seal: string): number {
    return this.episodesOf(seal).reduce((worst, { severity }) => Math.max(worst, rank(severity)), 0);
  }

  episodesOf(seal: string): Episode[] {
    const found: Episode[] = [];
    for (const id of this.#bySeal.get(seal) ?? []) {
      const episode = this.episodes.get(id);
      if (episode) found.push(episode);
    }
    return found;
  }

  #touch(seal: string): void {
    for (const changed of this.#followers) changed.add(seal);
  }

  #forget(seal: string): void {
    this.#countJourney(this.seals.get(seal)?.journey, -1);
    this.seals.delete(seal);
    this.#heard_ms.delete(seal);
    this.#touch(seal);
  }

  #countJourney(journey: string | null | undefined, by: number): void {
    if (!journey) return;
    const count = (this.#journeys.get(journey) ?? 0) + by;
    if (count > 0) this.#journeys.set(journey, count);
    else this.#journeys.delete(journey);
  }

  #installEpisodes(episodes: readonly Episode[]): void {
    const open = new Set(episodes.map(({ episode }) => episode));
    for (const id of this.episodes.keys()) if (!open.has(id)) this.#close(id);
    for (const episode of episodes) this.#open(episode);
  }

  #keepSeals(seals: readonly string[]): void {
    const there = new Set(seals);
    for (const seal of this.seals.keys()) if (!there.has(seal) && !this.#toldSince.has(seal)) this.#forget(seal);
  }

  #open(episode: Episode): void {
    const before = this.episodes.get(episode.episode);
    this.episodes.set(episode.episode, episode);
    const of = this.#bySeal.get(episode.seal) ?? new Set();
    this.#bySeal.set(episode.seal, of.add(episode.episode));
    if (before?.severity !== episode.severity) this.#touch(episode.seal);
  }

  #close(id: string): void {
    const episode = this.episodes.get(id);
    if (!episode) return;
    this.episodes.delete(id);
    const of = this.#bySeal.get(episode.seal);
    of?.delete(id);
    if (of?.size === 0) this.#bySeal.delete(episode.seal);
    this.#touch(episode.seal);
  }

  #remember(events: readonly CloudEvent[]): void {
    const fresh = events.filter(({ id }) => !this.#known.has(id));
    for (const { id } of fresh) this.#known.add(id);
    const newest = this.#events[0];
    const [only] = fresh;
    if (fresh.length === 1 && only && newest && newestFirst(only, newest) < 0) this.#events.unshift(only);
    else this.#events = [...fresh, ...this.#events].sort(newestFirst);
    for (const { id } of this.#events.splice(MAX_EVENTS)) this.#known.delete(id);
  }

  #follow(event: CloudEvent): void {
    const of = event.data.properties;
    for (const replaced of of.references ?? []) this.#close(replaced);
    const over = of.transition === "cleared" || of.transition === "retracted" || of.ended_at || of.cleared_at || MOMENTS.has(of.event);
    if (over) this.#close(of.episode);
    else this.#open(episodeOf(event));
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
