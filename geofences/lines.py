"""Many polylines under one tree of boxes, for the nearest leg and the legs within reach of many points at once.

Legs follow each other on the ground, so runs of eight make tight boxes, and eight boxes the next: a tree that costs
four integers for eight legs and no pointers. A search goes down level by level for all points together and drops a
box only when a better leg is certain elsewhere, so what it finds is what a look at every leg would find.

Built once, then read-only: safe to share between threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from geofences.masks import END, ONE, START, some, which
from geofences.ragged import expand, group_starts

__all__ = ["LegHits", "LineIndex", "Plane"]

FANOUT = 8
"""Legs under a lowest box, and boxes under a box: more would look at too many legs, fewer at too many boxes."""

MOST_LEGS = 16_384
"""Legs that are looked at one and all sooner than a search goes down the tree, which takes some 150 numpy calls."""

ROUNDING = 1.0 + 1e-9
"""Widens the search radius by more than all rounding of a squared distance, so that no tie is lost at a box's edge."""

TINY_M2 = 1e-12
"""Squared metres below which a leg is a point: at a pole a leg along the parallel has no length."""

TINY = np.array(TINY_M2)

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]


class Plane(NamedTuple):
    """Where each point looks from: its position in its line's own coordinates, and metres per unit there."""

    x_e7: I8
    y_e7: I8
    per_x_m: F8
    per_y_m: F8

    def take(self, rows: I8) -> Plane:
        """The rows chosen by an index."""
        return Plane(self.x_e7[rows], self.y_e7[rows], self.per_x_m[rows], self.per_y_m[rows])


class LegHits(NamedTuple):
    """Legs near points, sorted by point, then leg.

    Attributes
    ----------
    owner
        int64, row of the point.
    leg
        int64, index of the leg's first vertex in the flat vertex array.
    square_m2
        float64, squared distance to the leg; inf where there is no leg between two rings.
    along
        float64 in [0, 1], where on the leg the nearest point lies.
    """

    owner: I8
    leg: I8
    square_m2: F8
    along: F8

    def take(self, rows: NDArray[np.bool_] | I8) -> LegHits:
        """The rows chosen by a mask or index."""
        return LegHits(self.owner[rows], self.leg[rows], self.square_m2[rows], self.along[rows])


@dataclass(frozen=True, slots=True)
class Level:
    """Boxes over ``FANOUT`` legs or boxes each; line ``i`` has ``first[i] : first[i + 1]``."""

    boxes: NDArray[np.int32]
    first: I8


@dataclass(frozen=True, slots=True)
class LineIndex:
    """Polylines with a tree of boxes. ``x_e7`` and ``y_e7`` are flat; line ``i`` has ``first[i] : first[i + 1]``.

    ``gap`` (or None) marks vertices after which a new ring begins: there is no leg from them to the next.
    """

    x_e7: NDArray[np.int32]
    y_e7: NDArray[np.int32]
    first: I8
    gap: NDArray[np.bool_] | None
    levels: tuple[Level, ...]
    start_level: NDArray[np.int8]

    @classmethod
    def build(
        cls, x_e7: NDArray[np.int32], y_e7: NDArray[np.int32], first: I8, gap: NDArray[np.bool_] | None = None
    ) -> Self:
        """Index lines of at least two vertices each."""
        legs = np.diff(first) - 1
        levels = [_lowest(x_e7, y_e7, first[:-1], legs)]
        while some(np.diff(levels[-1].first) > FANOUT):
            levels.append(_above(levels[-1]))
        start = np.zeros(len(legs), np.int8)
        for level in levels[:-1]:
            start += np.diff(level.first) > FANOUT
        return cls(x_e7, y_e7, first, gap, tuple(levels), start)

    def near(self, line: I8, plane: Plane, slack_m: float = 0.0, floor_m: F8 | None = None) -> LegHits:
        """All legs of each point's line, where these are few in all; else what ``search`` finds of them."""
        legs = self.first[line + 1] - 1 - self.first[line]
        if int(legs.sum()) > MOST_LEGS:
            return self.search(line, plane, slack_m, floor_m)
        owner, leg = expand(self.first[line], legs)
        return LegHits(owner, leg, *self.measure(owner, leg, plane))

    def search(
        self,
        line: I8,
        plane: Plane,
        slack_m: float = 0.0,
        floor_m: F8 | None = None,
        known_m2: F8 | None = None,
    ) -> LegHits:
        """Legs that may lie within ``max(floor_m, nearest + slack_m)`` of each point; none within is left out.

        ``known_m2`` are squared distances to some leg of each point's line, where already known: less to look at.
        """
        n = len(line)
        best_m2 = np.full(n, np.inf) if known_m2 is None else known_m2 * ROUNDING
        reach_m2 = np.full(n, np.inf)
        begin = self.start_level[line]
        owner = node = np.empty(0, np.int64)
        for depth in range(len(self.levels) - 1, -1, -1):
            level = self.levels[depth]
            owner, node = self._join(level, which(begin == depth), line, owner, node)
            if len(owner) == 0:
                continue
            lower_m2, upper_m2 = _box_bounds(level.boxes.take(node, axis=0), plane, owner)
            starts = group_starts(owner)
            seen = owner[starts]
            best_m2[seen] = np.minimum(best_m2[seen], np.minimum.reduceat(upper_m2, starts))
            reach_m2[seen] = _reach_m2(best_m2[seen], slack_m, None if floor_m is None else floor_m[seen])
            keep = lower_m2 <= reach_m2[owner]
            owner, node = owner[keep], node[keep]
            if depth:
                owner, node = self._children(depth, line[owner], owner, node)
        return self._legs(line, plane, owner, node)

    def _join(self, level: Level, fresh: I8, line: I8, owner: I8, node: I8) -> tuple[I8, I8]:
        """Add all boxes of the points whose search begins at this level; sorted by point."""
        if len(fresh) == 0:
            return owner, node
        lines = line[fresh]
        mine, boxes = expand(level.first[lines], level.first[lines + 1] - level.first[lines])
        if len(owner) == 0:
            return fresh[mine], boxes
        owner, node = np.concatenate([owner, fresh[mine]]), np.concatenate([node, boxes])
        order = np.argsort(owner, kind="stable")
        return owner[order], node[order]

    def _children(self, depth: int, line: I8, owner: I8, node: I8) -> tuple[I8, I8]:
        """The boxes one level down."""
        above, below = self.levels[depth], self.levels[depth - 1]
        start = below.first[line] + (node - above.first[line]) * FANOUT
        mine, child = expand(start, np.minimum(FANOUT, below.first[line + 1] - start))
        return owner[mine], child

    def _legs(self, line: I8, plane: Plane, owner: I8, node: I8) -> LegHits:
        """All legs under the lowest boxes, measured."""
        lines = line[owner]
        start = self.first[lines] + (node - self.levels[0].first[lines]) * FANOUT
        mine, leg = expand(start, np.minimum(FANOUT, self.first[lines + 1] - 1 - start))
        owner = owner[mine]
        square_m2, along = self.measure(owner, leg, plane)
        return LegHits(owner, leg, square_m2, along)

    def foot_e7(self, hits: LegHits, plane: Plane) -> tuple[F8, F8]:
        """From each point, in units, to the nearest place of its leg; ``hits`` has one row a point, in order."""
        leg = hits.leg
        x, y = self.x_e7[leg].astype(np.int64), self.y_e7[leg].astype(np.int64)
        dx = hits.along * (self.x_e7[leg + 1] - x) + (x - plane.x_e7)
        dy = hits.along * (self.y_e7[leg + 1] - y) + (y - plane.y_e7)
        return dx, dy

    def measure(self, owner: I8, leg: I8, plane: Plane) -> tuple[F8, F8]:
        """Squared metres from points to legs, and where on the leg (0..1) the nearest point lies."""
        x_e7, y_e7, per_x_m, per_y_m = (column[owner] for column in plane)
        end = leg + ONE
        ax, ay = (self.x_e7[leg] - x_e7) * per_x_m, (self.y_e7[leg] - y_e7) * per_y_m
        ex, ey = (self.x_e7[end] - x_e7) * per_x_m, (self.y_e7[end] - y_e7) * per_y_m
        ex -= ax
        ey -= ay
        length_m2 = ex * ex + ey * ey
        along = -(ax * ex + ay * ey) / np.maximum(length_m2, TINY)
        along = np.minimum(np.maximum(along, START), END)
        ax += along * ex
        ay += along * ey
        square_m2 = ax * ax + ay * ay
        if self.gap is not None:
            square_m2[self.gap[leg]] = np.inf
        return square_m2, along


def _reach_m2(best_m2: F8, slack_m: float, floor_m: F8 | None) -> F8:
    """Squared radius within which legs still matter."""
    reach_m = np.sqrt(best_m2) + slack_m
    if floor_m is not None:
        reach_m = np.maximum(reach_m, floor_m)
    return reach_m * reach_m * ROUNDING + TINY_M2


def _box_bounds(boxes: NDArray[np.int32], plane: Plane, owner: I8) -> tuple[F8, F8]:
    """Squared metres: nothing in the box is nearer than the first, something in it is no farther than the second.

    Each side of a box holds a vertex, hence the second: the nearer side in one axis, its far end in the other.
    """
    x_e7, y_e7, per_x_m, per_y_m = (column[owner] for column in plane)
    west, east = (boxes[:, 0] - x_e7) * per_x_m, (boxes[:, 1] - x_e7) * per_x_m
    south, north = (boxes[:, 2] - y_e7) * per_y_m, (boxes[:, 3] - y_e7) * per_y_m
    x_out, y_out = np.maximum(np.maximum(west, -east), 0.0), np.maximum(np.maximum(south, -north), 0.0)
    west, east, south, north = west * west, east * east, south * south, north * north
    x_near, x_far = np.minimum(west, east), np.maximum(west, east)
    y_near, y_far = np.minimum(south, north), np.maximum(south, north)
    return x_out * x_out + y_out * y_out, np.minimum(x_near + y_far, y_near + x_far)


def _lowest(x_e7: NDArray[np.int32], y_e7: NDArray[np.int32], first: I8, legs: I8) -> Level:
    """Boxes over ``FANOUT`` legs each."""
    counts = (legs + FANOUT - 1) // FANOUT
    line, block = expand(np.zeros(len(legs), np.int64), counts)
    start = first[line] + block * FANOUT
    stop = np.minimum(start + FANOUT, first[line] + legs[line]) + 1
    x, y = np.append(x_e7, x_e7[-1:]), np.append(y_e7, y_e7[-1:])
    boxes = np.stack([*_extremes(x, start, stop), *_extremes(y, start, stop)], axis=1)
    return Level(boxes, np.concatenate([[0], np.cumsum(counts)]))


def _above(below: Level) -> Level:
    """Boxes over ``FANOUT`` boxes each."""
    children = np.diff(below.first)
    counts = (children + FANOUT - 1) // FANOUT
    line, block = expand(np.zeros(len(children), np.int64), counts)
    start = below.first[line] + block * FANOUT
    stop = np.minimum(start + FANOUT, below.first[line + 1])
    west, east, south, north = (np.append(column, column[-1:]) for column in below.boxes.T)
    boxes = np.stack(
        [
            _extremes(west, start, stop)[0],
            _extremes(east, start, stop)[1],
            _extremes(south, start, stop)[0],
            _extremes(north, start, stop)[1],
        ],
        axis=1,
    )
    return Level(boxes, np.concatenate([[0], np.cumsum(counts)]))


def _extremes(values: NDArray[np.int32], start: I8, stop: I8) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Least and greatest of ``values[start[i] : stop[i]]``; ``values`` has one spare element at its end."""
    if len(start) == 0:
        return values[:0], values[:0]
    ranges = np.stack([start, stop], axis=1).ravel()
    return np.minimum.reduceat(values, ranges)[::2], np.maximum.reduceat(values, ranges)[::2]
