// What the list is narrowed by. All of it stands in the address.
import type { JSX, RefObject } from "preact";
import { SEVERITIES } from "../api/types";
import { useRoom } from "../app/context";
import { word } from "../i18n";
import type { AlarmFilter } from "../live/alarms";

const STATES = ["unacknowledged", "returned_unacknowledged", "acknowledged", "shelved", "suppressed"] as const;

export function Filters({ filter, box }: { filter: AlarmFilter; box: RefObject<HTMLInputElement | null> }): JSX.Element {
  const room = useRoom();
  const { words } = room.reader;
  const set = (name: keyof AlarmFilter, value: string): void => room.address.refine({ query: { [name]: value } });
  const types = [...new Set([...room.alarmBook.all.map(({ type }) => type), ...(filter.type ? [filter.type] : [])])].sort();
  return (
    <div class="panel-filter" role="search">
      <input ref={box} type="search" value={filter.text} placeholder={words.filter} aria-label={words.filter} onInput={(event) => set("text", event.currentTarget.value)} />
      <Choice label={words.alarms.severityFrom} value={filter.severity} any={words.alarms.anySeverity} set={(value) => set("severity", value)} options={[...SEVERITIES].reverse().map((severity) => [severity, words.severity[severity]])} />
      <Choice label={words.alarms.state} value={filter.state} any={words.alarms.anyState} set={(value) => set("state", value)} options={STATES.map((state) => [state, words.alarmState[state]])} />
      <Choice label={words.alarms.type} value={filter.type} any={words.alarms.anyType} set={(value) => set("type", value)} options={types.map((type) => [type, word(words.event, type)])} />
      {room.units.size > 1 && (
        <Choice label={words.seal.unit} value={filter.unit} any={words.alarms.anyUnit} set={(value) => set("unit", value)} options={[...room.units.keys()].map((id) => [id, room.unitName(id)])} />
      )}
      <label class="mine">
        <input type="checkbox" checked={filter.mine === "1"} onChange={(event) => set("mine", event.currentTarget.checked ? "1" : "")} />
        {words.alarms.mine}
      </label>
    </div>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  any: string;
  options: readonly (readonly [string, string])[];
  set: (value: string) => void;
}

function Choice({ label, value, any, options, set }: ChoiceProps): JSX.Element {
  return (
    <select aria-label={label} title={label} value={value} data-set={value !== ""} onChange={(event) => set(event.currentTarget.value)}>
      <option value="">{any}</option>
      {options.map(([id, text]) => (
        <option key={id} value={id}>
          {text}
        </option>
      ))}
    </select>
  );
}
