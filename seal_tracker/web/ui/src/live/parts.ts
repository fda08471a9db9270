// Of many states the service tells a part at a time, so that no message keeps the browser long. Where it matters what is not
// among them, the parts are gathered until the last. No I/O.

export interface StatePart<T> {
  items: T[];
  gone?: string[];
  /** Nothing else is; said by the first part alone. */
  whole: boolean;
  /** Another part follows. */
  more?: boolean;
}

export class Gathered<T> {
  #items: T[] = [];
  #gone: string[] = [];
  #whole = false;

  /** All that the parts told, with the last of them; null before. */
  take({ items, gone = [], whole, more = false }: StatePart<T>): { items: T[]; gone: string[]; whole: boolean } | null {
    this.#items.push(...items);
    this.#gone.push(...gone);
    this.#whole ||= whole;
    if (more) return null;
    const told = { items: this.#items, gone: this.#gone, whole: this.#whole };
    this.#items = [];
    this.#gone = [];
    this.#whole = false;
    return told;
  }
}
