"""Whether what stands in the tables is what the ledger's entries lead to, and whether the ledger's own index is theirs. Pure.

Hand every link's entries in to a `Fold`, in order; then hold against it what the database has. Three things follow from the entries
alone: how an episode stands (its last event says all of it), the digest of an alarm's and a journey's row, and which links tell of a
journey.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final, NamedTuple

import msgspec
import numpy as np

from seal_tracker.ledger.entries import about, index_in, states_in
from seal_tracker.ledger.told import UNREADABLE, digest_of, event_columns, read_event
from seal_tracker.ledger.versions import deed_in
from seal_tracker.model import iso_ms

__all__ = ["RETRACTED", "Fold", "Row", "Standing"]

TRANSITIONS: Final = frozenset({"raised", "updated", "cleared", "retracted"})
"""What an episode goes through; any other is a step of an alarm, which shows the episode as it was."""

RETRACTED: Final = "retracted"

EPISODE: Final = "episode/"
PLAN: Final = "plan/"

NEVER_MS: Final = -(2**63)
FOREVER_MS: Final = 2**63 - 1


class Standing(NamedTuple):
    """How the entries leave something: its digest (None: only that it is there), and the number of the link that said so."""

    digest: int | str | None
    link: int


class Row(NamedTuple):
    """A row of a table as it is compared: its name, its digest, and when it was made or last changed."""

    name: str
    digest: int | str
    at_ms: int


class Fold:
    """What the entries lead to. Call `take` with each link in order, then the checks.

    Parameters
    ----------
    fault
        is told of each thing that does not fit.

    Attributes
    ----------
    episodes, states
        how each episode, and each alarm and journey, stands, by name (``episode/ID``, ``alarm/ID``, ``journey/ID``).
    versions
        the versions of each journey (``journey/ID version N``).
    uncovered
        how many rows there are that no entry vouches for, by what they are.
    first_event
        sequence of the first event that is told; None: none is.
    changed
        when each episode changed last, as its row must say; those that an earlier release told of last are absent.
    """

    def __init__(self, fault: Callable[[str], None]) -> None:
        self.episodes: dict[str, Standing] = {}
        self.states: dict[str, Standing] = {}
        self.changed: dict[str, Standing] = {}
        self.versions: dict[str, Standing] = {}
        self.uncovered: Counter[str] = Counter()
        self.first_event: int | None = None
        self._fault = fault
        self._nothing_before = True
        self._events_since_ms = FOREVER_MS
        self._states_since_ms = FOREVER_MS
        self._plans_since: int | None = None
        self._without_states = False
        self._links_of: dict[str, array[int]] = {}
        self._columns: list[bytes] = []

    def logged(self) -> list[bytes]:
        """What the log's row of each event since the last call must say beside its body, in order, as `event_columns` writes it."""
        columns, self._columns = self._columns, []
        return columns

    def take(self, link: int, recorded_ms: int, entries: Sequence[tuple[bytes, int | None]]) -> None:
        """Take in the entries of a link, each with its sequence; None: it is no event."""
        told: dict[str, int] = {}
        said: dict[str, tuple[int, int]] = {}
        for entry, sequence in entries:
            if sequence is not None:
                journey = self._take_event(link, recorded_ms, entry, sequence)
            elif (index := index_in(entry)) is not None:
                said[index.journey] = index.after, index.entries
                continue
            elif states := states_in(entry):
                self._states_since_ms = min(self._states_since_ms, recorded_ms)
                for name, digest in states.items():
                    kept = self.changed if name.startswith(EPISODE) else self.states
                    kept[name] = Standing(digest, link)
                continue
            else:
                journey = self._take_deed(link, entry)
            if journey is not None:
                told[journey] = told.get(journey, 0) + 1
        if self.first_event is not None and self._states_since_ms == FOREVER_MS:
            self._without_states = True
        self._check_index(link, told, said)

    def older(self, events: int) -> None:
        """So many events are in the log from before the ledger: only then may episodes and alarms be. Call before the checks."""
        if events:
            self._nothing_before = False
            self.uncovered["events of before the ledger"] += events

    def _take_deed(self, link: int, entry: bytes) -> str | None:
        """Fold what somebody did; the journey that it tells of."""
        journey, row, version = deed_in(entry)
        if row is not None:
            self.states.setdefault(row, Standing(None, link))
        if version is not None:
            self.versions[version[0]] = Standing(version[1], link)
        return journey

    def _take_event(self, link: int, recorded_ms: int, entry: bytes, sequence: int) -> str | None:
        """Fold an event; the journey that it tells of."""
        if self.first_event is None:
            self.first_event, self._events_since_ms = sequence, recorded_ms
        try:
            event = read_event(entry)
        except msgspec.MsgspecError:
            self._columns.append(UNREADABLE)
            return about(entry).journey
        self._columns.append(event_columns(event))
        properties = event.data.properties
        if properties.alarm is None and properties.transition in TRANSITIONS:
            taken_back = properties.transition == "retracted"
            standing = Standing(RETRACTED if taken_back else digest_of(event), link)
            self._stands(f"{EPISODE}{properties.episode}", standing)
            for replaced in properties.references:
                self._stands(f"{EPISODE}{replaced}", Standing(RETRACTED, link))
        return properties.journey

    def _stands(self, name: str, standing: Standing) -> None:
        """What an event says of an episode; when it changed is said again by the same link, if at all."""
        self.episodes[name] = standing
        self.changed.pop(name, None)

    def _check_index(self, link: int, told: Mapping[str, int], said: Mapping[str, tuple[int, int]]) -> None:
        """A link that has an index has it of every journey it tells of; links of earlier releases have none."""
        for journey, count in told.items():
            links = self._links_of.get(journey)
            if links is None:
                links = self._links_of[journey] = array("Q")
            before = links[-1] if links else 0
            if said and said.get(journey) != (before, count):
                self._fault(
                    f"link {link}: its index is wrong about journey {journey}, of which it tells {count} entries, and link {before} "
                    "the last before"
                )
            links.append(link)
        if len(said) > len(told) or any(journey not in told for journey in said):
            for journey in said.keys() - told.keys():
                self._fault(f"link {link}: its index names journey {journey}, of which it tells nothing")

    def check_journeys(self, listed: Mapping[str, bytes]) -> None:
        """Hold the table that leads to journeys' links against the entries: SHA-256 of the numbers (8 bytes each) by journey."""
        for journey in sorted(listed.keys() | self._links_of.keys()):
            if journey not in self._links_of:
                self._fault(f"ledger.journeys: lists links of journey {journey}, and none tells of it")
            elif listed.get(journey) != _digest_of_links(self._links_of[journey]):
                self._fault(f"ledger.journeys: its links of journey {journey} are not those that tell of it")

    def check_episodes(self, rows: Iterable[Row]) -> None:
        """Hold some of the table's episodes against what they ought to be."""
        rows = list(rows)
        self._check(self.episodes, rows, NEVER_MS if self._nothing_before else self._events_since_ms)
        for row in rows:
            standing = self.changed.pop(row.name, None)
            if standing is not None and standing.digest != iso_ms(row.at_ms):
                self._fault(
                    f"{row.name}: changed_at in its table is {iso_ms(row.at_ms)}, and link {standing.link} says {standing.digest}"
                )

    def check_alarms(self, rows: Iterable[Row]) -> None:
        """Hold some of the table's alarms against what they ought to be."""
        told_from_the_first = self._nothing_before and not self._without_states
        self._check(self.states, rows, NEVER_MS if told_from_the_first else self._states_since_ms)

    def check_states(self, rows: Iterable[Row]) -> None:
        """Hold some rows of a table that is younger than the ledger against what they ought to be: it has told of each."""
        self._check(self.states, rows, NEVER_MS)

    def check_plans(self, rows: Iterable[Row]) -> None:
        """Hold some versions of the plan, each with its number for a time, against what they ought to be.

        Versions rise by one, so those before the first that a link tells are an earlier release's, which told none.
        """
        if self._plans_since is None:
            told = [
                int(n.removeprefix(PLAN)) for n, s in self.states.items() if n.startswith(PLAN) and s.digest
            ]
            self._plans_since = min(told, default=FOREVER_MS)
        self._check(self.states, rows, self._plans_since)

    def check_versions(self, rows: Iterable[Row]) -> None:
        """Hold some versions of journeys against the deeds that made them."""
        self._check(self.versions, rows, NEVER_MS)

    def check_missing(self) -> None:
        """Call once, after all rows: name what none of them was. Nothing that is told of is ever deleted."""
        for known in (self.episodes, self.states, self.versions):
            for name, standing in known.items():
                if standing.digest != RETRACTED:
                    self._fault(f"{name}: is missing from its table; link {standing.link} says how it stands")

    def _check(self, known: dict[str, Standing], rows: Iterable[Row], since_ms: int) -> None:
        """Rows that are found are taken out of ``known``; one from before ``since_ms`` may be older than the ledger."""
        for row in rows:
            standing = known.pop(row.name, None)
            if standing is None and row.at_ms < since_ms:
                self.uncovered[f"{row.name.partition('/')[0]}s of before the ledger"] += 1
            elif standing is None:
                self._fault(f"{row.name}: is in its table, and nothing recorded it")
            elif standing.digest is None:
                self.uncovered[f"{row.name.partition('/')[0]}s whose content no link says yet"] += 1
            elif standing.digest != row.digest:
                self._fault(f"{row.name}: in its table it is not what link {standing.link} says")


def _digest_of_links(numbers: array[int]) -> bytes:
    """SHA-256 over numbers as the database writes them: 8 bytes each, big-endian."""
    return sha256(np.array(numbers, ">u8").tobytes()).digest()
