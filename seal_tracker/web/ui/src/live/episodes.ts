// Episodes that are over and that somebody looks at: the board keeps open ones alone, so these are read when they are asked for.
import { answered, type Service } from "../api/service";
import type { Episode } from "../api/types";
import { Changes } from "../app/changes";
import type { Alarm } from "./alarms";
import type { Board } from "./board";

export class EpisodeCards {
  readonly changes = new Changes();
  readonly #read = new Map<string, Episode | null>();

  constructor(
    private readonly service: Service,
    private readonly board: Board,
  ) {}

  /** The newest episode of an alarm as far as it is known. */
  of({ episode }: Alarm): Episode | null {
    return this.board.episodes.get(episode) ?? this.#read.get(episode) ?? null;
  }

  /** Read it where it is not known; `changes` tells when it is there. */
  async ask(alarm: Alarm): Promise<void> {
    if (this.board.episodes.has(alarm.episode) || this.#read.has(alarm.episode)) return;
    this.#read.set(alarm.episode, null);
    const of = alarm.journey ? { journey: alarm.journey } : alarm.seal ? { seal: alarm.seal } : {};
    try {
      const page = (await answered(this.service.GET("/api/v1/episodes", { params: { query: { ...of, type: alarm.type, limit: 1000 } } }))) as { items: Episode[] };
      for (const episode of page.items) this.#read.set(episode.episode, episode);
      this.changes.tell();
    } catch {
      this.#read.delete(alarm.episode); // asked for again when somebody looks again
    }
  }
}
