// Draws and edits one geometry on the map, by terra-draw: vertices are dragged, added between two others, and taken away with a right click.
import type { Map as MapLibre } from "maplibre-gl";
import { TerraDraw, TerraDrawLineStringMode, TerraDrawPointMode, TerraDrawPolygonMode, TerraDrawSelectMode, type GeoJSONStoreFeatures } from "terra-draw";
import { TerraDrawMapLibreGLAdapter } from "terra-draw-maplibre-gl-adapter";

export type DrawnType = "Point" | "LineString" | "Polygon";

const MODES: Record<DrawnType, string> = { Point: "point", LineString: "linestring", Polygon: "polygon" };
/** Digits of a degree: a decimetre. */
const PRECISION = 6;

const editable = { feature: { draggable: true, coordinates: { draggable: true, midpoints: true, deletable: true } } };

export class Drawing {
  readonly #draw: TerraDraw;

  /** `geometry` null: it is drawn anew. `changed` is told each state of it. */
  constructor(map: MapLibre, type: DrawnType, geometry: GeoJSON.Geometry | null, changed: (geometry: GeoJSON.Geometry) => void) {
    this.#draw = new TerraDraw({
      adapter: new TerraDrawMapLibreGLAdapter({ map, coordinatePrecision: PRECISION }),
      modes: [
        new TerraDrawPointMode(),
        new TerraDrawLineStringMode(),
        new TerraDrawPolygonMode(),
        new TerraDrawSelectMode({ flags: { point: { feature: { draggable: true } }, linestring: editable, polygon: editable } }),
      ],
    });
    this.#draw.start();
    const tell = (): void => {
      const [found] = this.#drawn(type);
      if (found) changed(found.geometry as GeoJSON.Geometry);
    };
    this.#draw.on("finish", (id) => {
      this.#draw.setMode("select");
      this.#draw.selectFeature(id);
      tell();
    });
    this.#draw.on("change", (_ids, kind) => {
      if (kind === "update" && this.#draw.getMode() === "select") tell();
    });
    if (geometry) this.#edit(type, geometry);
    else this.#draw.setMode(MODES[type]);
  }

  stop(): void {
    this.#draw.stop();
  }

  #edit(type: DrawnType, geometry: GeoJSON.Geometry): void {
    const feature = { type: "Feature", properties: { mode: MODES[type] }, geometry } as GeoJSONStoreFeatures;
    const [added] = this.#draw.addFeatures([rounded(feature)]);
    this.#draw.setMode("select");
    if (added?.id !== undefined && added.valid) this.#draw.selectFeature(added.id);
  }

  #drawn(type: DrawnType): GeoJSONStoreFeatures[] {
    return this.#draw.getSnapshot().filter(({ geometry, properties }) => geometry.type === type && properties["mode"] === MODES[type]);
  }
}

/** What it takes: no more digits than it draws. */
function rounded<T>(feature: T): T {
  return JSON.parse(JSON.stringify(feature), (_key, value: unknown) => (typeof value === "number" ? Number(value.toFixed(PRECISION)) : value)) as T;
}
