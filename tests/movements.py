"""Seals that are moved at random: what may be said to have happened, what of it is accepted, and a count by brute force."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import strategies as st

from seal_tracker.alarms.deadlines import ms_of
from seal_tracker.custody.asset import Asset, Movement, movement_in, movement_row_of
from seal_tracker.custody.moves import MOVES, Wanted, moved, registered
from seal_tracker.model import iso_ms
from seal_tracker.supervision.errors import Refused

__all__ = ["ASKED", "T0_MS", "counted", "recorded"]

T0_MS = 1_764_115_200_000
UNITS = ("port", "gate", "hq")
SEALS = ("S-1", "S-2", "S-3")
GIVEN = {"issue": "officer", "send": "to_unit", "repair": "place", "calibrate": "place", "lose": "reason", "retire": "reason", "arm": "journey"}  # fmt: skip
PLACED = {"return", "receive", "find"}

ASKED = st.lists(
    st.tuples(
        st.sampled_from(SEALS),
        st.sampled_from(("register", *MOVES)),
        st.sampled_from(UNITS),
        st.integers(0, 3),
    ),
    max_size=60,
)
"""Which seal, what is said to have happened to it, a unit, and how many seconds after the last that was recorded: also none."""


def recorded(
    asked: list[tuple[str, str, str, int]], prefix: str = "", model: str | None = None
) -> tuple[dict[str, Asset], list[Movement]]:
    """The seals as they stand, and all that was accepted."""
    assets: dict[str, Asset] = {}
    chain: list[Movement] = []
    now_ms = T0_MS
    for name, move, unit, later_s in asked:
        seal = prefix + name
        now_ms += later_s * 1000
        if move == "register":
            if seal in assets:
                continue
            at = iso_ms(now_ms)
            new = Asset(
                seal=seal,
                unit=unit,
                since=at,
                model=model,
                registered_by="an",
                registered_at=at,
                changed_by="an",
                changed_at=at,
            )
            change = registered(new, ("an", "operator"), now_ms)
        elif seal in assets:
            wanted = Wanted(move=move, **({GIVEN[move]: unit} if move in GIVEN else {}))  # type: ignore[arg-type]
            wanted = replace(wanted, unit=unit) if move in PLACED else wanted
            try:
                change = moved(assets[seal], wanted, ("an", "operator"), now_ms)
            except Refused:
                continue
        else:
            continue
        assets[seal] = change.asset
        chain.append(movement_in(movement_row_of(change.movement)))
    return assets, chain


def counted(chain: list[Movement], at_ms: int) -> Counter[tuple[str, str]]:
    """By brute force: each seal where its last movement up to then has left it."""
    last = {m.seal: (m.unit, m.state) for m in chain if ms_of(m.at) <= at_ms}
    return Counter(last.values())
