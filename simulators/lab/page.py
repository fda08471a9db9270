"""A score as one page that needs nothing else: figures, and the worst cases drawn on maps of our own. Pure; no foreign origin is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from math import cos, radians
from typing import NamedTuple

from simulators.lab.report import in_words
from simulators.lab.scoring import Case, Figures, Score, Told, seconds
from simulators.lab.truth.record import Deed, Map

__all__ = ["page"]

DRAWN = 24
"""Cases drawn: misses first, the longest first, then false alarms."""
WIDTH, HEIGHT, EDGE = 560.0, 340.0, 18.0
LEAST_M = 800.0
"""The narrowest view: a truck that stands is no reason to draw a parking space."""
AROUND_S = 240.0
METRES_PER_DEGREE = 111_200.0

LEGEND = (
    "Wide: the corridor. Thin: where the truck truly was; thick, from its blob on: while it happened, or while it was told. "
    "Dots: the fixes that arrived meanwhile; ring: where the service says it was. Misses first, then false alarms."
)
KILOMETRE = 1000
BARS_M = (100_000, 50_000, 20_000, 10_000, 5000, 2000, 1000, 500, 200, 100, 50)
STYLE = """
:root { color-scheme: light dark; --ink: #1b2733; --paper: #fff; --soft: #5c6b7a; --line: #d5dce3; --road: #c9d6e2; --track: #2f6fb2;
  --bad: #c62f2f; --zone: #8a6d1f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf0; --paper: #14191f; --soft: #9aa8b5; --line: #2d3742; --road: #33414f;
  --track: #7db4ee; --bad: #ff7b72; --zone: #d9b75a; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }
h1, h2 { line-height: 1.2; } table { border-collapse: collapse; margin: 1rem 0; } th, td { padding: .2rem .7rem; text-align: right;
  border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums; } th:first-child, td:first-child { text-align: left; }
thead th { color: var(--soft); font-weight: 600; } td.bad { color: var(--bad); font-weight: 600; }
.cases { display: grid; grid-template-columns: repeat(auto-fill, minmax(24rem, 1fr)); gap: 1.5rem; } figure { margin: 0; }
svg { width: 100%; border: 1px solid var(--line); border-radius: 4px; } figcaption { font-size: .9rem; }
.road { stroke: var(--road); fill: none; stroke-linecap: round; stroke-linejoin: round; } .line { stroke: var(--soft); fill: none; stroke-width: 1; }
.zone { stroke: var(--zone); fill: var(--zone); fill-opacity: .12; } .track { stroke: var(--track); fill: none; stroke-width: 1.5; opacity: .55; }
.then { stroke: var(--bad); fill: none; stroke-width: 3; } .begun { fill: var(--bad); } .said { fill: var(--ink); } .at { fill: none; stroke: var(--bad); stroke-width: 2; }
text { font: 11px system-ui, sans-serif; fill: var(--soft); } p.note { color: var(--soft); max-width: 60rem; }
"""


def page(score: Score) -> str:
    """The whole page."""
    n_cases = len({id(c) for c, *_ in (*score.misses, *score.false_alarms)})
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>Score of simulated seals</title><style>{STYLE}</style></head><body><h1>What was told of what happened</h1>",
        f"<p>{len(score.misses)} missed and {len(score.false_alarms)} false alarms in {n_cases} scenarios.</p>",
        _table("By rule", score.rules),
        _table("By what was wrong with the device", score.faults),
        "<h2>The worst cases</h2>",
        f'<p class="note">{LEGEND}</p>',
        '<div class="cases">',
        *_figures(score),
        "</div></body></html>\n",
    ]
    return "".join(parts)


def _table(title: str, figures: dict[str, Figures]) -> str:
    def share(value: float | None) -> str:
        return f"<td{' class=bad' if value is not None and value < 1 else ''}>{'-' if value is None else f'{value:.0%}'}</td>"

    def plain(value: float | None) -> str:
        return f"<td>{'-' if value is None else f'{value:.0f}'}</td>"

    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{f.must}</td><td>{f.hit}</td>{share(f.recall)}<td>{f.told}</td><td>{f.false}</td>"
        f"{share(f.precision)}<td>{f.taken_back}</td>{plain(f.delay_median_s)}{plain(f.delay_p90_s)}</tr>"
        for name, f in sorted(figures.items())
    )
    heads = "".join(
        f"<th>{h}</th>"
        for h in (
            "",
            "must be told",
            "told of it",
            "recall",
            "told",
            "false",
            "precision",
            "taken back",
            "median delay, s",
            "p90, s",
        )
    )
    return f"<h2>{title}</h2><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def _figures(score: Score) -> Iterator[str]:
    misses = sorted(score.misses, key=lambda m: -m[1].seconds)
    shown: list[tuple[Case, Deed | Told, tuple[str, ...]]] = [(c, d, ()) for c, d in misses]
    shown += score.false_alarms
    for case, one, faults in shown[:DRAWN]:
        kind = "missed" if isinstance(one, Deed) else "false"
        drawn = _drawn(case.map, one) if case.map else ""
        yield f"<figure>{drawn}<figcaption><b>{kind}</b> {escape(in_words(case, one, faults))}</figcaption></figure>"
    if len(shown) > DRAWN:
        yield f"<p>and {len(shown) - DRAWN} more: <code>--json</code> has all</p>"


class _View:
    """Degrees to the picture: a box of places, with its shape kept."""

    def __init__(self, places: Sequence[tuple[float, float]]) -> None:
        lons, lats = [p[0] for p in places], [p[1] for p in places]
        self.lon, self.lat = (min(lons) + max(lons)) / 2, (min(lats) + max(lats)) / 2
        self.east = cos(radians(self.lat)) * METRES_PER_DEGREE
        wide = max((max(lons) - min(lons)) * self.east, LEAST_M)
        high = max((max(lats) - min(lats)) * METRES_PER_DEGREE, LEAST_M * HEIGHT / WIDTH)
        self.scale = min((WIDTH - 2 * EDGE) / wide, (HEIGHT - 2 * EDGE) / high)

    def at(self, lon: float, lat: float) -> tuple[float, float]:
        x = WIDTH / 2 + (lon - self.lon) * self.east * self.scale
        return round(x, 1), round(HEIGHT / 2 - (lat - self.lat) * METRES_PER_DEGREE * self.scale, 1)

    def points(self, places: Sequence[tuple[float, float]]) -> str:
        return " ".join(f"{x},{y}" for x, y in (self.at(*p) for p in places))


class _Scene(NamedTuple):
    """What a map is of: when, where the service says it was, true tracks, and fixes that arrived meanwhile."""

    begins_s: float
    ends_s: float
    place: tuple[float, float] | None
    tracks: dict[str, list[tuple[int, float, float]]]
    said: list[tuple[float, float]]

    @classmethod
    def of(cls, ground: Map, one: Deed | Told) -> _Scene:
        """Of a miss the whole deed, or its beginning; of a false alarm while it was told."""
        if isinstance(one, Deed):
            begins_s = seconds(one.from_)
            ends_s, place = seconds(one.to) if one.to else begins_s + AROUND_S, None
        else:
            begins_s, ends_s, place = one.started_s, one.ended_s or one.raised_s, one.place
        tracks = {one.seal: ground.tracks[one.seal]} if one.seal in ground.tracks else ground.tracks
        fixes = {id_: ground.said.get(id_, []) for id_ in tracks}
        said = _during(fixes, begins_s - AROUND_S / 2, ends_s + AROUND_S / 2)
        return cls(begins_s, ends_s, place, tracks, said)

    def view(self) -> _View | None:
        """A view of all of it and a little around; None where there is nothing to see."""
        near = _during(self.tracks, self.begins_s - AROUND_S, self.ends_s + AROUND_S)
        near += [*self.said, *([self.place] if self.place else [])]
        return _View(near) if near else None


def _during(
    tracks: dict[str, list[tuple[int, float, float]]], from_s: float, to_s: float
) -> list[tuple[float, float]]:
    return [(x, y) for track in tracks.values() for ms, x, y in track if from_s <= ms / 1000 <= to_s]


def _drawn(ground: Map, one: Deed | Told) -> str:
    """Roads, zones, the true track, the stretch in question, and where the service says it was."""
    scene = _Scene.of(ground, one)
    view = scene.view()
    if view is None:
        return ""
    head = f'<svg viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" role="img"><title>{escape(one.rule)}</title>'
    return "".join([head, *_of_ground(ground, view), *_of_scene(scene, view), *_scale(view), "</svg>"])


def _of_ground(ground: Map, view: _View) -> Iterator[str]:
    for id_, line in ground.routes.items():
        wide = max(1.0, 2 * ground.half_width_m[id_] * view.scale)
        points = view.points(line)
        yield f'<polyline class="road" stroke-width="{wide:.1f}" points="{points}"/>'
        yield f'<polyline class="line" points="{points}"/>'
    for id_, (kind, ring) in ground.zones.items():
        x, y = view.at(*ring[0])
        yield f'<polygon class="zone" points="{view.points(ring)}"/>'
        yield f'<text x="{x}" y="{y}">{escape(id_)}: {escape(kind)}</text>'


def _of_scene(scene: _Scene, view: _View) -> Iterator[str]:
    for id_, track in scene.tracks.items():
        yield f'<polyline class="track" points="{view.points([(x, y) for _, x, y in track])}"/>'
        then = _during({id_: track}, scene.begins_s - 10, scene.ends_s + 10)
        if then:
            x, y = view.at(*then[0])
            yield f'<polyline class="then" points="{view.points(then)}"/><circle class="begun" cx="{x}" cy="{y}" r="4"/>'
    for x, y in (view.at(*p) for p in scene.said):
        yield f'<circle class="said" cx="{x}" cy="{y}" r="2"/>'
    if scene.place:
        x, y = view.at(*scene.place)
        yield f'<circle class="at" cx="{x}" cy="{y}" r="7"/>'


def _scale(view: _View) -> Iterator[str]:
    """A bar of a round length, at most a third of the picture."""
    bar = next(m for m in BARS_M if m * view.scale < WIDTH / 3)
    yield f'<line class="line" x1="{EDGE}" x2="{EDGE + bar * view.scale:.1f}" y1="{HEIGHT - 10}" y2="{HEIGHT - 10}"/>'
    name = f"{bar} m" if bar < KILOMETRE else f"{bar // KILOMETRE} km"
    yield f'<text x="{EDGE}" y="{HEIGHT - 14}">{name}</text>'
