// How components reach the room, and how they follow what changes in it.
import { createContext } from "preact";
import { useContext, useEffect, useRef, useState } from "preact/hooks";
import type { Changes } from "./changes";
import type { Room } from "./room";

export const RoomContext = createContext<Room | null>(null);

export function useRoom(): Room {
  const room = useContext(RoomContext);
  if (!room) throw new Error("a component stands outside the room");
  return room;
}

const told = (all: readonly Changes[]): number => all.reduce((sum, { count }) => sum + count, 0);

/** Draws the component anew with every change. */
export function useChanges(...all: readonly Changes[]): void {
  const [, set] = useState(0);
  const drawn = told(all);
  useEffect(() => {
    const again = (): void => set((n) => n + 1);
    const ends = all.map((changes) => changes.subscribe(again));
    if (told(all) !== drawn) again(); // between being drawn and following: what came then would not be shown before the next change
    return () => ends.forEach((end) => end());
  }, all);
}

/** What `pick` finds, looked up again with every change; the component is drawn anew where that is another. */
export function usePicked<T extends string | number | boolean | null>(changes: Changes, pick: () => T): T {
  const found = pick();
  const [, again] = useState(0);
  const shown = useRef({ pick, found });
  shown.current = { pick, found };
  useEffect(() => {
    const look = (): void => void (shown.current.pick() !== shown.current.found && again((n) => n + 1));
    look();
    return changes.subscribe(look);
  }, [changes]);
  return found;
}

export type Loaded<T> = { state: "loading"; value: T | null } | { state: "there"; value: T } | { state: "failed"; value: T | null; error: Error };

/** What `load` gives, read anew whenever one of `on` is another; while that is on its way the value before stays. Call `again` to read it once more. */
export function useLoaded<T>(load: () => Promise<T>, on: readonly unknown[]): Loaded<T> & { again: () => void } {
  const [found, set] = useState<Loaded<T>>({ state: "loading", value: null });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let wanted = true;
    set((before) => ({ state: "loading", value: before.value }));
    load().then(
      (value) => wanted && set({ state: "there", value }),
      (error: unknown) => wanted && set((before) => ({ state: "failed", value: before.value, error: error instanceof Error ? error : new Error(String(error)) })),
    );
    return () => {
      wanted = false;
    };
  }, [...on, turn]);
  return { ...found, again: () => setTurn((n) => n + 1) };
}
