// Something that changes and tells those who look at it. Who subscribes unsubscribes; nothing is said twice for one change.
export class Changes {
  readonly #listeners = new Set<() => void>();
  /** Rises with every change. */
  count = 0;

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  tell(): void {
    this.count += 1;
    for (const listener of this.#listeners) listener();
  }
}
