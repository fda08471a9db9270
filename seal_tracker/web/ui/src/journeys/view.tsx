// Journeys: the list, and one of them in full beside the map.
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { useChanges, useRoom } from "../app/context";
import { MapArea, MapHandle } from "../map/map_area";
import { JourneyList } from "./list";
import { OneJourney } from "./one";

export default function JourneysView(): JSX.Element {
  const room = useRoom();
  useChanges(room.address.changes);
  const map = useMemo(() => new MapHandle(), []);
  const { of } = room.address.place;
  if (!of) return <JourneyList />;
  return (
    <div class="room journey-room">
      <OneJourney key={of} id={of} map={map} />
      <MapArea handle={map} />
    </div>
  );
}
