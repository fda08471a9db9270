"""The second stage of one space's judging: what a batch says of devices compared with others. Reads the store.

    pings ─ of a device compared? ─ accepted fixes ─┬─ pairs followed already ─────────────────┬─ judge ─ Beside
                                                    └─ others: tracks and episodes from store ─┘

State: `Companions`, and the newest now. What a batch costs is that of its own fixes, but for pairs met first since the
start, touched by late pings or by changed facts: those read both devices' pings since arming (from the newest checkpoint
before it) and are judged from nothing. That takes 1 µs a ping beside the reading: for a week of two devices at 30 s, 40 ms.
A pair of which one device fell an hour behind reads from where it stood. Nothing is read where no journey has companions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from uuid import UUID

import numpy as np
import structlog
from numpy.typing import NDArray

from seal_tracker.companions.batch import Heard, Judged, Need
from seal_tracker.companions.memory import Companions
from seal_tracker.companions.table import UNKNOWN
from seal_tracker.companions.tracks import EMPTY, Track, accepted, newest_fix
from seal_tracker.model import NO_TIME, Episode, PingBatch
from seal_tracker.rules.catalog import PAIR_RULES
from seal_tracker.rules.pairs import UNENDED_MS, Pair
from seal_tracker.store.records import EpisodeRow
from seal_tracker.tracking.epochs import Facts
from seal_tracker.tracking.order import effective_time_ms
from seal_tracker.tracking.state import SealState, SealStates, StateFormatError, blank_rows

__all__ = ["ACROSS", "Beside", "CompanionSpace"]

log = structlog.get_logger(__name__)

ACROSS = frozenset(rule.name for rule in PAIR_RULES)
"""Event types of the second stage across devices: the first must leave their stored episodes alone."""


BLANK = blank_rows(1)["track"][0]
"""The track of a device that has said nothing."""


class CompanionStore(Protocol):
    """What is read."""

    async def pings_after(self, seals: Sequence[int], after_ms: Sequence[int]) -> PingBatch: ...
    async def newest_checkpoints(
        self, seals: Sequence[int], before_ms: Sequence[int] | None = None
    ) -> dict[int, tuple[int, bytes]]: ...
    async def unsettled_episodes(self, seals: Sequence[int], after_ms: Sequence[int]) -> list[EpisodeRow]: ...


@dataclass
class Beside:
    """What the second stage adds to what a batch would change; see `CompanionSpace.install`.

    ``late_before_ms`` is by the name of a lead device; ``devices`` are the numbers of those judged; ``open_read`` says
    that what had been left open before the start was looked for.
    """

    before: dict[UUID, Episode] = field(default_factory=dict)
    after: dict[UUID, Episode] = field(default_factory=dict)
    late_before_ms: dict[str, int] = field(default_factory=dict)
    devices: set[int] = field(default_factory=set)
    installs: list[Judged] = field(default_factory=list)
    open_read: bool = False


class CompanionSpace:
    """The second stage of one space. See the module."""

    def __init__(self, store: CompanionStore) -> None:
        self._store = store
        self._mine = Companions()
        self._open_read = False
        self._now_ms: int | None = None

    def forget(self, seals: Collection[int]) -> None:
        """On any doubt: read these anew when they, or time, are judged next."""
        self._mine.forget(seals)
        self._open_read = False

    def let_go(self, facts: Facts) -> None:
        """Compare by these journeys; what is not among them any more has ended, and stands as it was told."""
        self._mine.let_go(facts)

    def install(self, beside: Beside) -> None:
        """Remember what was found, now that it is stored."""
        for found in beside.installs:
            self._mine.install(found)
        self._open_read |= beside.open_read

    async def prepare(self, facts: Facts, pings: PingBatch, states: SealStates) -> Beside:
        """Find what new pings would change; ``states`` are those of the first stage before them."""
        out = Beside()
        self._mine.use(facts)
        devices = self._mine.table.devices
        pings = pings.take(np.isin(pings.seal, devices)) if len(devices) else PingBatch.empty()
        if not len(pings):
            return out
        seals = np.unique(pings.seal)
        tracks = states.take(seals)["track"]
        heard = _heard(pings, seals, tracks["last_ms"])
        late = {d: int(known) for d, known in zip(heard, tracks["last_ms"], strict=True) if heard[d].late}
        timely = pings.take(~np.isin(pings.seal, np.fromiter(late, np.int64, len(late))))
        fresh = accepted(dict(zip(heard, tracks, strict=True)), timely)
        need = self._mine.due(heard)
        out.late_before_ms = self._late_before(need, late)
        await self._judge(facts, need, fresh, pings, out)
        return out

    async def pass_time(self, facts: Facts) -> Beside:
        """Find what the end of journeys changes by ``facts.now_ms``, of pairs not followed since the start too."""
        out = Beside()
        self._mine.use(facts)
        if facts.now_ms is None or not len(self._mine.table):
            return out
        if not self._open_read:
            leads = dict.fromkeys(self._mine.table.lead.tolist(), facts.now_ms)
            still_open = {e.journey for e in await self._stored(leads) if e.ended_at_ms is None}
            unread = {j for j in still_open if j is not None} - self._mine.remembered()
            await self._judge(facts, self._mine.due_again(unread), {}, PingBatch.empty(), out)
            out.open_read = True
        self._add(self._mine.over(facts.now_ms), out)
        return out

    async def again(self, facts: Facts, since_ms: Mapping[str, int]) -> Beside:
        """Judge what compares these seals, by name, again, because facts about their journeys have changed since then."""
        out = Beside()
        self._mine.use(facts)
        stored = await self._stored(_by_number(facts, {seal: at - 1 for seal, at in since_ms.items()}))
        named = {e.journey for e in stored} | {j for e in stored for j in e.evidence.get("journeys", ())}
        compared = {p.journey for p in self._mine.table.pairs if _concerns(p, since_ms)}
        journeys = {j for j in named | compared | self._mine.stale if j is not None}
        apart = journeys - self._mine.table.of_journey.keys()  # they compare nothing any more
        leads = {
            s.device: s.from_ms - 1
            for j in (reversed(facts.journeys.journeys) if apart else ())
            if j.id in apart
            for s in j.served
            if s.leads
        }
        known = _by_journey([*stored, *await self._stored(_by_number(facts, leads))])
        await self._judge(facts, self._mine.due_again(journeys), {}, PingBatch.empty(), out, known)
        self._add(self._mine.gone(journeys, known), out)
        return out

    async def _judge(
        self,
        facts: Facts,
        need: Need,
        fresh: Mapping[int, Track],
        pings: PingBatch,
        out: Beside,
        known: Mapping[str, Mapping[UUID, Episode]] | None = None,
    ) -> None:
        if not len(need.which):
            return
        read = await self._read(need.tracks_since, pings)
        leads = {lead: from_ms - 1 for lead, from_ms in sorted(need.journeys.values(), reverse=True)}
        found = _by_journey(await self._stored(leads))
        stored = {j: {**(known or {}).get(j, {}), **found.get(j, {})} for j in need.journeys}
        self._now_ms = _newest([self._now_ms, facts.now_ms, *_ends_told(stored.values())])
        self._add(self._mine.judge(replace(facts, now_ms=self._now_ms), need, fresh, read, stored), out)

    async def _read(self, since_ms: Mapping[int, int], new: PingBatch) -> dict[int, Track]:
        """Tracks of devices from the last fix before a moment on, with new pings among the stored ones."""
        if not since_ms:
            return {}
        devices = list(since_ms)
        found = await self._store.newest_checkpoints(devices, [since_ms[d] for d in devices])
        states = {d: _track_of(found[d][1]) for d in found}
        after = [found[d][0] if states.get(d) is not None else NO_TIME for d in devices]
        pings = PingBatch.concat(
            [await self._store.pings_after(devices, after), new.take(np.isin(new.seal, devices))]
        )
        begin = {d: BLANK if (state := states.get(d)) is None else state for d in devices}
        added = accepted(begin, pings)
        return {d: newest_fix(begin[d]).followed_by(added.get(d, EMPTY)) for d in devices}

    async def _stored(self, after_ms: Mapping[int, int]) -> list[Episode]:
        """Stored episodes of this stage, of lead devices by number, that were not settled by a time."""
        wanted = {lead: at for lead, at in after_ms.items() if lead != UNKNOWN}
        rows = await self._store.unsettled_episodes(list(wanted), list(wanted.values())) if wanted else []
        return [row.episode for row in rows if row.episode.type in ACROSS]

    def _late_before(self, need: Need, late: Mapping[int, int]) -> dict[str, int]:
        """How far the pairs that late pings touch had been judged at most, by lead."""
        found: dict[str, int] = {}
        table = self._mine.table
        for i in need.which[need.anew].tolist():
            lead = table.pairs[i].lead
            for known in (late[d] for d in (int(table.lead[i]), int(table.other[i])) if d in late):
                found[lead] = max(known, found.get(lead, known))
        return found

    def _add(self, found: Judged, out: Beside) -> None:
        out.before |= found.before
        out.after |= found.after
        for column in (self._mine.table.lead, self._mine.table.other):
            out.devices.update(d for d in column[found.which].tolist() if d != UNKNOWN)
        out.installs.append(found)


def _heard(pings: PingBatch, seals: NDArray[Any], known_ms: NDArray[np.int64]) -> dict[int, Heard]:
    """When the pings of each seal count, and whether some count before what was known of it."""
    at = effective_time_ms(pings)
    row = np.searchsorted(seals, pings.seal)
    first, last = np.full(len(seals), UNENDED_MS), known_ms.copy()
    np.minimum.at(first, row, at)
    np.maximum.at(last, row, at)
    return {
        seal: Heard(first_ms, last_ms, late=first_ms <= known)
        for seal, first_ms, last_ms, known in zip(
            seals.tolist(), first.tolist(), last.tolist(), known_ms.tolist(), strict=True
        )
    }


def _track_of(checkpoint: bytes) -> np.void | None:
    """The track's part of a stored state, None where another version of the service wrote it: all pings are read then."""
    try:
        track: np.void = SealState.load(checkpoint).row["track"][0]
    except StateFormatError as fault:
        log.info("companions.checkpoint_not_read", reason=str(fault))
        return None
    return track


def _concerns(pair: Pair, since_ms: Mapping[str, int]) -> bool:
    """Whether a pair compares one of some devices after a time."""
    return any(pair.to_ms > since_ms[d] for d in (pair.lead, pair.other) if d in since_ms)


def _by_number(facts: Facts, after_ms: Mapping[str, int]) -> dict[int, int]:
    """What is given by a device's name, by its number; names that have none are left out."""
    if not after_ms:
        return {}
    return {number: after_ms[name] for number, name in facts.names.items() if name in after_ms}


def _by_journey(episodes: Iterable[Episode]) -> dict[str, dict[UUID, Episode]]:
    found: dict[str, dict[UUID, Episode]] = {}
    for episode in episodes:
        found.setdefault(episode.subject, {})[episode.episode] = episode
    return found


def _ends_told(stored: Iterable[Mapping[UUID, Episode]]) -> Iterator[int | None]:
    """Ends of journeys that stored episodes show to have come: a start that has heard no canary must not undo them."""
    for episodes in stored:
        yield from (e.cleared_at_ms for e in episodes.values() if e.evidence.get("closed_by") == "disarmed")


def _newest(times_ms: Iterable[int | None]) -> int | None:
    return max((t for t in times_ms if t is not None), default=None)
