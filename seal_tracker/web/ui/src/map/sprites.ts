// The map's symbols, painted here: no image is loaded.
import type { Map as MapLibre } from "maplibre-gl";
import { SEVERITIES } from "../api/types";
import { COURSE_SHAPE, LOCK_SHAPE, PARKED_SHAPE, SEVERITY_SHAPE, ZONE_SHAPE } from "../view/pictograms";
import type { Palette } from "./palette";

/** Symbols are painted for dense screens and shown at a third of that. */
const PIXEL_RATIO = 3;
const GRID_PX = 16;

interface Paint {
  fill: string;
  edge?: string;
  edge_px?: number;
  size_px: number;
}

function paint(draw: (context: CanvasRenderingContext2D) => void, size_px: number): ImageData {
  const side = Math.round(size_px * PIXEL_RATIO);
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("this browser paints no canvas");
  context.scale(side / GRID_PX, side / GRID_PX);
  draw(context);
  return context.getImageData(0, 0, side, side);
}

/** The shape, with an edge around it that stays inside the image. */
function symbol(path: string, { fill, edge, edge_px = 1.6, size_px }: Paint): ImageData {
  return paint((context) => {
    const shrink = edge ? (GRID_PX - edge_px) / GRID_PX : 1;
    context.translate((GRID_PX * (1 - shrink)) / 2, (GRID_PX * (1 - shrink)) / 2);
    context.scale(shrink, shrink);
    const shape = new Path2D(path);
    if (edge) {
      context.lineJoin = "round";
      context.lineWidth = edge_px;
      context.strokeStyle = edge;
      context.stroke(shape);
    }
    context.fillStyle = fill;
    context.fill(shape, "evenodd");
  }, size_px);
}

/** A small plate with a pictogram, for zones too small to be seen as areas. */
function plate(path: string, fill: string, on: string, size_px: number): ImageData {
  return paint((context) => {
    context.fillStyle = on;
    context.beginPath();
    context.roundRect(0, 0, GRID_PX, GRID_PX, 4.5);
    context.fill();
    context.fillStyle = fill;
    context.beginPath();
    context.roundRect(1, 1, GRID_PX - 2, GRID_PX - 2, 3.5);
    context.fill();
    context.translate(2.9, 2.9);
    context.scale(0.64, 0.64);
    context.fillStyle = on;
    context.fill(new Path2D(path), "evenodd");
  }, size_px);
}

function hatch(colour: string): ImageData {
  return paint((context) => {
    context.strokeStyle = colour;
    context.lineWidth = 2;
    for (const offset of [-GRID_PX, 0, GRID_PX]) {
      context.beginPath();
      context.moveTo(offset - 2, GRID_PX + 2);
      context.lineTo(offset + GRID_PX + 2, -2);
      context.stroke();
    }
  }, 8);
}

/** All symbols by name: `seal-*` and `parked-*` by severity, `lock-*`, `badge-*` by severity, `zone-*`, `hatch`. */
export function sprites(palette: Palette): Map<string, ImageData> {
  const images = new Map<string, ImageData>();
  const body = { edge: palette.sealEdge, edge_px: 1.3, size_px: 25 };
  const fills = { ...palette.severity, quiet: palette.sealQuiet, stale: palette.sealStale };
  for (const [name, fill] of Object.entries(fills)) {
    images.set(`seal-${name}`, symbol(COURSE_SHAPE, { ...body, fill }));
    images.set(`parked-${name}`, symbol(PARKED_SHAPE, { ...body, fill }));
  }
  for (const [name, path] of Object.entries(LOCK_SHAPE)) images.set(`lock-${name}`, symbol(path, { fill: palette.onSeal, size_px: 12 }));
  for (const severity of SEVERITIES) {
    images.set(`badge-${severity}`, symbol(SEVERITY_SHAPE[severity], { fill: palette.severity[severity], edge: palette.sealEdge, edge_px: 3, size_px: 13 }));
  }
  for (const [kind, path] of Object.entries(ZONE_SHAPE)) images.set(`zone-${kind}`, plate(path, palette.zone[kind] ?? palette.border, palette.sealEdge, 15));
  images.set("hatch", hatch(palette.zone.prohibited ?? palette.border));
  images.set("islet", symbol(PARKED_SHAPE, { fill: palette.coast, size_px: 5 }));
  return images;
}

export function addSprites(map: MapLibre, palette: Palette): void {
  for (const [name, image] of sprites(palette)) map.addImage(name, image, { pixelRatio: PIXEL_RATIO });
}
