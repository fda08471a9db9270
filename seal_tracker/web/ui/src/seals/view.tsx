// Seals as assets: how many each unit has and where they are, which are past their return, and what a seal went through.
import type { JSX } from "preact";
import { answered, type Schema } from "../api/service";
import { hashOf } from "../app/address";
import { useChanges, useLoaded, useRoom } from "../app/context";
import { When } from "../app/icon";
import { Lines } from "../app/lines";
import { usePages } from "../app/pages";

const STATES = ["in_store", "issued", "on_journey", "taken_off", "in_transit", "in_repair", "in_calibration", "lost"] as const;
type State = (typeof STATES)[number];

export default function SealsView(): JSX.Element {
  const room = useRoom();
  useChanges(room.address.changes);
  const { words, format } = room.reader;
  const { query } = room.address.place;
  const stock = useLoaded(() => answered(room.service.GET("/api/v1/seal-stock")) as Promise<Schema["StockAnswer"]>, []);
  const state = STATES.find((one) => one === query["state"]);
  const pages = usePages<Schema["AssetLine"]>(
    (after) => answered(room.service.GET("/api/v1/seal-assets", { params: { query: { limit: 100, ...(state && { state }), ...(query["unit"] && { unit: query["unit"] }), ...(query["overdue"] && { overdue: true }), ...(after && { after }) } } })) as Promise<Schema["Page_AssetLine_"]>,
    [state, query["unit"], query["overdue"]],
  );
  const count = (unit: string, of: State, n: number): JSX.Element | string => (n ? <a href={hashOf({ view: "seals", query: { unit, state: of } })}>{format.number(n)}</a> : "");
  return (
    <section class="scroll sheet" aria-label={words.views.seals} tabIndex={0}>
      {stock.state === "failed" && <p role="alert">{stock.error.message}</p>}
      <Lines
        caption={words.seals.stock}
        lines={stock.value?.units ?? []}
        name={({ unit }) => unit}
        none={stock.value ? words.seals.none : words.loading}
        columns={[
          { title: words.seal.unit, cell: ({ unit }) => room.unitName(unit) },
          ...STATES.map((of) => ({ title: words.sealState[of], number: true, cell: (line: Schema["StockUnitItem"]) => count(line.unit, of, line[of]) })),
          { title: words.seals.total, number: true, cell: ({ total }) => format.number(total) },
        ]}
      />
      <div class="panel-filter">
        <label class="mine">
          <input type="checkbox" checked={query["overdue"] === "1"} onChange={(event) => room.address.refine({ query: { overdue: event.currentTarget.checked ? "1" : "" } })} />
          {words.seals.overdue}
        </label>
        {(state || query["unit"]) && <a href={hashOf({ view: "seals" })}>{words.seals.all}</a>}
      </div>
      {pages.failed && <p role="alert">{pages.failed}</p>}
      <Lines
        caption={words.views.seals}
        lines={pages.items}
        name={({ seal }) => seal}
        none={pages.loading ? words.loading : words.seals.none}
        more={pages.more}
        columns={[
          { title: words.journeys.seal, cell: ({ seal }) => seal },
          { title: words.seals.model, cell: ({ model, serial }) => [model, serial].filter(Boolean).join(" · ") },
          { title: words.alarms.state, cell: (one) => words.sealState[one.state] },
          { title: words.seal.unit, cell: ({ unit }) => room.unitName(unit) },
          { title: words.seals.with, cell: (one) => (one.journey ? <a href={hashOf({ view: "journeys", of: one.journey })}>{one.journey}</a> : (one.officer ?? one.place)) },
          { title: words.alarms.sinceLabel, cell: ({ since }) => <When iso={since} full /> },
          { title: words.seals.due, cell: ({ due }) => due && <When iso={due} /> },
          { title: words.seals.calibrate, cell: ({ calibrate_by }) => calibrate_by },
        ]}
      />
    </section>
  );
}
