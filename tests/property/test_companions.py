"""Rules across devices: what is stored is a function of the devices' pings, whatever way these came."""

from __future__ import annotations

import asyncio
import os
from datetime import datetime
from unittest.mock import patch
from uuid import UUID

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from live_space import Live
from story import T0_MS, Ground, Ping, batch, iso, ping

from seal_tracker import space
from seal_tracker.changes import fold
from seal_tracker.companion_space import ACROSS, BLANK
from seal_tracker.companions import batch as companion_batch
from seal_tracker.companions.batch import Heard
from seal_tracker.companions.history import companion_episodes
from seal_tracker.companions.memory import Companions
from seal_tracker.companions.tracks import Track, accepted
from seal_tracker.episodes_file import episode_line, in_file_order
from seal_tracker.model import LIVE, NO_TIME, Episode, PingBatch
from seal_tracker.plans.model import Plan
from seal_tracker.tracking.epochs import Facts, JourneyTable, Version
from seal_tracker.tracking.order import fresh
from seal_tracker.tracking.terrains import terrain_of

EXAMPLES = int(os.environ.get("LAW_EXAMPLES", "200")) // 20 + 90
"""Five devices each: as dear as ten of the law of convergence."""
"""For the pairs alone; the whole service around them takes a hundred times as long, and a quarter of the examples."""

DEVICES = ("S1", "T1", "E1", "S2", "S3")
NUMBERS = {device: i + 1 for i, device in enumerate(DEVICES)}
NOW_S = 9000.0
PLACES = st.integers(0, 1000)


def ground() -> Ground:
    """A lorry with trailer and escort and two heavy vehicles, all of which must be alone on one bridge."""
    made = Ground().zone("bridge", 1000, 0, 250, "structure").route("R", (0, 0), (1500, 30), (9000, 0))
    for rule in ("DETACHMENT", "CONVOY_SEPARATION"):
        made.policy(f"default.{rule}", raise_fixes=2, raise_s=20)
    alone = [{"zone": "bridge", "alone": True}]
    devices = [{"id": "T1", "role": "trailer"}, {"id": "E1", "role": "escort"}]
    permit = {"number": "P", "structures": alone, "escorts": [{"device": "E1", "gap_m": 400}]}
    resets = [{"at": iso(at), "rule": "DETACHMENT", "object": "T1", "by": "an officer"} for at in (300, 650)]
    made.journey("S1", armed_s=60, disarmed_s=900, devices=devices, permit=permit, resets=resets, route="R")
    made.journey("S1", id="J-again", armed_s=900, disarmed_s=4000, devices=devices[:1])
    for seal, end_s in (("S2", None), ("S3", 1200)):
        made.journey(
            seal,
            disarmed_s=end_s,
            permit={"number": seal, "structures": alone},
            regime="oversized",
            route="R",
        )
    return made


def second_ground() -> Ground:
    """A later version: one rule off, another stricter, the bridge somewhere else."""
    made = ground()
    made.zones.clear()
    made.zone("bridge", 700, 0, 250, "structure")
    made.policy("transit.CONVOY_SEPARATION", enabled=False)
    return made.policy("transit.DETACHMENT", apart_m=200, severity="high", latched=True)


PLAN, SECOND, THIRD = ground().plan(1), second_ground().plan(2), ground().plan(3)
LATER = ((200, SECOND), (500, THIRD))


def ms(time: str) -> int:
    """A time as written, in epoch ms."""
    return round(datetime.fromisoformat(time).timestamp() * 1000)


@st.composite
def track(draw: st.DrawFn, device: str) -> list[Ping]:
    """Pings of one device on the way over the bridge, now with the others, now ahead or behind, perhaps silent once."""
    t, every_s = draw(st.sampled_from([0, 7, 13])), draw(st.sampled_from([20, 30, 60]))
    silent_at, silent_s = draw(st.integers(0, 20)), draw(st.sampled_from([200, 290, 310, 700]))
    offsets = draw(st.lists(st.sampled_from([0, 0, 120, 350, 600, 800, 40_000]), min_size=4, max_size=4))
    out = []
    for i in range(draw(st.sampled_from([15, 12, 8, 2]))):
        out.append(ping(t, 500 + 2 * t + offsets[i // 4], of=device))
        t += silent_s if i == silent_at else every_s
    return out


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[list[Ping]], list[str]]:
    """Batches in which the pings come, each device's with a delay of its own or all at random, and what happens after each."""
    tracks = [draw(track(device)) for device in DEVICES]
    delays = [draw(st.sampled_from([0, 0, 45, 400])) for _ in tracks]
    keyed = [(p["time"], k, p) for k, told in enumerate(tracks) for p in told]
    arrived = [p for _, k, p in sorted(keyed, key=lambda one: (ms(one[0]) + 1000 * delays[one[1]], one[1]))]
    for i, j in draw(
        st.lists(st.tuples(PLACES, PLACES), max_size=4)
    ):  # some come late, or early, twice or anew
        again = arrived[i % len(arrived)]
        happens = draw(st.sampled_from(["moved", "twice", "better"]))
        if happens == "moved":
            arrived.remove(again)
        elif happens == "better":
            again = {**again, "lat": again["lat"] + 0.004, "satellites": 12}
        arrived.insert(j % (len(arrived) + 1), again)
    size = draw(st.integers(1, 9))
    batches = [arrived[i : i + size] for i in range(0, len(arrived), size)]
    between = st.sampled_from(["nothing"] * 12 + ["canary", "restart", "doubt"])
    return batches, [draw(between) for _ in batches]


class Happening(Live):
    """With what happens between batches."""

    async def happen(self, what: str) -> None:
        if what == "restart":
            await self.start()
        elif what == "canary":
            await self.pass_time(NOW_S)
        elif what == "doubt":
            self.judging.forget(list(self.judging.names)[::2])

    def across(self) -> list[Episode]:
        return [e for e in self.store.episodes if e.type in ACROSS]


def versions(later: tuple[tuple[float, Plan], ...]) -> list[tuple[int, Plan]]:
    return [(NO_TIME, PLAN), *((T0_MS + round(s * 1000), plan) for s, plan in later)]


def all_facts(dated: list[tuple[int, Plan]]) -> Facts:
    """By what everything is judged at once."""
    return Facts(
        LIVE,
        tuple(Version(at, plan, terrain_of(plan)) for at, plan in dated),
        JourneyTable.build(dated[-1][1].journeys, NUMBERS),
        {number: name for name, number in NUMBERS.items()},
        T0_MS + round(NOW_S * 1000),
    )


def heard(told: list[Ping]) -> PingBatch:
    pings = batch(told, NUMBERS)
    return pings.take(fresh(pings))


def all_at_once(told: list[Ping], dated: list[tuple[int, Plan]]) -> list[Episode]:
    return list(companion_episodes(all_facts(dated), heard(told)).values())


def from_last_before(track: Track, at: int) -> Track:
    """What reading a track since a moment gives: not one fix more than it must."""
    return track.after(max(int(np.searchsorted(track.time_ms, at)) - 1, 0))


def next_pieces(tracks: dict[int, Track], known: dict[int, Track], devices: list[int]) -> dict[int, Track]:
    """For each mention of a device its next fix, as long as there are any."""
    pieces = {}
    for device in devices:
        n, more = len(known[device]), devices.count(device)
        piece = tracks.get(device, Track.empty()).after(n)
        if len(piece):
            pieces[device] = Track(piece.time_ms[:more], piece.lon_e7[:more], piece.lat_e7[:more])
    return pieces


def text(episodes: list[Episode]) -> str:
    return b"".join(episode_line(e) for e in in_file_order(episodes)).decode()


@settings(max_examples=EXAMPLES, deadline=None)
@given(cases(), st.booleans(), st.sampled_from([100_000, 400_000, 3_600_000]))
def test_what_pairs_tell_does_not_depend_on_how_their_tracks_were_cut(
    case: tuple[list[list[Ping]], list[str]], replanned: bool, park_after_ms: int
) -> None:
    """Each device's fixes in order, in any pieces and any interleaving with the others', give what all at once gives.

    Whatever is kept in memory of the tracks: a pair may be parked, and its tracks be read from where it stood.
    """
    batches, _ = case
    facts = all_facts(versions(LATER if replanned else ()))
    told = [p for batch_ in batches for p in batch_]
    tracks = accepted(dict.fromkeys(facts.names, BLANK), heard(told))
    known = {d: Track.empty() for d in facts.names}
    companions = Companions()
    companions.use(facts)
    stored: dict[UUID, Episode] = {}
    with patch.object(companion_batch, "PARK_AFTER_MS", park_after_ms):
        for pieces in batches:
            fresh_ = next_pieces(tracks, known, [NUMBERS[p["of"]] for p in pieces])
            need = companions.due(
                {d: Heard(int(t.time_ms[0]), int(t.time_ms[-1]), late=False) for d, t in fresh_.items()}
            )
            known |= {d: known[d].followed_by(t) for d, t in fresh_.items()}
            read = {d: from_last_before(known[d], at) for d, at in need.tracks_since.items()}
            found = companions.judge(facts, need, fresh_, read, {})
            companions.install(found)
            stored = {k: e for k, e in stored.items() if k not in found.before} | found.after
    found = companions.over(facts.now_ms or 0)
    stored = {k: e for k, e in stored.items() if k not in found.before} | found.after
    assert text(list(stored.values())) == text(list(companion_episodes(facts, heard(told)).values()))


@settings(max_examples=max(EXAMPLES // 4, 1), deadline=None)
@given(cases(), st.booleans(), st.sampled_from([100_000, 400_000, 3_600_000]))
def test_what_is_stored_of_pairs_does_not_depend_on_how_their_pings_came(
    case: tuple[list[list[Ping]], list[str]], replanned: bool, park_after_ms: int
) -> None:
    """Any interleaving of the devices' batches, late ones, doubts and restarts among them, gives what all at once gives.

    And the events told on the way, folded in the order of their sequence, give it too.
    """
    batches, happenings = case
    dated = versions(LATER if replanned else ())

    async def live() -> Happening:
        service = Happening(dated)
        await service.start()
        for told, what in zip(batches, happenings, strict=True):
            if told:
                await service.hear(told)
            await service.happen(what)
        await service.pass_time(NOW_S)
        return service

    with (
        patch.object(space, "CHECKPOINT_EVERY", 3),
        patch.object(companion_batch, "PARK_AFTER_MS", park_after_ms),
    ):
        service = asyncio.run(live())
    assert text(service.across()) == text(all_at_once([p for told in batches for p in told], dated))
    folded = fold(service.store.events)
    kept = [msgspec.structs.replace(e, changed_ms=0, settled_ms=None) for e in service.store.episodes]
    assert folded == {e.episode: e for e in kept}
