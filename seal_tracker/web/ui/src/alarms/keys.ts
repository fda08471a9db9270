// One key, one deed; not while somebody types, and not with a key that the browser or the system has.
import { useEffect, useRef } from "preact/hooks";

export type Keys = Readonly<Record<string, () => unknown>>;

const isTyping = (target: EventTarget | null): boolean => target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

export function useKeys(keys: Keys): void {
  const newest = useRef(keys);
  newest.current = keys; // as they are drawn: an effect comes later, and a key that was struck meanwhile would do what was true before
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
      if (isTyping(event.target)) {
        if (event.key === "Escape") (event.target as HTMLElement).blur();
        return;
      }
      const deed = newest.current[event.key];
      if (!deed) return;
      event.preventDefault();
      deed();
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, []);
}
