// Every view of the page: its name in the address, the right that it needs, and its code, which is loaded when it is first shown.
import type { ComponentType } from "preact";

export interface View {
  id: ViewId;
  /** None: everybody may read it. */
  right: string | null;
  /** Without the bar on top: it has its own. */
  bare?: boolean;
  load: () => Promise<{ default: ComponentType }>;
}

export type ViewId = "alarms" | "journeys" | "equipment" | "duty" | "tasks" | "reports" | "plan" | "situations" | "seals" | "inspections" | "wall";

export const VIEWS: readonly View[] = [
  { id: "alarms", right: null, load: () => import("../alarms/view") },
  { id: "journeys", right: null, load: () => import("../journeys/view") },
  { id: "equipment", right: null, load: () => import("../equipment/view") },
  { id: "duty", right: null, load: () => import("../duty/view") },
  { id: "tasks", right: null, load: () => import("../tasks/view") },
  { id: "situations", right: null, load: () => import("../situations/view") },
  { id: "inspections", right: "see_inspections", load: () => import("../inspections/view") },
  { id: "seals", right: null, load: () => import("../seals/view") },
  { id: "reports", right: null, load: () => import("../reports/view") },
  { id: "plan", right: null, load: () => import("../plan/view") },
  { id: "wall", right: null, bare: true, load: () => import("../wall/view") },
];

export const FIRST: ViewId = "alarms";
