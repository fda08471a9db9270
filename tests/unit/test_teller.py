"""What is told of journeys beside events: each within its minutes, what has ended at once, after a start too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, cast

import msgspec
import pytest
from arrivals import Service, run
from story import T0_MS, Core, Ground, batch, ping

from seal_tracker import teller as module
from seal_tracker.model import LIVE
from seal_tracker.teller import ROUNDS, Teller
from seal_tracker.web.sse import Hub

SEALS = [f"S{n}" for n in range(1, 8)]


class Published:
    """The retained states, as a broker would keep them, and how often each was sent."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.sent: list[str] = []

    def publish_state(self, topic: str, payload: bytes) -> None:
        journey = topic.split("/")[-2]
        self.kept[journey] = payload
        self.sent.append(journey)


@pytest.fixture
def service() -> Service:
    """Seven seals under way, each on a journey of its own, all heard once."""
    ground = Ground()
    for seal in SEALS:
        ground.journey(seal)
    made = Service(Core(ground.plan()))
    made.feed(batch([ping(30, 500, of=seal) for seal in SEALS], made.core.numbers))
    return made


def telling(service: Service) -> tuple[Teller, Published]:
    published = Published()
    made = Teller(
        cast("Any", published), Hub(), {LIVE: service.judging}, tenant="demo", clock_ms=lambda: T0_MS
    )
    return made, published


def now(work: Callable[[], Any]) -> None:
    """Do it on the event loop, as all telling is."""

    async def turn() -> None:
        work()

    run(turn())


def test_of_many_journeys_each_is_told_in_its_own_round(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once in the minutes that so many take, however often their seals are heard meanwhile; never all at one moment."""
    monkeypatch.setattr(module, "JOURNEYS_A_MINUTE", 3)  # seven take three minutes
    monkeypatch.setattr(module, "TOLD_AT_ONCE", 0)
    teller, published = telling(service)
    now(teller._begin)
    for number in range(3 * ROUNDS):
        teller._progress(LIVE, service.judging.states.seals().tolist())
        before = len(published.sent)
        now(partial(teller._round, number))
        assert len(published.sent) - before <= 1
    assert sorted(published.sent) == [f"J-{seal}" for seal in SEALS]


def test_what_ends_before_its_first_round_after_a_start_is_emptied(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker keeps its state from before the start, which nobody has told since."""
    monkeypatch.setattr(module, "TOLD_AT_ONCE", 0)
    teller, published = telling(service)
    now(teller._begin)
    assert published.sent == []
    journeys = [
        replace(j, disarmed_at_ms=T0_MS + 40_000) if j.seal == "S3" else j for j in service.core.journeys
    ]
    service.learn(journeys, service.core.versions)
    service.tick(50)
    now(lambda: teller._journeys(service.judging, {service.judging.numbers["S3"]}))
    assert published.kept == {"J-S3": b""}


def test_few_journeys_are_told_at_the_start(service: Service) -> None:
    """Whoever subscribes then has them at once."""
    teller, published = telling(service)
    now(teller._begin)
    assert sorted(published.kept) == [f"J-{seal}" for seal in SEALS]
    assert msgspec.json.decode(published.kept["J-S1"])["status"] == "IN_TRANSIT"
