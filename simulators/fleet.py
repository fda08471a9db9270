"""The fleet of a demo: who drives which road since when, what happens to whom, and the truth of it.

``build_fleet`` is a pure function of the plan folder's roads and zones, ``now``, the number of seals and one seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from simulators.cast import ORDINARY, Part, draw_cast
from simulators.draft import Draft, Happening, Site, Track, load_tracks
from simulators.drive import Drive, Halt, Style
from simulators.gates import Seen, as_declared
from simulators.minerals import as_minerals
from simulators.oversized import as_oversized
from simulators.road_plots import ROAD_PLOTS
from simulators.seal import Seal
from simulators.seal_plots import SEAL_PLOTS
from simulators.wire import instant

__all__ = ["Traveller", "build_fleet"]

ELAPSED_S = (3600.0, 6 * 3600.0)
"""Journeys began one to six hours before now."""
UNDERWAY_SHARE = 0.92
"""No journey has done more of its way than this when the demo starts, as far as its usual speed tells."""
ROAD_SHARES = {"R-HP-LC": 0.3, "R-HP-HN": 0.25, "R-DN-LB": 0.2, "R-CL-MB": 0.13, "R-HP-MC": 0.12}
"""Traffic on the demo's roads; roads of other plans share equally."""
REST_EVERY_S = (1.6 * 3600.0, 3.4 * 3600.0)
REST_S = (15 * 60.0, 35 * 60.0)
"""A driver may drive four hours at a stretch by law; most rest before."""
INTERVALS_S = (30, 40, 45, 60)
PREFIXES = ("7K3F", "4M2C", "9Q1T")
"""Makes of seals."""
GRANTED_KMH = 30.0
"""Customs grants an hour and the way at this mean speed: well below what the product expects of a lorry, its stops included."""
CARRIERS = (
    "Vận tải Sông Thương",
    "Vận tải Đèo Ngang",
    "Xe tải Bến Gỗ",
    "Hợp tác xã vận tải Ba Tháng Hai",
    "Tiếp vận Cánh Đồng",
    None,
    "Vận tải Núi Chùa",
)
"""Carriers that there are not; one in seven journeys does not say its own."""

CARGOES = (
    "Linh kiện điện tử",
    "Vải và nguyên phụ liệu may",
    "Máy móc thiết bị",
    "Thủy sản đông lạnh",
    "Hạt nhựa",
    "Thuốc lá nguyên liệu",
    "Rượu mạnh",
    "Phụ tùng ô tô",
    "Hàng tiêu dùng quá cảnh",
    "Tấm pin mặt trời",
)
COMING_S = (600.0, 3600.0)
"""An oversized vehicle comes to a bridge between ten minutes and an hour from now."""
DUE_AT_ONCE_S = 150.0
FORESEEN_S = 1800.0
"""Told half an hour before at most, by the policy's mean speed; who drives faster comes sooner."""
SEEN_STAY_S = 150.0
"""A stay in a zone of interest shorter than two fixes and half a minute need not be an event."""


SEEN_BEFORE_S = 1200.0
"""A camera saw a lorry so long ago: its pings of then are there, and it drives on."""


@dataclass(frozen=True, slots=True)
class Traveller:
    """One journey with its seal, the part it plays, and what really happens on it; where minerals are weighed,
    at which place; and where a camera saw its lorry.
    """

    journey: dict[str, Any]
    seal: Seal
    role: str
    happenings: tuple[Happening, ...]
    weighed_at: tuple[float, float] | None = None
    seen: Seen | None = None

    def truth(self) -> Iterator[dict[str, Any]]:
        """What happened, who it happened to, when, and which events that should give: objects for JSON."""
        for h in self.happenings:
            yield {
                "what": h.what,
                "journey": self.journey["id"],
                "seal": self.seal.id,
                "from": instant(self.seal.start_ms + round(h.from_s * 1000)),
                "to": instant(self.seal.start_ms + round(h.to_s * 1000)),
                "object": h.object,
                "expect": list(h.expect),
                "near_miss_of": list(h.near_miss_of),
                **({"detail": dict(h.detail)} if h.detail else {}),
            }


def build_fleet(folder: Path, *, now_s: float, seals: int, seed: int) -> list[Traveller]:
    """All travellers of a demo, in order of journey id."""
    tracks = load_tracks(folder)
    usual = {id_: _drive(t, _usual_style(t), []) for id_, t in tracks.items()}
    parts = draw_cast(np.random.default_rng((seed, 0)), seals)
    now_ms = int(now_s) * 1000
    fleet = [_travel(i, part, tracks, usual, now_ms, seed) for i, part in enumerate(parts)]
    return _one_at_a_gate(_one_with_minerals(_some_oversized(fleet, tracks, now_s)), now_s)


def _one_with_minerals(fleet: list[Traveller]) -> list[Traveller]:
    """The last of those who just drive carries minerals under a licence. Small fleets may have none."""
    ordinary = [t for t in fleet if t.role == ORDINARY and t.journey["regime"] == "transit"]
    chosen = next((t for t in reversed(ordinary) if "origin_zone" in t.journey), None)
    if chosen is None:
        return fleet
    lon, lat = chosen.seal.road.point_at(np.array([0.0]))
    it = replace(chosen, journey=as_minerals(chosen.journey), weighed_at=(float(lon[0]), float(lat[0])))
    return [it if one is chosen else one for one in fleet]


def _one_at_a_gate(fleet: list[Traveller], now_s: float) -> list[Traveller]:
    """One of those who just drive was read by a camera a while ago. Small fleets may have none."""
    seen_s = now_s - SEEN_BEFORE_S
    ordinary = [t for t in fleet if t.role == ORDINARY and t.journey["regime"] == "transit"]
    driven = [(t, seen_s - t.seal.start_ms / 1000) for t in ordinary]
    under_way = [(t, s) for t, s in driven if SEEN_BEFORE_S < s < t.seal.drive.duration_s - SEEN_BEFORE_S]
    if not under_way:
        return fleet
    chosen, at_s = under_way[0]
    spot = chosen.seal.drive.at(at_s)
    seen = Seen(spot.lon, spot.lat, round(seen_s * 1000))
    it = replace(chosen, journey=as_declared(chosen.journey), seen=seen)
    return [it if one is chosen else one for one in fleet]


def _some_oversized(fleet: list[Traveller], tracks: dict[str, Track], now_s: float) -> list[Traveller]:
    """Of those who just drive two that come to one bridge at about the same time are oversized vehicles, else one. Small fleets may have none."""
    ordinary = [t for t in fleet if t.role == ORDINARY and tracks[t.seal.road.id].structures]
    coming = [
        (site.place.id, t.seal.drive.time_at(site.chainage_m) + t.seal.start_ms / 1000 - now_s, t)
        for t in ordinary
        for site in tracks[t.seal.road.id].structures
    ]
    coming = [one for one in coming if one[1] > COMING_S[0]]
    pairs = [
        (abs(a_s - b_s), (a, b), place, min(a_s, b_s))
        for (place, a_s, a), (other, b_s, b) in combinations([c for c in coming if c[1] < COMING_S[1]], 2)
        if place == other
    ]
    apart_s, meeting, place, due_s = min(pairs, key=lambda p: p[0], default=(np.inf, (), "", 0.0))
    chosen = meeting if apart_s < DUE_AT_ONCE_S else tuple([*(t for _, _, t in coming), *ordinary][:1])
    made = dict[str, Traveller]()
    for which, one in enumerate(chosen):
        journey = as_oversized(
            one.journey, [s.place.id for s in tracks[one.seal.road.id].structures], now_s, which
        )
        told = one.happenings
        if len(chosen) > 1:
            at_s = now_s + due_s - one.seal.start_ms / 1000
            told = (
                *told,
                Happening("due_at_once", at_s - FORESEEN_S, at_s, ("STRUCTURE_MEETING",), object=place),
            )
        made[one.seal.id] = replace(one, journey=journey, happenings=told)
    return [made.get(one.seal.id, one) for one in fleet]


def _travel(
    index: int, part: Part, tracks: dict[str, Track], usual: dict[str, Drive], now_ms: int, seed: int
) -> Traveller:
    rng = np.random.default_rng((seed, 1, index))
    part, track, place_m = _cast_place(part, tracks, usual, rng)
    draft = Draft(track, rng)
    style = Style.draw(rng, track.road)
    usually = usual[track.road.id]
    draft.halts = _rests(track, usually, rng)
    plot = ROAD_PLOTS.get(part.role)
    if plot is not None and place_m is not None:
        plot.stage(draft, place_m)
        end_m = draft.excursion.to_m if draft.excursion else place_m
        staged = draft.halts.pop() if draft.halts and draft.halts[-1].chainage_m == place_m else None
        draft.drop_rests(place_m, end_m)
        draft.halts += [staged] if staged else []
    drive = _drive(track, style, draft.halts, draft, start_dwell_s=float(rng.uniform(60.0, 420.0)))
    if place_m is None:
        elapsed_s = float(rng.uniform(ELAPSED_S[0], _most_s(usually)))
    else:
        elapsed_s = drive.time_at(place_m) - part.onset_s
    seal = _seal(index, track, drive, now_ms - round(elapsed_s) * 1000, rng, seed)
    happenings = _happenings(part, draft, seal, elapsed_s)
    return Traveller(_journey(index, track, seal), seal, part.role, tuple(happenings))


def _most_s(usually: Drive) -> float:
    return min(ELAPSED_S[1], UNDERWAY_SHARE * usually.duration_s)


def _cast_place(
    part: Part, tracks: dict[str, Track], usual: dict[str, Drive], rng: np.random.Generator
) -> tuple[Part, Track, float | None]:
    """A road by its share of the traffic, and where on it the part is played: reached in time by a journey of the right age.

    A part of the past for which no place is far enough along is moved nearer to now.
    """
    ids = sorted(tracks)
    shares = np.array([ROAD_SHARES.get(i, 1.0 / len(ids)) for i in ids])
    order = [ids[k] for k in rng.choice(len(ids), size=len(ids), replace=False, p=shares / shares.sum())]
    plot = ROAD_PLOTS.get(part.role)
    if plot is None:
        return part, tracks[order[0]], None
    for onset_s in (
        part.onset_s * nearer for nearer in ((1.0, 0.75, 0.5, 0.25) if part.onset_s < 0 else (1.0,))
    ):
        for id_ in order:
            ages = [(c, usual[id_].time_at(c) - onset_s) for c in plot.places(tracks[id_])]
            fitting = [
                c for c, age_s in ages if ELAPSED_S[0] + 300.0 <= age_s <= _most_s(usual[id_]) - 1800.0
            ]
            if fitting:
                return part._replace(onset_s=onset_s), tracks[id_], fitting[int(rng.integers(len(fitting)))]
    raise ValueError(
        f"no road of the plan has a place for {part.role!r} {-part.onset_s / 60:.0f} min before now: "
        "draw longer routes, or zones along them"
    )


def _usual_style(track: Track) -> Style:
    return Style(1.0, np.zeros(int(track.road.length_m // 1000) + 2))


def _drive(
    track: Track, style: Style, halts: list[Halt], draft: Draft | None = None, start_dwell_s: float = 240.0
) -> Drive:
    checkpoints = tuple(s.chainage_m for s in track.passed if s.place.id in track.road.checkpoints)
    excursion = draft.excursion if draft else None
    return Drive.plan(track.road, style, tuple(halts), excursion, checkpoints, start_dwell_s)


def _rests(track: Track, usually: Drive, rng: np.random.Generator) -> list[Halt]:
    """A rest at the next rest area after two or three hours, and so on."""
    halts, due_s = [], float(rng.uniform(*REST_EVERY_S))
    for site in sorted(track.rests, key=lambda s: s.chainage_m):
        at_s = usually.time_at(site.chainage_m)
        if at_s >= due_s:
            halts.append(
                Halt(site.chainage_m, float(rng.uniform(*REST_S)), site.left_m + float(rng.uniform(-15, 15)))
            )
            due_s = at_s + float(rng.uniform(*REST_EVERY_S))
    return halts


def _seal(index: int, track: Track, drive: Drive, start_ms: int, rng: np.random.Generator, seed: int) -> Seal:
    return Seal(
        id=f"VN-{PREFIXES[index % len(PREFIXES)]}{100 + index:04d}",
        road=track.road,
        drive=drive,
        start_ms=start_ms,
        noise_seed=(seed, 2, index),
        interval_s=int(rng.choice(INTERVALS_S)),
        sigma_m=float(rng.uniform(4.0, 8.0)),
        battery_pct=float(rng.uniform(58.0, 100.0)),
        drain_pct_h=float(rng.uniform(0.3, 1.1)),
    )


def _happenings(part: Part, draft: Draft, seal: Seal, elapsed_s: float) -> list[Happening]:
    told = []
    if part.role in ROAD_PLOTS:
        told.append(ROAD_PLOTS[part.role].tell(draft, seal, part.onset_s))
    elif part.role != ORDINARY:
        at_s = float(max(180, round(elapsed_s + part.onset_s)))
        told.append(SEAL_PLOTS[part.role](seal, at_s, draft.rng))
    return told + list(_passages(draft.track, seal))


def _passages(track: Track, seal: Seal) -> Iterator[Happening]:
    """Checkpoints reached and stays in zones of interest, on the whole way to the destination."""
    drive = seal.drive
    for site in track.passed:
        inside = np.flatnonzero(site.place.holds(drive.lon, drive.lat))
        if not len(inside):
            continue
        from_s, to_s = float(drive.time_s[inside[0]]), float(drive.time_s[inside[-1]])
        blind = [*(o.span for o in seal.outages), *seal.jammed]
        heard = not any(span.from_s < to_s and from_s < span.to_s for span in blind)
        if site.place.id in track.road.checkpoints:
            expect = ("CHECKPOINT_REACHED",) if heard else ()
            yield Happening("checkpoint", from_s, to_s, expect, object=site.place.id)
        else:
            seen = not any(t.holds(c) for t in track.road.tunnels for c in drive.chainage_m[inside])
            expect = ("ZONE_ENTERED",) if heard and seen and to_s - from_s > SEEN_STAY_S else ()
            yield Happening("zone", from_s, to_s, expect, object=site.place.id)


def _journey(index: int, track: Track, seal: Seal) -> dict[str, Any]:
    """A line of ``journeys.jsonl``."""
    origin, destination = _end(track, "port", 0.0), _end(track, "gate", track.road.length_m)
    due_ms = seal.start_ms + round(track.road.length_m / GRANTED_KMH * 0.06 + 60.0) * 60_000
    journey = {
        "id": f"J-{instant(seal.start_ms)[:4]}-{101 + index:06d}",
        "seal": seal.id,
        "route": track.road.id,
        "regime": "transit",
        "armed_at": instant(seal.start_ms),
        "due_at": instant(due_ms),
        "unit": origin.place.unit if origin else None,
        "declaration": f"{107_000_000_000 + 7919 * index}",
        "cargo": CARGOES[index % len(CARGOES)],
        "carrier": CARRIERS[index % len(CARRIERS)],
        "origin_zone": origin.place.id if origin else None,
        "destination_zone": destination.place.id if destination else None,
    }
    return {k: v for k, v in journey.items() if v is not None}


def _end(track: Track, kind: str, chainage_m: float) -> Site | None:
    """The port or gate at an end of the road."""
    ends = [s for s in track.allowed if kind in s.place.kinds]
    return min(ends, key=lambda s: abs(s.chainage_m - chainage_m), default=None)
