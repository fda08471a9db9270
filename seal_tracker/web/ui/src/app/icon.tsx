// A pictogram from path data on a 16 × 16 grid, and a time with UTC on hover.
import type { JSX } from "preact";
import { useRoom } from "./context";

export function Icon({ path, size = 16, name = "shape" }: { path: string; size?: number; name?: string }): JSX.Element {
  return (
    <svg viewBox="0 0 16 16" width={size} height={size} class={name} aria-hidden="true" focusable="false">
      <path d={path} />
    </svg>
  );
}

/** When something was, by the clock of who reads: hour and minute, with the day where it is another than today; UTC on hover. */
export function When({ iso, full = false, name = "" }: { iso: string; full?: boolean; name?: string }): JSX.Element {
  const room = useRoom();
  const { format } = room.reader;
  return (
    <time dateTime={iso} title={iso.replace("T", " ").replace("Z", " UTC")} class={name || undefined}>
      {full ? format.moment(iso) : format.minute(iso, room.now_ms)}
    </time>
  );
}
