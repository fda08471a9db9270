// Cutting lines and rings to a box [west, south, east, north], all in degrees. Pure.

/** The part of a segment inside the box as [from, to] fractions, or null when it is all outside (Liang and Barsky). */
function inside([x0, y0], [x1, y1], [west, south, east, north]) {
  let from = 0;
  let to = 1;
  const edges = [[x0 - x1, x0 - west], [x1 - x0, east - x0], [y0 - y1, y0 - south], [y1 - y0, north - y0]];
  for (const [slope, room] of edges) {
    if (slope === 0) {
      if (room < 0) return null;
    } else if (slope < 0) from = Math.max(from, room / slope);
    else to = Math.min(to, room / slope);
  }
  return from <= to ? [from, to] : null;
}

const between = (a, b, t) => (t === 0 ? a : t === 1 ? b : [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t]);

/** Pieces of a polyline inside the box. */
export function clipLine(line, box) {
  const pieces = [];
  let piece = [];
  const end = () => {
    if (piece.length > 1) pieces.push(piece);
    piece = [];
  };
  for (let i = 1; i < line.length; i += 1) {
    const kept = inside(line[i - 1], line[i], box);
    if (!kept) {
      end();
      continue;
    }
    if (kept[0] > 0 || piece.length === 0) {
      end();
      piece.push(between(line[i - 1], line[i], kept[0]));
    }
    piece.push(between(line[i - 1], line[i], kept[1]));
    if (kept[1] < 1) end();
  }
  end();
  return pieces;
}

function clipSide(ring, axis, limit, keepBelow) {
  const keeps = (p) => (keepBelow ? p[axis] <= limit : p[axis] >= limit);
  const out = [];
  ring.forEach((point, i) => {
    const before = ring[(i + ring.length - 1) % ring.length];
    if (keeps(point) !== keeps(before)) out.push(between(before, point, (limit - before[axis]) / (point[axis] - before[axis])));
    if (keeps(point)) out.push(point);
  });
  return out;
}

/** A closed ring cut to the box, closed again; null when nothing is left (Sutherland and Hodgman). */
export function clipRing(ring, [west, south, east, north]) {
  let open = ring.slice(0, -1);
  for (const [axis, limit, keepBelow] of [[0, west, false], [0, east, true], [1, south, false], [1, north, true]]) {
    open = clipSide(open, axis, limit, keepBelow);
    if (open.length < 3) return null;
  }
  return [...open, open[0]];
}

/** The line without jumps at the antimeridian: longitudes run on past ±180. */
export function unwrap(line) {
  let turn = 0;
  return line.map(([x, y], i) => {
    const step = i === 0 ? 0 : x - line[i - 1][0];
    if (step > 180) turn -= 360;
    if (step < -180) turn += 360;
    return [x + turn, y];
  });
}

/** A ring as it can be cut: unwrapped, and closed over the pole where it runs around one. */
export function unwrapRing(ring) {
  const open = unwrap(ring);
  const [first, last] = [open[0], open.at(-1)];
  if (Math.abs(last[0] - first[0]) < 180) return open;
  const pole = first[1] < 0 ? -90 : 90;
  return [...open, [last[0], pole], [first[0], pole], first];
}

/** Each box with its copies one turn to either side, and by how much each is shifted. */
export const turned = ([west, south, east, north]) => [-360, 0, 360].map((shift) => ({ shift, box: [west + shift, south, east + shift, north] }));

export const shifted = (line, by) => (by === 0 ? line : line.map(([x, y]) => [x + by, y]));

/** The boxes that tile the world outside one box. */
export function boxesAround([west, south, east, north]) {
  return [[-180, -90, west, 90], [east, -90, 180, 90], [west, north, east, 90], [west, -90, east, south]];
}
