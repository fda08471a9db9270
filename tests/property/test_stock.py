"""Stock: whatever is recorded of seals, a count over units and states is that of the seals, now and at any moment before."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from seal_tracker.alarms.deadlines import ms_of
from seal_tracker.custody.asset import Asset, Movement, folded, movement_in, movement_row_of, row_of
from seal_tracker.custody.moves import MOVES, Wanted, moved, registered
from seal_tracker.model import iso_ms
from seal_tracker.supervision.errors import Refused

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


def recorded(asked: list[tuple[str, str, str, int]]) -> tuple[dict[str, Asset], list[Movement]]:
    """The seals as they stand, and all that was accepted."""
    assets: dict[str, Asset] = {}
    chain: list[Movement] = []
    now_ms = T0_MS
    for seal, move, unit, later_s in asked:
        now_ms += later_s * 1000
        if move == "register":
            if seal in assets:
                continue
            at = iso_ms(now_ms)
            new = Asset(
                seal=seal,
                unit=unit,
                since=at,
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


def taken_back(assets: dict[str, Asset], chain: list[Movement], at_ms: int) -> Counter[tuple[str, str]]:
    """As the store does it: what is now, less what has moved since."""
    stock = Counter((row.unit, row.state) for row in map(row_of, assets.values()))
    for m in chain:
        if ms_of(m.at) > at_ms:
            stock[m.unit, m.state] -= 1
            if m.from_state is not None:
                stock[m.from_unit or "", m.from_state] += 1
    return Counter({cell: n for cell, n in stock.items() if n})


@given(ASKED)
def test_the_count_always_adds_up(asked: list[tuple[str, str, str, int]]) -> None:
    """Registered less retired is the sum over units and states, at every moment, and each count is that of the seals one by one."""
    assets, chain = recorded(asked)
    for at_ms in {T0_MS - 1, *(ms_of(m.at) + d for m in chain for d in (-1, 0))}:
        stock = taken_back(assets, chain, at_ms)
        assert stock == counted(chain, at_ms)
        assert min(stock.values(), default=0) >= 0
        registered_by_then = sum(m.move == "register" and ms_of(m.at) <= at_ms for m in chain)
        retired = sum(n for (_, state), n in stock.items() if state == "retired")
        assert sum(stock.values()) - retired == registered_by_then - sum(
            m.move == "retire" and ms_of(m.at) <= at_ms for m in chain
        )


@given(ASKED)
def test_what_a_seal_is_follows_from_its_movements_alone(asked: list[tuple[str, str, str, int]]) -> None:
    """Each begins where the one before it ended, never earlier, and counts on from it; their fold is the seal as it stands."""
    assets, chain = recorded(asked)
    for seal, asset in assets.items():
        own = [m for m in chain if m.seal == seal]
        assert folded(own) == (asset.state, asset.unit)
        assert [m.number for m in own] == list(range(1, asset.number + 1))
        assert all(a.at <= b.at for a, b in pairwise(own))
        assert own[-1].at == asset.since
