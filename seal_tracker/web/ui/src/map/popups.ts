// What a click on the map tells, as elements.
import type { Episode, RouteProperties, SealState, ZoneProperties } from "../api/types";
import { fill, word } from "../i18n";
import { evidenceLine } from "../i18n/evidence";
import type { Names } from "../live/names";
import { h, icon, time } from "../view/dom";
import { SEVERITY_SHAPE } from "../view/pictograms";
import type { Reader } from "../view/reader";
import { kindsOf, widestHalfWidth } from "./plan";

type Row = [label: string, value: string | Node | null];

const given = (value: number | null | undefined): value is number => typeof value === "number";

function card(title: string, rows: Row[], ...more: (Node | null)[]): HTMLElement {
  const list = h("dl", {});
  for (const [label, value] of rows) if (value) list.append(h("dt", {}, label), h("dd", {}, value));
  return h("div", { class: "card" }, h("h2", {}, title), list, ...more);
}

export function sealCard(state: SealState, episodes: readonly Episode[], names: Names, { words, format }: Reader): HTMLElement {
  const open = h("ul", { class: "card-episodes" });
  for (const episode of episodes) {
    const line = evidenceLine(episode.evidence, words, format, names.zone);
    open.append(
      h(
        "li",
        { class: `severity-${episode.severity}` },
        icon(SEVERITY_SHAPE[episode.severity], "shape", 12),
        h("span", {}, h("strong", {}, word(words.event, episode.type)), ` ${episode.object ? names.zone(episode.object) : ""} `, h("small", {}, line)),
      ),
    );
  }
  return card(
    state.seal,
    [
      [words.seal.journey, state.journey],
      [words.seal.route, state.route && names.route(state.route)],
      [words.seal.regime, state.regime ? word(words.regime, state.regime) : null],
      [words.seal.unit, state.unit ?? null],
      [words.seal.time, state.time && time(format.moment(state.time), state.time)],
      [words.seal.speed, given(state.speed_kmh) ? `${format.number(state.speed_kmh)} km/h` : null],
      [words.seal.lock, word(words.lock, state.lock ?? "unknown")],
      [words.seal.battery, given(state.battery_pct) ? `${format.number(state.battery_pct)} %` : null],
      [words.seal.progress, given(state.progress_pct) ? `${format.number(state.progress_pct)} %` : null],
      [words.seal.offRoute, given(state.off_route_m) ? format.length(state.off_route_m) : null],
    ],
    episodes.length ? open : null,
  );
}

export function zoneCard(id: string, zone: ZoneProperties, { words, format }: Reader): HTMLElement {
  return card(zone.name ?? id, [
    [words.zone.kind, kindsOf(zone).map((kind) => word(words.zoneKind, kind)).join(", ")],
    [words.zone.reason, zone.reason ? (words.reason[zone.reason as keyof typeof words.reason] ?? zone.reason) : null],
    [words.zone.maxStop, given(zone.max_stop_min) ? format.duration(zone.max_stop_min * 60) : null],
    [words.zone.speedLimit, given(zone.speed_limit_kmh) ? `${format.number(zone.speed_limit_kmh)} km/h` : null],
  ]);
}

export const routeCard = (id: string, route: RouteProperties, { words, format }: Reader): HTMLElement =>
  card(route.name ?? id, [[words.zone.halfWidth, format.length(widestHalfWidth(route))]]);

/** Lines for seals that share a place, when zooming in does not part them. */
export const crowdCard = (seals: readonly string[], count: number, { words }: Reader): HTMLElement =>
  card(`${words.counts.seals} (${count})`, [], h("p", {}, seals.join(", ")), seals.length < count ? h("p", {}, fill(words.map.more, { count: count - seals.length })) : null);
