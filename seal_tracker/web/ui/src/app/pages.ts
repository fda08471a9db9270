// Lists that come by pages: all of one, or read on as somebody asks for more.
import { useEffect, useState } from "preact/hooks";

export interface PageOf<T> {
  items: T[];
  next: string | null;
}

/** Everything that a list has; for lists that are as long as a customs service is large. */
export async function everyPage<T>(read: (after: string | undefined) => Promise<PageOf<T>>): Promise<T[]> {
  const items: T[] = [];
  let after: string | undefined;
  do {
    const page: PageOf<T> = await read(after);
    items.push(...page.items);
    after = page.next ?? undefined;
  } while (after !== undefined);
  return items;
}

export interface Pages<T> {
  items: readonly T[];
  more: (() => void) | null;
  failed: string;
  loading: boolean;
  again: () => void;
}

/** The pages of a list read so far; from its beginning whenever one of `on` is another. */
export function usePages<T>(read: (after: string | undefined) => Promise<PageOf<T>>, on: readonly unknown[]): Pages<T> {
  const [items, setItems] = useState<readonly T[]>([]);
  const [next, setNext] = useState<string | null>(null);
  const [failed, setFailed] = useState("");
  const [loading, setLoading] = useState(true);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let wanted = true;
    setLoading(true);
    read(undefined).then(
      (page) => wanted && (setItems(page.items), setNext(page.next), setFailed(""), setLoading(false)),
      (error: unknown) => wanted && (setFailed(error instanceof Error ? error.message : String(error)), setLoading(false)),
    );
    return () => {
      wanted = false;
    };
  }, [...on, turn]);
  const more = async (after: string): Promise<void> => {
    try {
      const page = await read(after);
      setItems((before) => [...before, ...page.items]);
      setNext(page.next);
    } catch (error) {
      setFailed(error instanceof Error ? error.message : String(error));
    }
  };
  return { items, more: next === null ? null : () => void more(next), failed, loading, again: () => setTurn((n) => n + 1) };
}
