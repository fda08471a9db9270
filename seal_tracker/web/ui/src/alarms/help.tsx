// Every key, and what it does.
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useRoom } from "../app/context";

export function Help({ close }: { close: () => void }): JSX.Element {
  const { words } = useRoom().reader;
  const dialogue = useRef<HTMLDialogElement>(null);
  useEffect(() => dialogue.current?.showModal(), []);
  const { alarms } = words;
  const keys: readonly (readonly [string, string])[] = [
    ["j / ↓", alarms.next],
    ["k / ↑", alarms.previous],
    ["a", alarms.acknowledge],
    ["x", alarms.mark],
    ["*", alarms.markAll],
    ["n", alarms.note],
    ["m", alarms.takeIt],
    ["g", alarms.assign],
    ["d", alarms.dispatch],
    ["s", alarms.shelve],
    ["c", alarms.closeIt],
    ["f", alarms.showOnMap],
    ["o", alarms.openJourney],
    ["/", words.filter],
    ["Esc", words.close],
    ["?", alarms.help],
  ];
  return (
    <dialog ref={dialogue} class="dialogue" aria-labelledby="help" onClose={close} onCancel={close}>
      <h2 id="help">{alarms.help}</h2>
      <table>
        <tbody>
          {keys.map(([key, text]) => (
            <tr key={key}>
              <th scope="row">
                <kbd>{key}</kbd>
              </th>
              <td>{text}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <div class="dialogue-ends">
        <button type="button" class="primary" onClick={close}>
          {words.close}
        </button>
      </div>
    </dialog>
  );
}
