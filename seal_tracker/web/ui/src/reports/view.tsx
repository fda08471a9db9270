// Reports: the weekly report of any week and unit, in every format; what it is based on stands in it.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { apiUrl } from "../api/client";
import { useRoom } from "../app/context";

const FORMATS = ["html", "pdf", "xlsx", "csv"] as const;
const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
/** Monday 5 January 1970, midnight in Viet Nam. */
const MONDAY_MS = 4 * DAY_MS - 7 * 3_600_000;
const WEEKS = 26;

export default function ReportsView(): JSX.Element {
  const room = useRoom();
  const { words, format, language } = room.reader;
  const thisWeek = room.now_ms - ((room.now_ms - MONDAY_MS) % WEEK_MS);
  const weeks = Array.from({ length: WEEKS }, (_, i) => Math.round(thisWeek - i * WEEK_MS));
  const [from_ms, setFrom] = useState(weeks[1] ?? thisWeek);
  const [unit, setUnit] = useState(room.session.unit ?? "");
  const query = (kind: string): string => {
    const asked = new URLSearchParams({ from: new Date(from_ms).toISOString(), to: new Date(from_ms + WEEK_MS).toISOString(), format: kind, lang: language, ...(unit && { unit }) });
    return apiUrl(`reports/weekly?${asked}`);
  };
  const day = (ms: number): string => format.moment(new Date(ms).toISOString()).split(" ")[0] ?? "";
  return (
    <section class="sheet report" aria-label={words.views.reports}>
      <form class="report-choice" onSubmit={(event) => event.preventDefault()}>
        <label>
          {words.reports.week}
          <select value={from_ms} onChange={(event) => setFrom(Number(event.currentTarget.value))}>
            {weeks.map((ms) => (
              <option key={ms} value={ms}>
                {day(ms)} – {day(ms + WEEK_MS - DAY_MS)}
              </option>
            ))}
          </select>
        </label>
        <label>
          {words.seal.unit}
          <select value={unit} onChange={(event) => setUnit(event.currentTarget.value)}>
            <option value="">{words.reports.all}</option>
            {[...room.units.keys()].map((id) => (
              <option key={id} value={id}>
                {room.unitName(id)}
              </option>
            ))}
          </select>
        </label>
        {FORMATS.map((kind) => (
          <a key={kind} class="button" href={query(kind)} target={kind === "html" ? "_blank" : undefined} rel="noopener">
            {words.reports.formats[kind]}
          </a>
        ))}
      </form>
      <p class="empty">{words.reports.hint}</p>
    </section>
  );
}
