// What the map's signs mean; only the kinds of zones that the plan has.
import { SEVERITIES, type Zones } from "../api/types";
import { word } from "../i18n";
import { h, icon } from "../view/dom";
import { LOCK_SHAPE, PARKED_SHAPE, SEVERITY_SHAPE, ZONE_SHAPE } from "../view/pictograms";
import type { Reader } from "../view/reader";
import { mainKind } from "./plan";

const entry = (sign: Node, text: string): HTMLElement => h("li", {}, sign, h("span", {}, text));

export function legend(zones: Zones, { words }: Reader, startOpen: boolean): HTMLElement {
  const kinds = new Set(zones.features.map(({ properties }) => mainKind(properties)));
  const locks = (["closed", "open", "cut", "unknown"] as const).map((lock) => entry(icon(LOCK_SHAPE[lock], "sign"), `${words.seal.lock}: ${words.lock[lock]}`));
  const zoneEntries = Object.keys(ZONE_SHAPE).filter((kind) => kinds.has(kind)).map((kind) => {
    return entry(icon(ZONE_SHAPE[kind] ?? "", `sign zone-${kind}`), word(words.zoneKind, kind));
  });
  return h(
    "details",
    { class: "legend", open: startOpen },
    h("summary", {}, words.map.legend),
    h("h2", {}, words.map.seals),
    h(
      "ul",
      {},
      ...[...SEVERITIES].reverse().map((severity) => entry(icon(SEVERITY_SHAPE[severity], `sign severity-${severity}`), words.severity[severity])),
      entry(icon(PARKED_SHAPE, "sign seal-quiet"), words.map.none),
      entry(icon(PARKED_SHAPE, "sign seal-stale"), words.map.stale),
      entry(h("span", { class: "sign cluster-sign" }, "9"), words.map.cluster),
      ...locks,
    ),
    h("h2", {}, words.map.zones),
    h("ul", {}, entry(h("span", { class: "sign corridor-sign" }), words.map.corridor), ...zoneEntries),
  );
}
