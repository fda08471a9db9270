"""Stock: whatever is recorded of seals, a count over units and states is that of the seals, now and at any moment before."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given
from movements import ASKED, T0_MS, counted, recorded

from seal_tracker.alarms.deadlines import ms_of
from seal_tracker.custody.asset import Asset, Movement, folded, row_of


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
