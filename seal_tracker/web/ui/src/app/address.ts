// Where the reader is: the part of the address after "#", such as "#/alarms/3f…?severity=high". Filters live there, so that an
// address can be kept and sent to somebody else. Pure, but for `Address`, which follows the browser.
import { Changes } from "./changes";

export interface Place {
  view: string;
  /** What is looked at within the view; "" where nothing is. */
  of: string;
  query: Readonly<Record<string, string>>;
}

/** The place that an address names; one that names no view is that of `first`. */
export function placeIn(hash: string, first = ""): Place {
  const [path = "", search = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [view = "", ...rest] = path.split("/").map(decoded);
  return { view: view || first, of: rest.join("/"), query: Object.fromEntries(new URLSearchParams(search)) };
}

export function hashOf({ view, of = "", query = {} }: Partial<Place> & { view: string }): string {
  const given = Object.entries(query).filter(([, value]) => value !== "");
  const search = given.length ? `?${new URLSearchParams(given)}` : "";
  return `#/${encodeURIComponent(view)}${of ? `/${encodeURIComponent(of)}` : ""}${search}`;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // typed by hand; it names nothing
  }
}

export class Address {
  readonly changes = new Changes();
  place: Place;

  constructor(private readonly first: string) {
    this.place = placeIn(location.hash, first);
    window.addEventListener("hashchange", this.#moved);
  }

  stop(): void {
    window.removeEventListener("hashchange", this.#moved);
  }

  /** Go there, as a step that the browser's back takes back. */
  go(place: Partial<Place> & { view: string }): void {
    location.hash = hashOf(place);
  }

  /** Say something of the place otherwise, without a step of its own: what one types is no place to go back to. */
  refine(change: { of?: string; query?: Record<string, string> }): void {
    const place = { ...this.place, ...change, query: { ...this.place.query, ...change.query } };
    history.replaceState(null, "", hashOf(place));
    this.#moved();
  }

  readonly #moved = (): void => {
    this.place = placeIn(location.hash, this.first);
    this.changes.tell();
  };
}
