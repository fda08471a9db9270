// Speed, distance from the route and battery over time, by uPlot; a click chooses the moment that the map shows.
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { useRoom } from "../app/context";
import type { Fix } from "./track";

const HEIGHT = 130;

interface PlotsProps {
  fixes: readonly Fix[];
  off_m: readonly (number | null)[];
  limit_m: number | number[] | null;
  at_ms: number | null;
  choose: (at_ms: number) => void;
}

export function Plots({ fixes, off_m, limit_m, at_ms, choose }: PlotsProps): JSX.Element {
  const { words } = useRoom().reader;
  const limit = Array.isArray(limit_m) ? Math.min(...limit_m) : limit_m;
  const times = fixes.map((fix) => fix.at_ms / 1000);
  return (
    <div class="plots">
      <Plot title={`${words.seal.speed}, km/h`} times={times} values={fixes.map(({ speed_kmh }) => speed_kmh)} limit={null} at_ms={at_ms} choose={choose} />
      <Plot title={`${words.seal.offRoute}, m`} times={times} values={off_m} limit={limit} at_ms={at_ms} choose={choose} />
      <Plot title={`${words.seal.battery}, %`} times={times} values={fixes.map(({ battery_pct }) => battery_pct)} limit={null} at_ms={at_ms} choose={choose} />
      <Plot title={`${words.journeys.accuracy}, m`} times={times} values={fixes.map(({ accuracy_m }) => accuracy_m)} limit={null} at_ms={at_ms} choose={choose} />
    </div>
  );
}

interface PlotProps {
  title: string;
  times: readonly number[];
  values: readonly (number | null)[];
  limit: number | null;
  at_ms: number | null;
  choose: (at_ms: number) => void;
}

function Plot({ title, times, values, limit, at_ms, choose }: PlotProps): JSX.Element | null {
  const { format } = useRoom().reader;
  const place = useRef<HTMLDivElement>(null);
  const drawn = useRef<uPlot | null>(null);
  const chosen = useRef(choose);
  chosen.current = choose;
  const moment = useRef(at_ms);
  moment.current = at_ms;
  const known = values.filter((value): value is number => value !== null);

  useEffect(() => {
    const box = place.current;
    if (!box || known.length === 0) return undefined;
    const colour = getComputedStyle(box).getPropertyValue("--text").trim();
    const grid = { stroke: getComputedStyle(box).getPropertyValue("--line").trim(), width: 1 };
    const axis = { stroke: colour, grid, ticks: grid, font: "11px system-ui" };
    const series: uPlot.Series[] = [{}, { label: title, stroke: getComputedStyle(box).getPropertyValue("--accent").trim(), width: 1.5, points: { size: 3 } }];
    const data: (readonly (number | null)[])[] = [times, values];
    if (limit !== null) {
      series.push({ label: "", stroke: getComputedStyle(box).getPropertyValue("--bad").trim(), dash: [4, 4], points: { show: false } });
      data.push(times.map(() => limit));
    }
    const plot = new uPlot(
      {
        width: box.clientWidth,
        height: HEIGHT,
        legend: { show: false },
        cursor: { y: false },
        scales: { x: { time: true } },
        axes: [{ ...axis, values: (_, at) => at.map((s) => format.minute(new Date(s * 1000).toISOString(), s * 1000)) }, { ...axis, size: 46, space: 24 }],
        series,
        hooks: {
          draw: [
            ({ ctx, bbox, valToPos }) => {
              if (moment.current === null) return;
              const x = valToPos(moment.current / 1000, "x", true);
              ctx.fillStyle = colour;
              ctx.fillRect(x, bbox.top, 1, bbox.height);
            },
          ],
        },
      },
      data as uPlot.AlignedData,
      box,
    );
    plot.over.addEventListener("click", () => {
      const { left } = plot.cursor;
      if (left !== undefined && left >= 0) chosen.current(plot.posToVal(left, "x") * 1000);
    });
    drawn.current = plot;
    const sized = new ResizeObserver(() => plot.setSize({ width: box.clientWidth, height: HEIGHT }));
    sized.observe(box);
    return () => {
      sized.disconnect();
      plot.destroy();
      drawn.current = null;
    };
  }, [times.length, values.length, limit, title]);
  useEffect(() => drawn.current?.redraw(false), [at_ms]);

  if (known.length === 0) return null;
  return (
    <figure>
      <figcaption>
        {title} <small>{`${format.number(Math.min(...known))} – ${format.number(Math.max(...known))}`}</small>
      </figcaption>
      <div ref={place} class="plot" />
    </figure>
  );
}
