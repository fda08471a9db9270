// Journeys by their ids, a page at a time; what narrows them stands in the address.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { answered } from "../api/service";
import { useChanges, useRoom } from "../app/context";
import { When } from "../app/icon";
import { hashOf } from "../app/address";
import type { Journey } from "../live/journeys";
import { word } from "../i18n";

const PAGE = 100;
const STATES = ["ARMED", "DIVERTED", "SUSPENDED", "TRANSFERRED", "ASSIGNED", "DECLARED", "DISARMED", "CLOSED", "CANCELLED"] as const;
const TYPING_MS = 300;

export function JourneyList(): JSX.Element {
  const room = useRoom();
  useChanges(room.address.changes);
  const { words, format } = room.reader;
  const { query } = room.address.place;
  const [rows, setRows] = useState<readonly Journey[]>([]);
  const [next, setNext] = useState<string | null>(null);
  const [failed, setFailed] = useState("");
  const asked = JSON.stringify(query);

  const read = async (after: string | null): Promise<{ items: Journey[]; next: string | null }> => {
    const state = STATES.find((one) => one === query["state"]);
    const given = { ...(state && { state }), ...(query["unit"] && { unit: query["unit"] }), ...(query["text"] && { text: query["text"] }), ...(after && { after }) };
    return answered(room.service.GET("/api/v1/journeys", { params: { query: { limit: PAGE, ...given } } }));
  };
  useEffect(() => {
    let wanted = true;
    const timer = window.setTimeout(() => {
      read(null).then(
        (page) => wanted && (setRows(page.items), setNext(page.next), setFailed("")),
        (error: unknown) => wanted && setFailed(String(error)),
      );
    }, TYPING_MS);
    return () => {
      wanted = false;
      window.clearTimeout(timer);
    };
  }, [asked]);
  const more = async (): Promise<void> => {
    const page = await read(next);
    setRows([...rows, ...page.items]);
    setNext(page.next);
  };
  const set = (name: string, value: string): void => room.address.refine({ query: { [name]: value } });

  return (
    <section class="page-list" aria-label={words.views.journeys}>
      <div class="panel-filter" role="search">
        <input type="search" value={query["text"] ?? ""} placeholder={words.journeys.find} aria-label={words.journeys.find} onInput={(event) => set("text", event.currentTarget.value)} />
        <select aria-label={words.alarms.state} value={query["state"] ?? ""} onChange={(event) => set("state", event.currentTarget.value)}>
          <option value="">{words.journeys.anyState}</option>
          {STATES.map((state) => (
            <option key={state} value={state}>
              {words.journeyState[state]}
            </option>
          ))}
        </select>
        <select aria-label={words.seal.unit} value={query["unit"] ?? ""} onChange={(event) => set("unit", event.currentTarget.value)}>
          <option value="">{words.alarms.anyUnit}</option>
          {[...room.units.keys()].map((id) => (
            <option key={id} value={id}>
              {room.unitName(id)}
            </option>
          ))}
        </select>
      </div>
      {failed && <p role="alert">{failed}</p>}
      <div class="scroll" tabIndex={0} role="region" aria-label={words.views.journeys}>
        <table class="lines">
          <thead>
            <tr>
              {[words.seal.journey, words.alarms.state, words.journeys.cargo, words.journeys.vehicle, words.seal.route, words.seal.unit, words.seal.progress, words.journeys.due, words.counts.open].map((text) => (
                <th key={text} scope="col">
                  {text}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((journey) => (
              <tr key={journey.id}>
                <th scope="row">
                  <a href={hashOf({ view: "journeys", of: journey.id })}>{journey.id}</a>
                </th>
                <td>{word(words.journeyState, journey.derived ?? journey.state)}</td>
                <td>{journey.cargo}</td>
                <td>{journey.vehicle ?? journey.seal}</td>
                <td>{journey.route && room.plan.names.shortRoute(journey.route)}</td>
                <td>{room.unitName(journey.unit)}</td>
                <td class="number">{journey.progress_pct !== null && `${format.number(journey.progress_pct)} %`}</td>
                <td>{journey.due_at && <When iso={journey.due_at} />}</td>
                <td class="number">{journey.open_alarms || ""}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {next && (
          <button type="button" class="more" onClick={() => void more()}>
            {words.more}
          </button>
        )}
      </div>
    </section>
  );
}
