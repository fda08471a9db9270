// What is known of journeys that some line of the page speaks of: read once each when first asked for, a few at a time.
import { answered, type Schema, type Service } from "../api/service";
import { Changes } from "../app/changes";

export type Journey = Schema["JourneyItem"];

const AT_ONCE = 4;

export class JourneyCards {
  readonly changes = new Changes();
  readonly #known = new Map<string, Journey | null>();
  readonly #waiting: string[] = [];
  #asking = 0;

  constructor(private readonly service: Service) {}

  /** The journey as far as it is known; it is asked for where it is not, and `changes` tells when it is there. */
  of(id: string | null | undefined): Journey | null {
    if (!id) return null;
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    this.#known.set(id, null);
    this.#waiting.push(id);
    void this.#ask();
    return null;
  }

  /** To be asked for anew. */
  forget(id: string): void {
    this.#known.delete(id);
    this.changes.tell();
  }

  async #ask(): Promise<void> {
    const id = this.#asking < AT_ONCE ? this.#waiting.shift() : undefined;
    if (id === undefined) return;
    this.#asking += 1;
    try {
      this.#known.set(id, await answered(this.service.GET("/api/v1/journeys/{id}", { params: { path: { id } } })));
      this.changes.tell();
    } catch {
      this.#known.delete(id); // asked for again when somebody looks again
    }
    this.#asking -= 1;
    await this.#ask();
  }
}
