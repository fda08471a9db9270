// Every view of the page: its name in the address, the right that it needs, and its code, which is loaded when it is first shown.
import type { ComponentType } from "preact";

export interface View {
  id: ViewId;
  /** None: everybody may read it. */
  right: string | null;
  load: () => Promise<{ default: ComponentType }>;
}

export type ViewId = "alarms" | "journeys";

export const VIEWS: readonly View[] = [
  { id: "alarms", right: null, load: () => import("../alarms/view") },
  { id: "journeys", right: null, load: () => import("../journeys/view") },
];

export const FIRST: ViewId = "alarms";
