// The map's colours, by day and by night. Those of the page are in styles/page.css; severities are the same in both.
import type { Severity } from "../api/types";

export interface Palette {
  sea: string;
  land: string;
  coast: string;
  border: string;
  place: string;
  placeHalo: string;
  seaName: string;
  corridor: string;
  corridorEdge: string;
  corridorLine: string;
  routeName: string;
  sealQuiet: string;
  sealStale: string;
  sealEdge: string;
  onSeal: string;
  highlight: string;
  track: string;
  severity: Record<Severity, string>;
  zone: Record<string, string>;
}

const LIGHT: Palette = {
  sea: "#cfdde4",
  land: "#f4f3ef",
  coast: "#a9bac3",
  border: "#94899c",
  place: "#3c464d",
  placeHalo: "#f7f6f2",
  seaName: "#4a6b7d",
  corridor: "#dbe7f0",
  corridorEdge: "#7e9fb8",
  corridorLine: "#3f7396",
  routeName: "#24536f",
  sealQuiet: "#17607d",
  sealStale: "#8c9499",
  sealEdge: "#ffffff",
  onSeal: "#ffffff",
  highlight: "#b0129c",
  track: "#7a1fa2",
  severity: { critical: "#c8102e", high: "#c2500a", medium: "#9a7400", low: "#2b66b1", info: "#5d6b75" },
  zone: {
    prohibited: "#c8102e",
    checkpoint: "#2b66b1",
    gate: "#6a3fa0",
    approved_stop: "#1c7a43",
    unlock_allowed: "#1c7a43",
    port: "#0f7077",
    depot: "#6f5a3c",
    bonded: "#6f5a3c",
    mine: "#6f5a3c",
    interest: "#a0620a",
    structure: "#5d6b75",
    jurisdiction: "#5d6b75",
  },
};

const DARK: Palette = {
  sea: "#0d1a22",
  land: "#1b242a",
  coast: "#3f5663",
  border: "#6d6577",
  place: "#b9c4ca",
  placeHalo: "#141c21",
  seaName: "#6f93a6",
  corridor: "#22343f",
  corridorEdge: "#44708a",
  corridorLine: "#5f9dc0",
  routeName: "#9ccbe4",
  sealQuiet: "#4fb3d4",
  sealStale: "#7b858b",
  sealEdge: "#0c1216",
  onSeal: "#0c1216",
  highlight: "#ff7ae9",
  track: "#d59bff",
  severity: { critical: "#ff6272", high: "#ff9440", medium: "#e8c33c", low: "#78aef0", info: "#a3b1ba" },
  zone: {
    prohibited: "#ff6272",
    checkpoint: "#78aef0",
    gate: "#b795ea",
    approved_stop: "#5fc98b",
    unlock_allowed: "#5fc98b",
    port: "#4fc4cc",
    depot: "#c9ad80",
    bonded: "#c9ad80",
    mine: "#c9ad80",
    interest: "#e6a850",
    structure: "#a3b1ba",
    jurisdiction: "#a3b1ba",
  },
};

export const palette = (dark: boolean): Palette => (dark ? DARK : LIGHT);
