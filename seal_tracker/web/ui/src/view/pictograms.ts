// Path data of every pictogram, on a 16 × 16 grid. The list, the legend and the map draw the same shapes.
import type { Lock, Severity } from "../api/types";

/** Severity by shape: octagon, triangle, square, circle, ring. Colour says it a second time. */
export const SEVERITY_SHAPE: Record<Severity, string> = {
  critical: "M5 1h6l4 4v6l-4 4H5l-4-4V5z",
  high: "M8 1l7.4 13.5H.6z",
  medium: "M2.5 2.5h11v11h-11z",
  low: "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2z",
  info: "M8 3a5 5 0 1 1 0 10A5 5 0 0 1 8 3zm0 2.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6z",
};

export const LOCK_SHAPE: Record<Lock, string> = {
  closed: "M5 7V5.4a3 3 0 0 1 6 0V7h1v6H4V7zm1.5 0h3V5.4a1.5 1.5 0 0 0-3 0z",
  open: "M5 7V4.4a3 3 0 0 1 5.9-.8l-1.5.4a1.5 1.5 0 0 0-2.9.4V7H12v6H4V7z",
  cut: "M4.6 3.2L8 6.6l3.4-3.4 1.4 1.4L9.4 8l3.4 3.4-1.4 1.4L8 9.4l-3.4 3.4-1.4-1.4L6.6 8 3.2 4.6z",
  unknown: "M6.8 11.4h2.4v2.1H6.8zM8 2.6c2.2 0 3.6 1.2 3.6 3 0 2.3-2.4 2.5-2.4 4.6H6.8c0-2.9 2.3-3.1 2.3-4.5 0-.7-.5-1.1-1.2-1.1-.8 0-1.3.5-1.4 1.4H4.2c.1-2.1 1.5-3.4 3.8-3.4z",
};

export const BELL = "M8 1.2a4.3 4.3 0 0 1 4.3 4.3v3.4l1.5 2.4v.9H2.2v-.9l1.5-2.4V5.5A4.3 4.3 0 0 1 8 1.2zM6.3 13h3.4a1.7 1.7 0 0 1-3.4 0z";
export const BELL_OFF = `${BELL}M1.2 2.4l1-1 12.6 12.6-1 1z`;

/** A disc with a nose that points north, to be turned into the course. */
export const COURSE_SHAPE = "M8 .2l3.1 3.6a5.6 5.6 0 1 1-6.2 0z";
export const PARKED_SHAPE = "M8 2.8a5.6 5.6 0 1 1 0 11.2A5.6 5.6 0 0 1 8 2.8z";

/** In order of weight: of a zone's kinds the first of these is the one that is drawn. */
export const ZONE_SHAPE: Record<string, string> = {
  prohibited: "M3 6.6h10v2.8H3z",
  gate: "M2.5 13.5V4h11v9.5h-2.4V6.6H4.9v6.9z",
  port: "M7 5.6a2.2 2.2 0 1 1 2 0v1h2v1.6H9v4a3.6 3.6 0 0 0 2.6-2.6h-1L12.4 7l1.6 2.6h-.9c-.4 2.4-2.4 4-5.1 4s-4.7-1.6-5.1-4H2L3.6 7l1.8 2.6h-1A3.6 3.6 0 0 0 7 12.2v-4H5V6.6h2z",
  checkpoint: "M4 2.5h8.5L10.6 5.4l1.9 2.9H5.6v5.2H4z",
  mine: "M3 4.6c3-2.8 7-2.8 10 0l-1.2 1.2a6 6 0 0 0-2.6-1.3L9 13.5H7l-.2-9a6 6 0 0 0-2.6 1.3z",
  bonded: "M2.2 7L8 2.8 13.8 7v6.4H2.2zM6 8.6v3.2h4V8.6z",
  depot: "M2.2 7L8 2.8 13.8 7v6.4h-2.2V8.6H4.4v4.8H2.2z",
  structure: "M1.5 5.5h13v1.6h-1.2v5.4h-2V9.6a3.3 3.3 0 0 0-6.6 0v2.9h-2V7.1H1.5z",
  approved_stop: "M5 13.5v-11h3.8a3.3 3.3 0 0 1 0 6.6H7.2v4.4zm2.2-6.3h1.4a1.4 1.4 0 0 0 0-2.8H7.2z",
  unlock_allowed: LOCK_SHAPE.open,
  interest: "M8 3.6c3 0 5.2 1.9 6.6 4.4-1.4 2.5-3.6 4.4-6.6 4.4S2.8 10.5 1.4 8C2.8 5.5 5 3.6 8 3.6zm0 2a2.4 2.4 0 1 0 0 4.8 2.4 2.4 0 0 0 0-4.8z",
  jurisdiction: "M3 3h10v10H3zm1.6 1.6v6.8h6.8V4.6z",
};
