// The log of events beside the list of alarms: what was raised, ended and taken back, newest first.
import type { JSX } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { useRoom } from "../app/context";
import type { MapHandle } from "../map/map_area";
import { EventList } from "../view/list";

export function EventsPanel({ map }: { map: MapHandle }): JSX.Element {
  const room = useRoom();
  const place = useRef<HTMLDivElement>(null);
  const list = useMemo(
    () =>
      new EventList(room.board, room.plan.names, room.reader, {
        event: (event) => map.do((view) => view.showEvent(event)),
        seal: (seal) => map.do((view) => view.showSeal(seal)),
      }),
    [room],
  );
  useEffect(() => {
    const update = (): void => list.update(room.now_ms);
    place.current?.replaceChildren(list.element);
    update();
    return room.ticks.subscribe(update);
  }, [list]);
  return <div class="events" ref={place} />;
}
