"""The ledger's end is signed once, told, and signed again only when there is more; a database that is away is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from structlog.testing import capture_logs

from seal_tracker import checkpointing
from seal_tracker.checkpointing import EVERY_S, Checkpointer
from seal_tracker.ledger.chain import GENESIS, Head, Link, link_after
from seal_tracker.ledger.checkpoints import StoredCheckpoint, read_checkpoint, sign_checkpoint
from seal_tracker.store import StoreUnavailable

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NOW_MS = 1_790_000_000_000


class Chain:
    """A ledger in memory, which may be away."""

    def __init__(self, links: int = 0) -> None:
        self.links: list[Link] = []
        self.kept: list[StoredCheckpoint] = []
        self.away = 0
        for _ in range(links):
            self.grow()

    def grow(self) -> None:
        self.links.append(link_after(self.head, NOW_MS, [b"{}"]))

    @property
    def head(self) -> Head:
        return Head(self.links[-1].number, self.links[-1].hash) if self.links else Head(0, GENESIS)

    async def ledger_head(self) -> Head:
        if self.away:
            self.away -= 1
            raise StoreUnavailable("away")
        return self.head

    async def ledger_checkpoints(self, _before: int | None, limit: int) -> list[StoredCheckpoint]:
        return self.kept[::-1][:limit]

    async def add_ledger_checkpoint(self, checkpoint: StoredCheckpoint) -> None:
        self.kept.append(checkpoint)

    async def link_run(self, first: int, last: int, _whole: Sequence[int]) -> list[Link]:
        return [link for link in self.links if first <= link.number <= last]


def signer(chain: Chain, told: list[bytes]) -> Checkpointer:
    return Checkpointer(chain, KEY, "/seal-tracker/demo", told.append, clock_ms=lambda: NOW_MS)


async def test_the_end_is_signed_once_and_told() -> None:
    """An empty ledger has none."""
    chain, told = Chain(), []
    one = signer(chain, told)
    await one.resume()
    assert (chain.kept, told) == ([], [])
    chain.grow()
    for _ in range(3):
        await one.sign_now()
    chain.grow()
    await one.sign_now()
    assert [read_checkpoint(jws.decode()).number for jws in told] == [1, 2]
    assert [c.jws.encode() for c in chain.kept] == told


async def test_a_start_tells_the_newest_again_and_signs_what_a_crash_left() -> None:
    """Whoever lost what was retained has it again."""
    chain, told = Chain(3), []
    await signer(chain, []).resume()
    chain.grow()
    with capture_logs() as logs:
        await signer(chain, told).resume()
    assert [read_checkpoint(jws.decode()).number for jws in told] == [3, 4]
    assert logs == []


@pytest.mark.parametrize(
    ("links", "found"), [(2, "no such link"), (4, "another link")], ids=["shortened", "made anew"]
)
async def test_a_start_says_loudly_that_the_ledger_is_not_as_it_was_signed(links: int, found: str) -> None:
    """It is not ours to mend."""
    chain = Chain(links)
    chain.kept = [sign_checkpoint(KEY, "/seal-tracker/demo", Head(3, bytes(32)), NOW_MS)]
    with capture_logs() as logs:
        await signer(chain, []).resume()
    [line] = logs
    assert (line["log_level"], line["event"], line["found"]) == ("critical", "ledger.not_as_signed", found)


async def test_a_database_that_is_away_is_asked_again_within_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Checkpoints are at most 60 s apart though one attempt fails."""
    assert 2 * EVERY_S <= 60
    monkeypatch.setattr(checkpointing, "EVERY_S", 0.0)
    chain, told = Chain(1), asyncio.Event()
    chain.away = 2
    one = Checkpointer(chain, KEY, "/seal-tracker/demo", lambda _: told.set(), clock_ms=lambda: NOW_MS)
    with capture_logs() as logs:
        running = asyncio.create_task(one.run())
        async with asyncio.timeout(30):
            await told.wait()
        running.cancel()
    assert [line["event"] for line in logs] == ["ledger.not_signed"] * 2
