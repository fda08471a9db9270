// A table of lines, the same in every view: what stands in each column is said once, beside its title.
import type { ComponentChildren, JSX } from "preact";
import { useRoom } from "./context";

export interface Column<Line> {
  title: string;
  cell: (line: Line) => ComponentChildren;
  /** Numbers stand to the right. */
  number?: boolean;
}

interface LinesProps<Line> {
  lines: readonly Line[];
  columns: readonly Column<Line>[];
  name: (line: Line) => string;
  caption?: string;
  none: string;
  more?: (() => void) | null;
}

export function Lines<Line>({ lines, columns, name, caption, none, more }: LinesProps<Line>): JSX.Element {
  const { words } = useRoom().reader;
  return (
    <>
      <table class="lines">
        {caption && <caption>{caption}</caption>}
        <thead>
          <tr>
            {columns.map(({ title, number }) => (
              <th key={title} scope="col" class={number ? "number" : undefined}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => (
            <tr key={name(line)}>
              {columns.map(({ title, cell, number }, i) =>
                i === 0 ? (
                  <th key={title} scope="row">
                    {cell(line)}
                  </th>
                ) : (
                  <td key={title} class={number ? "number" : undefined}>
                    {cell(line)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
      {lines.length === 0 && <p class="empty">{none}</p>}
      {more && (
        <button type="button" class="more" onClick={more}>
          {words.more}
        </button>
      )}
    </>
  );
}
