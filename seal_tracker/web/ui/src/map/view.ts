// The map: composes its layers, keeps the seals' source current, answers clicks. Loaded after sign-in, on its own.
import { GeoJSONSource, LngLatBounds, Map as MapLibre, NavigationControl, Popup, ScaleControl, setWorkerUrl, type MapGeoJSONFeature, type SourceSpecification, type StyleSpecification } from "maplibre-gl";
import type { CloudEvent, Config, Evidence, Routes, Zones } from "../api/types";
import type { Alarm } from "../live/alarms";
import type { Board } from "../live/board";
import type { Names } from "../live/names";
import type { Reader } from "../view/reader";
import { FONT_BOLD, ground, places } from "./basemap";
import type { DrawnType } from "./drawing";
import { excursionOf } from "./excursion";
import { boundsOf, positionsOf } from "./geometry";
import { Measure } from "./measure";
import { palette, type Palette } from "./palette";
import { planParts } from "./plan";
import { crowdCard, routeCard, sealCard, zoneCard } from "./popups";
import { SealLayer, sealLayers, sealSource } from "./seals";
import { addSprites } from "./sprites";

declare const MAP_WORKER: string;

const CLOSE_ZOOM = 13;
/** Farther out, names run into each other. */
const FARTHEST_ZOOM = 2;
const CROWD_SHOWN = 40;
const CLICKABLE = ["seal-badge", "seal", "seal-cluster", "zone-mark", "zone", "corridor", "corridor-edge"];

export interface MapInput {
  config: Config;
  zones: Zones;
  routes: Routes;
  names: Names;
  board: Board;
  reader: Reader;
}

export interface Camera {
  center: [number, number];
  zoom: number;
}

function styleOf({ config, zones, routes, reader }: MapInput, colours: Palette): StyleSpecification {
  const below = ground(config, colours);
  const plan = planParts(zones, routes, colours, config.tile_url !== null);
  const names = places(config, reader.language, colours);
  const nothing: SourceSpecification = { type: "geojson", data: { type: "FeatureCollection", features: [] } };
  const highlight = { "line-color": colours.highlight, "line-width": 4, "line-opacity": 0.85 };
  return {
    version: 8,
    sources: { ...below.sources, ...plan.sources, ...names.sources, seals: sealSource, focus: nothing, track: nothing, moment: nothing, measure: nothing },
    layers: [
      ...below.layers,
      ...plan.areas,
      ...names.minor,
      ...plan.names,
      ...names.major,
      { id: "focus-area", type: "fill", source: "focus", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": colours.highlight, "fill-opacity": 0.12 } },
      { id: "focus-line", type: "line", source: "focus", layout: { "line-cap": "round" }, paint: highlight },
      { id: "track", type: "line", source: "track", layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": colours.track, "line-width": 3 } },
      ...sealLayers(colours),
      { id: "moment", type: "circle", source: "moment", paint: { "circle-radius": 9, "circle-color": colours.highlight, "circle-stroke-color": colours.sealEdge, "circle-stroke-width": 2 } },
      { id: "measure", type: "line", source: "measure", paint: { "line-color": colours.place, "line-width": 2, "line-dasharray": [2, 1] } },
      {
        id: "measure-sum",
        type: "symbol",
        source: "measure",
        filter: ["==", ["geometry-type"], "Point"],
        layout: { "text-field": ["get", "text"], "text-font": FONT_BOLD, "text-size": 13, "text-anchor": "bottom", "text-offset": [0, -0.5], "text-allow-overlap": true },
        paint: { "text-color": colours.place, "text-halo-color": colours.placeHalo, "text-halo-width": 2 },
      },
      {
        id: "focus-point",
        type: "circle",
        source: "focus",
        filter: ["==", ["geometry-type"], "Point"],
        paint: { "circle-radius": 18, "circle-color": "transparent", "circle-stroke-color": colours.highlight, "circle-stroke-width": 3 },
      },
    ],
  };
}

export class MapView {
  readonly #map: MapLibre;
  readonly #seals: SealLayer;
  readonly #popup: Popup;
  readonly #measure: Measure;
  #followed: string | null = null;
  /** While there is one, clicks draw, and open nothing. */
  #drawing: { stop(): void } | null = null;
  #ready = false;
  #tracked = false;
  /** Somebody has asked for a place before the map was there. */
  #moved = false;
  #last: { connected: boolean; now_ms: number } | null = null;

  constructor(
    container: HTMLElement,
    private readonly input: MapInput,
    dark: boolean,
    camera: Camera | null,
  ) {
    setWorkerUrl(new URL(MAP_WORKER, document.baseURI).href);
    const { config, reader } = input;
    this.#seals = new SealLayer(input.board);
    const colours = palette(dark);
    this.#map = new MapLibre({
      container,
      style: styleOf(input, colours),
      center: camera?.center ?? config.centre ?? [0, 0],
      zoom: camera?.zoom ?? config.zoom ?? 1,
      fadeDuration: 0, // a seal that has moved is a new symbol to MapLibre and would fade in every second
      minZoom: FARTHEST_ZOOM,
      renderWorldCopies: false,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      locale: {
        "NavigationControl.ZoomIn": reader.words.map.zoomIn,
        "NavigationControl.ZoomOut": reader.words.map.zoomOut,
        "Popup.Close": reader.words.map.close,
        "Map.Title": reader.words.map.region,
      },
    });
    this.#map.touchZoomRotate.disableRotation();
    this.#popup = new Popup({ maxWidth: "320px", closeButton: true, focusAfterOpen: false });
    addSprites(this.#map, colours);
    this.#map.addControl(new NavigationControl({ showCompass: false }), "top-right");
    this.#map.addControl(new ScaleControl({ unit: "metric" }), "bottom-right");
    this.#map.on("load", () => {
      this.#ready = true;
      if (this.#last) this.refresh(this.#last.connected, this.#last.now_ms);
      if (!camera && !this.#moved) this.#start();
    });
    this.#measure = new Measure(this.#map, reader);
    this.#map.on("click", (event) => (this.#measure.on ? this.#measure.clicked(event) : this.#drawing || void this.#clicked(event.point, event.lngLat)));
    this.#map.on("dragstart", () => this.follow(null));
    this.#map.on("mousemove", ({ point }) => {
      if (!this.#measure.on) this.#map.getCanvas().style.cursor = this.#hit(point) ? "pointer" : "";
    });
  }

  get camera(): Camera {
    const { lng, lat } = this.#map.getCenter();
    return { center: [lng, lat], zoom: this.#map.getZoom() };
  }

  remove(): void {
    this.#drawing?.stop();
    this.#drawing = null;
    this.#seals.stop();
    this.#map.remove();
  }

  /** Draws what the board knows; `connected` false greys every seal, since none is known to be where it was. */
  refresh(connected: boolean, now_ms: number): void {
    this.#last = { connected, now_ms };
    if (!this.#ready) return;
    const { board } = this.input;
    this.#seals.update(this.#source("seals"), connected, now_ms);
    const at = this.#followed ? board.seals.get(this.#followed) : undefined;
    if (at && at.lon !== null && at.lat !== null) this.#map.easeTo({ center: [at.lon, at.lat], duration: 500 });
  }

  /** Keeps a seal in the middle until the map is dragged; null: no more. */
  follow(seal: string | null): void {
    this.#followed = seal;
    if (seal) this.#map.setZoom(Math.max(CLOSE_ZOOM - 2, this.#map.getZoom()));
    if (this.#last) this.refresh(this.#last.connected, this.#last.now_ms);
  }

  /** Begin or end measuring; whether it is on now. */
  measure(): boolean {
    return this.#measure.toggle();
  }

  /** Shows the whole plan. */
  fit(animate = true): void {
    const box = boundsOf(this.input.routes.features.flatMap(({ geometry }) => geometry.coordinates));
    if (box) this.#map.fitBounds(box, { padding: 48, maxZoom: CLOSE_ZOOM, animate });
  }

  /** Goes to where an event happened and marks it. */
  showEvent(event: CloudEvent): void {
    if (!this.#focus(event.data.geometry) && event.data.properties.seal) this.showSeal(event.data.properties.seal);
  }

  /** Marks geometries and goes there; false where there are none. */
  #focus(...geometries: (GeoJSON.Geometry | null)[]): boolean {
    this.#popup.remove();
    const features = geometries.flatMap((geometry): GeoJSON.Feature[] => (geometry ? [{ type: "Feature", properties: {}, geometry }] : []));
    this.#whenReady(() => this.#source("focus").setData({ type: "FeatureCollection", features }));
    const box = boundsOf(geometries.flatMap(positionsOf));
    if (box) this.#goTo(box, 90);
    return box !== null;
  }

  /** Draws a track and goes there; an empty one takes it away. */
  showTrack(line: GeoJSON.Position[]): void {
    const geometry: GeoJSON.Geometry = { type: "LineString", coordinates: line };
    this.#whenReady(() => this.#source("track").setData({ type: "FeatureCollection", features: line.length ? [{ type: "Feature", properties: {}, geometry }] : [] }));
    const box = boundsOf(line);
    if (box && !this.#tracked) this.#goTo(box, 60);
    this.#tracked = line.length > 0;
  }

  /** Marks where a track is at the moment that is looked at. */
  showMoment(at: GeoJSON.Position, course_deg: number | null): void {
    const feature: GeoJSON.Feature = { type: "Feature", properties: { course_deg: course_deg ?? -1 }, geometry: { type: "Point", coordinates: at } };
    this.#whenReady(() => this.#source("moment").setData(feature));
  }

  /** Goes to a geometry and leaves it unmarked. */
  showGeometry(geometry: GeoJSON.Geometry): void {
    const box = boundsOf(positionsOf(geometry));
    if (box) this.#goTo(box, 90);
  }

  /** Lets one geometry be drawn (null: anew) or edited; gives what ends that. The code for it is loaded when it is first asked for. */
  async draw(type: DrawnType, geometry: GeoJSON.Geometry | null, changed: (geometry: GeoJSON.Geometry) => void): Promise<() => void> {
    const { Drawing } = await import("./drawing");
    if (!this.#ready) await this.#map.once("load");
    this.#drawing?.stop();
    const drawing = new Drawing(this.#map, type, geometry, changed);
    this.#drawing = drawing;
    return () => {
      if (this.#drawing !== drawing) return;
      this.#drawing = null;
      drawing.stop();
    };
  }

  #goTo(box: [number, number, number, number], padding: number): void {
    this.#moved = true;
    this.#map.fitBounds(new LngLatBounds(box), { padding, maxZoom: CLOSE_ZOOM });
  }

  #whenReady(what: () => void): void {
    if (this.#ready) what();
    else this.#map.once("load", what);
  }

  /** Goes to what its episode's evidence shows, else to the stretch of its newest known event, else to where it was raised. */
  showAlarm(alarm: Alarm, evidence: Evidence): void {
    const shown = excursionOf(evidence);
    const event = this.input.board.events.find(({ data }) => data.properties.episode === alarm.episode);
    const point = alarm.place && { type: "Point" as const, coordinates: alarm.place };
    if (shown.length) this.#focus(...shown);
    else if (event) this.showEvent(event);
    else if (point) this.#focus(point);
    else if (alarm.seal) this.showSeal(alarm.seal);
  }

  /** Goes to where a seal is now and tells about it. */
  showSeal(seal: string): void {
    const state = this.input.board.seals.get(seal);
    if (!state || state.lon === null || state.lat === null) return;
    this.#moved = true;
    this.#map.flyTo({ center: [state.lon, state.lat], zoom: Math.max(CLOSE_ZOOM, this.#map.getZoom()) });
    this.#openSeal(seal, [state.lon, state.lat]);
  }

  #start(): void {
    const box = this.input.config.basemap?.start_bounds;
    if (box) this.#map.fitBounds(box, { padding: 12, animate: false });
    else this.fit(false);
  }

  #source(id: string): GeoJSONSource {
    return this.#map.getSource(id) as GeoJSONSource;
  }

  #hit(point: { x: number; y: number }): MapGeoJSONFeature | undefined {
    if (!this.#ready) return undefined;
    const found = this.#map.queryRenderedFeatures([point.x, point.y], { layers: CLICKABLE });
    const layer = CLICKABLE.find((id) => found.some((feature) => feature.layer.id === id));
    return found.find((feature) => feature.layer.id === layer);
  }

  async #clicked(point: { x: number; y: number }, at: { lng: number; lat: number }): Promise<void> {
    const feature = this.#hit(point);
    if (!feature) return;
    const { zones, routes, reader } = this.input;
    const id = String(feature.properties.id);
    if (feature.layer.id === "seal-cluster") await this.#openCluster(feature);
    else if (feature.layer.id.startsWith("seal")) this.#openSeal(String(feature.properties.seal), (feature.geometry as GeoJSON.Point).coordinates as [number, number]);
    else if (feature.layer.id.startsWith("zone")) {
      const zone = zones.features.find((candidate) => String(candidate.id) === id);
      if (zone) this.#open(zoneCard(id, zone.properties, reader), [at.lng, at.lat]);
    } else {
      const route = routes.features.find((candidate) => String(candidate.id) === id);
      if (route) this.#open(routeCard(id, route.properties, reader), [at.lng, at.lat]);
    }
  }

  async #openCluster(feature: MapGeoJSONFeature): Promise<void> {
    const source = this.#source("seals");
    const cluster = Number(feature.properties.cluster_id);
    const center = (feature.geometry as GeoJSON.Point).coordinates as [number, number];
    const zoom = await source.getClusterExpansionZoom(cluster);
    const leaves = await source.getClusterLeaves(cluster, CROWD_SHOWN, 0);
    this.#map.easeTo({ center, zoom: Math.min(zoom, CLOSE_ZOOM) });
    this.#open(crowdCard(leaves.map(({ properties }) => String(properties?.seal)), Number(feature.properties.point_count), this.input.reader), center);
  }

  #openSeal(seal: string, at: [number, number]): void {
    const { board, names, reader } = this.input;
    const state = board.seals.get(seal);
    const episodes = board.episodesOf(seal);
    if (state) this.#open(sealCard(state, episodes, names, reader), at);
  }

  #open(content: HTMLElement, at: [number, number]): void {
    this.#popup.setLngLat(at).setDOMContent(content).addTo(this.#map);
  }
}
