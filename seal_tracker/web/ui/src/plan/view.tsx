// Zones and routes: listed, drawn, edited, tried on what was driven lately, and saved as a version of the plan.
import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { apiUrl } from "../api/client";
import { useChanges, useRoom } from "../app/context";
import { MapArea, MapHandle } from "../map/map_area";
import { kindsOf } from "../map/plan";
import { word } from "../i18n";
import { FeatureEditor } from "./editor";
import type { Collection } from "./feature";
import { Import } from "./import";
import { Versions } from "./versions";

export default function PlanView(): JSX.Element {
  const room = useRoom();
  useChanges(room.address.changes, room.planChanges);
  const { words } = room.reader;
  const map = useMemo(() => new MapHandle(), []);
  const { of, query } = room.address.place;
  const collection: Collection = query["in"] === "routes" ? "routes" : "zones";
  const [text, setText] = useState("");
  const may = room.may("edit_plans");
  const features = room.plan[collection].features.map((feature) => ({ id: String(feature.id), name: feature.properties.name ?? "", detail: detailOf(feature, words.zoneKind) }));
  const shown = features.filter(({ id, name, detail }) => `${id} ${name} ${detail}`.toLowerCase().includes(text.toLowerCase()));
  const open = (id: string): void => room.address.refine({ of: id });

  useEffect(() => {
    const feature = room.plan[collection].features.find(({ id }) => String(id) === of);
    if (feature) map.do((view) => view.showGeometry(feature.geometry));
  }, [of, collection]);

  return (
    <div class="room">
      <section class="panel" aria-label={words.views.plan}>
        <div class="tabs" role="group" aria-label={words.views.plan}>
          {(["zones", "routes"] as const).map((name) => (
            <button key={name} type="button" aria-pressed={collection === name} onClick={() => room.address.refine({ of: "", query: { in: name } })}>
              {words.plan[name]} ({room.plan[name].features.length})
            </button>
          ))}
        </div>
        {of ? (
          <FeatureEditor key={`${collection} ${of}`} id={of} collection={collection} map={map} close={() => open("")} />
        ) : (
          <>
            <div class="panel-filter" role="search">
              <input type="search" value={text} placeholder={words.plan.find} aria-label={words.plan.find} onInput={(event) => setText(event.currentTarget.value)} />
            </div>
            <div class="deeds plan-deeds">
              {may && collection === "zones" && <button type="button" onClick={() => open("+Polygon")}>{words.plan.newArea}</button>}
              {may && collection === "zones" && <button type="button" onClick={() => open("+Point")}>{words.plan.newCircle}</button>}
              {may && collection === "routes" && <button type="button" onClick={() => open("+LineString")}>{words.plan.newRoute}</button>}
              <a class="link" href={apiUrl(collection)} download={`${collection}.geojson`}>{words.plan.export}</a>
              {may && <Import collection={collection} />}
            </div>
            <ol class="rows">
              {shown.map(({ id, name, detail }) => (
                <li key={id}>
                  <button type="button" class="row plan-row" onClick={() => open(id)}>
                    <span class="row-type">{name || id}</span> <span class="row-where">{detail} · {id}</span>
                  </button>
                </li>
              ))}
            </ol>
            {shown.length === 0 && <p class="empty">{words.noMatch}</p>}
            <Versions />
          </>
        )}
      </section>
      <MapArea handle={map} />
    </div>
  );
}

function detailOf({ properties }: { properties: { kind?: string | string[]; half_width_m?: number | number[] } }, kinds: Record<string, string>): string {
  if (properties.kind !== undefined) return kindsOf({ kind: properties.kind }).map((kind) => word(kinds, kind)).join(", ");
  return properties.half_width_m === undefined ? "" : `± ${[properties.half_width_m].flat().slice(0, 3).join(", ")} m`;
}
