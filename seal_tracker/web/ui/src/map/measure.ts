// Measures on the map: each click is a further point, the sum stands at the last one; Escape or the button ends it.
import type { GeoJSONSource, Map as MapLibre, MapMouseEvent } from "maplibre-gl";
import type { Reader } from "../view/reader";
import { length_m } from "./excursion";

export class Measure {
  #line: GeoJSON.Position[] = [];
  on = false;

  constructor(
    private readonly map: MapLibre,
    private readonly reader: Reader,
  ) {}

  toggle(): boolean {
    this.on = !this.on;
    this.#line = [];
    this.#draw();
    this.map.getCanvas().style.cursor = this.on ? "crosshair" : "";
    return this.on;
  }

  clicked({ lngLat }: MapMouseEvent): void {
    this.#line.push([lngLat.lng, lngLat.lat]);
    this.#draw();
  }

  #draw(): void {
    const points = this.#line.map((at, i): GeoJSON.Feature => ({ type: "Feature", properties: { text: i ? this.reader.format.length(length_m(this.#line.slice(0, i + 1))) : "" }, geometry: { type: "Point", coordinates: at } }));
    const line: GeoJSON.Feature[] = this.#line.length > 1 ? [{ type: "Feature", properties: {}, geometry: { type: "LineString", coordinates: this.#line } }] : [];
    (this.map.getSource("measure") as GeoJSONSource | undefined)?.setData({ type: "FeatureCollection", features: [...line, ...points] });
  }
}
