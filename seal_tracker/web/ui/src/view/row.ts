// One line of the list: an event, or an episode that is open.
import type { CloudEvent, Episode, Evidence, Severity, Transition } from "../api/types";
import { fill, word } from "../i18n";
import { evidenceLine } from "../i18n/evidence";
import type { Names } from "../live/names";
import { h, icon, time } from "./dom";
import { SEVERITY_SHAPE } from "./pictograms";
import type { Reader } from "./reader";

export interface Row {
  element: HTMLElement;
  /** Everything in it that a reader may look for, in lower case. */
  search: string;
  severity: Severity;
}

interface Content {
  type: string;
  severity: Severity;
  transition: Transition | null;
  at: string;
  journey: string | null | undefined;
  seal: string | null | undefined;
  route: string | null | undefined;
  object: string | null | undefined;
  evidence: Evidence;
  duration: string;
  started_at: string;
  flags: string[];
}

function build(content: Content, names: Names, { words, format }: Reader, now_ms: number, chosen: () => void): Row {
  const severity = words.severity[content.severity];
  const title = word(words.event, content.type);
  const evidence = evidenceLine(content.evidence, words, format, names.zone);
  const place = content.object ? names.zone(content.object) : content.route ? names.shortRoute(content.route) : "";
  const where = [content.journey, content.seal].filter(Boolean).join(" · ");
  const since = format.minute(content.started_at, now_ms);
  const earlier = since !== format.minute(content.at, now_ms);
  const details = [place, evidence].filter(Boolean).join(" · ");
  const button = h(
    "button",
    { type: "button", class: `row severity-${content.severity}`, click: chosen },
    icon(SEVERITY_SHAPE[content.severity], "shape", 16),
    h("span", { class: "visually-hidden" }, `${severity}: `),
    h("span", { class: "row-type" }, title),
    content.transition && h("span", { class: `transition transition-${content.transition}` }, words.transition[content.transition]),
    time(format.clock(content.at, now_ms), content.at, "row-time"),
    details && h("span", { class: "row-evidence" }, details),
    h(
      "span",
      { class: "row-where" },
      where,
      earlier && " · ",
      earlier && time(fill(words.since, { time: since }), content.started_at),
      content.duration && ` · ${content.duration}`,
      ...content.flags.map((flag) => h("span", { class: "flag" }, flag)),
    ),
  );
  return {
    element: h("li", {}, button),
    search: [title, severity, where, details, ...content.flags].join(" ").toLowerCase(),
    severity: content.severity,
  };
}

const secondsBetween = (from: string, to: string | number): number => (new Date(to).getTime() - Date.parse(from)) / 1000;

export function eventRow(event: CloudEvent, route: string | null, names: Names, reader: Reader, now_ms: number, chosen: () => void): Row {
  const of = event.data.properties;
  const { flags } = reader.words;
  const end = of.ended_at ?? event.time;
  const over = of.transition === "cleared" && secondsBetween(of.started_at, end) > 0;
  return build(
    {
      type: of.event,
      severity: event.severitytext,
      transition: of.transition,
      at: event.time,
      journey: of.journey,
      seal: of.seal,
      route,
      object: of.object,
      evidence: of.evidence ?? {},
      duration: over ? fill(reader.words.lasted, { age: reader.format.duration(secondsBetween(of.started_at, end)) }) : "",
      started_at: of.started_at,
      flags: [of.inferred ? flags.inferred : "", of.late ? flags.late : "", of.exercise ? flags.exercise : ""].filter(Boolean),
    },
    names,
    reader,
    now_ms,
    chosen,
  );
}

export function episodeRow(episode: Episode, route: string | null, names: Names, reader: Reader, now_ms: number, chosen: () => void): Row {
  const { flags } = reader.words;
  return build(
    {
      ...episode,
      transition: null,
      at: episode.raised_at,
      route,
      duration: fill(reader.words.forDuration, { age: reader.format.duration(secondsBetween(episode.started_at, now_ms)) }),
      flags: [episode.inferred ? flags.inferred : "", episode.latched ? flags.latched : ""].filter(Boolean),
    },
    names,
    reader,
    now_ms,
    chosen,
  );
}
