// A zone or route as it is edited, and what of it the service is told. Pure.
export type Collection = "zones" | "routes";

export interface Draft {
  id: string;
  geometry: GeoJSON.Geometry | null;
  /** As the plan's file has them; what the form does not know stays as it is. */
  properties: Record<string, unknown>;
}

export interface Feature {
  type: "Feature";
  id: string;
  geometry: GeoJSON.Geometry | null;
  properties: Record<string, unknown>;
}

/** What the form shows of one property: text, and how it is read. */
export type Field = { name: string; kind: "text" | "number" | "numbers" | "kinds" };

export const FIELDS: Record<Collection, readonly Field[]> = {
  zones: [
    { name: "name", kind: "text" },
    { name: "kind", kind: "kinds" },
    { name: "radius_m", kind: "number" },
    { name: "reason", kind: "text" },
    { name: "max_stop_min", kind: "number" },
    { name: "speed_limit_kmh", kind: "number" },
    { name: "unit", kind: "text" },
  ],
  routes: [
    { name: "name", kind: "text" },
    { name: "half_width_m", kind: "numbers" },
    { name: "speed_limit_kmh", kind: "number" },
  ],
};

/** A property as text in the form. */
export function textOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  return Array.isArray(value) ? value.join(", ") : String(value);
}

/** A property from the form's text; undefined where it says nothing. A number that is none stays text, for the service to refuse by name. */
export function valueOf(text: string, { kind }: Field): unknown {
  const said = text.trim();
  if (said === "") return undefined;
  const number = (part: string): unknown => (Number.isFinite(Number(part)) ? Number(part) : part);
  const parts = said.split(",").map((part) => part.trim()).filter(Boolean);
  if (kind === "number") return number(said);
  if (kind === "numbers") return parts.length === 1 ? number(parts[0] ?? "") : parts.map(number);
  if (kind === "kinds") return parts.length === 1 ? parts[0] : parts;
  return said;
}

export function featureOf({ id, geometry, properties }: Draft): Feature {
  const said = Object.entries(properties).filter(([, value]) => value !== undefined);
  return { type: "Feature", id, geometry, properties: Object.fromEntries(said) };
}
