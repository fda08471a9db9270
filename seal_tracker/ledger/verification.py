"""Whether a chain is whole. Pure: links are handed in as they are read, in order, and the first that does not fit is named.

What a broken chain can look like: an entry edited, a link removed or moved, its tail cut off, or all of it made anew. The last two leave
a chain that fits in itself; only a checkpoint tells, and only one held elsewhere tells of a tail cut off with its checkpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from itertools import zip_longest
from typing import Final, NamedTuple

import msgspec

from seal_tracker.ledger.chain import GENESIS, Link, LinkError, link_hash, unpack
from seal_tracker.ledger.checkpoints import Checkpoint, CheckpointError, fingerprint, read_checkpoint
from seal_tracker.ledger.entries import is_action, sequence_of
from seal_tracker.ledger.told import EVENT_COLUMNS
from seal_tracker.model import iso_ms

__all__ = ["MAX_FAULTS", "Break", "ChainCheck", "LogCheck", "Mark", "Told", "events_digest", "read_marks"]

MAX_FAULTS: Final = 20
"""So many faults of the log are told one by one."""


class Break(NamedTuple):
    """Where a chain is broken: the first link that does not fit, and what does not."""

    number: int
    what: str


class Mark(NamedTuple):
    """A checkpoint to check by; ``held`` where somebody else kept it, so that nobody can have removed it."""

    checkpoint: Checkpoint
    held: bool


def read_marks(
    lines: Iterable[tuple[str, str]], *, held: bool, trusted: Sequence[bytes] = ()
) -> tuple[list[Mark], list[str]]:
    """Checkpoints of (where it stands, JWS), and the faults of those that cannot be believed.

    With ``trusted`` (raw public keys) those of other keys are faults.
    """
    marks: list[Mark] = []
    faults: list[str] = []
    for where, jws in lines:
        try:
            checkpoint = read_checkpoint(jws)
        except CheckpointError as error:
            faults.append(f"{where}: {error}")
            continue
        if trusted and checkpoint.key not in trusted:
            faults.append(f"{where}: signed by another key, {fingerprint(checkpoint.key)}")
            continue
        marks.append(Mark(checkpoint, held))
    return marks, faults


class ChainCheck:
    """Checks one chain. Hand all links in to `take`, in order and from the first, then call `end` once.

    Attributes
    ----------
    broken
        The first link that does not fit, or None.
    links, entries
        How many fit so far.
    first_ms, last_ms
        When the first and the last of them were recorded.
    signed_to, held_to
        The last link that any checkpoint covers, and that a held one covers; 0: none.
    events, actions
        Of the links last taken: (sequence, hash) of each event, and the hash of each action, in order.

    Parameters
    ----------
    fold
        Is called with the number, the time (epoch ms) and the entries of each link that fits, each entry with its sequence (None: it is no event).
    """

    def __init__(
        self,
        marks: Iterable[Mark],
        fold: Callable[[int, int, Sequence[tuple[bytes, int | None]]], None] | None = None,
    ) -> None:
        self._fold = fold
        self.broken: Break | None = None
        self.links = self.entries = self.signed_to = self.held_to = 0
        self.first_ms: int | None = None
        self.last_ms: int | None = None
        self.unsigned_since_ms: int | None = None
        self.head = GENESIS
        self.events: list[tuple[int, bytes]] = []
        self.actions: list[bytes] = []
        self._marks: dict[int, list[Mark]] = {}
        for mark in marks:
            self._marks.setdefault(mark.checkpoint.number, []).append(mark)

    def take(self, links: Iterable[Link]) -> bool:
        """Check the next links; False once the chain is broken: the rest says nothing more."""
        if self.broken is not None:
            return False
        self.events, self.actions = [], []
        for link in links:
            what = self._fault(link)
            if what is not None:
                self.broken = Break(self.links + 1, what)
                return False
            self.links, self.head, self.last_ms = link.number, link.hash, link.recorded_ms
            if self.first_ms is None:
                self.first_ms = link.recorded_ms
            if self.unsigned_since_ms is None:
                self.unsigned_since_ms = link.recorded_ms
            if link.number in self._marks and not self._marked(link):
                return False
        return True

    def end(self) -> None:
        """There are no more links: what checkpoints promise beyond the last one is missing."""
        beyond = [
            mark for marks in self._marks.values() for mark in marks if mark.checkpoint.number > self.links
        ]
        if self.broken is None and beyond:
            last = max(beyond, key=lambda mark: mark.checkpoint.number).checkpoint
            self.broken = Break(
                self.links + 1,
                f"missing: the chain ends at {self.links}, and a checkpoint of {last.time} signed link {last.number}",
            )

    def _fault(self, link: Link) -> str | None:
        """What does not fit about a link."""
        expected = self.links + 1
        if link.number != expected:
            return f"missing: link {link.number} comes after link {self.links}"
        if link.previous != self.head:
            return f"does not follow link {self.links}: the hash it names is another"
        try:
            entries = unpack(link.body)
        except LinkError as error:
            return str(error)
        hashes = [sha256(entry).digest() for entry in entries]
        of_entries = sha256(b"".join(hashes)).digest()
        if of_entries != link.entries_hash:
            return "its entries are not those it was made of"
        if link_hash(link.number, link.previous, link.recorded_ms, of_entries) != link.hash:
            return f"its hash is not that of its content recorded at {iso_ms(link.recorded_ms)}"
        self.entries += len(entries)
        sequences = list(map(sequence_of, entries))
        for entry, digest, sequence in zip(entries, hashes, sequences, strict=True):
            if sequence is not None:
                self.events.append((sequence, digest))
            elif is_action(entry):
                self.actions.append(digest)
        if self._fold is not None:
            self._fold(link.number, link.recorded_ms, list(zip(entries, sequences, strict=True)))
        return None

    def _marked(self, link: Link) -> bool:
        """Whether the link is the one that its checkpoints signed."""
        for checkpoint, held in self._marks[link.number]:
            if checkpoint.hash != link.hash:
                self.broken = Break(
                    link.number,
                    f"is not the link that the checkpoint of {checkpoint.time} signed: what follows link "
                    f"{self.signed_to} was made anew",
                )
                return False
            if held:
                self.held_to = link.number
        self.signed_to, self.unsigned_since_ms = link.number, None
        return True


class Told(NamedTuple):
    """An event as the ledger tells it: SHA-256 of its body, and what the other columns of its row must be (`event_columns`)."""

    sequence: int
    digest: bytes
    columns: bytes


def events_digest(told: Iterable[Told]) -> bytes:
    """What stands for events, in their order. A JSON array says itself where it ends."""
    return sha256(b"".join([event[0].to_bytes(8, "big") + event[1] + event[2] for event in told])).digest()


class LogCheck:
    """Checks that the logs people see, of events and of actions, are what a whole chain tells.

    From the first event that the ledger tells on, both must have the same: nothing ever deletes one. Those before it are looked at apart.

    Attributes
    ----------
    faults
        What differs, the first `MAX_FAULTS` of ``found``.
    """

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.found = 0
        self.last: int | None = None

    def next_event(self, told: Sequence[Told]) -> int:
        """From which sequence on the log must have nothing but ``told``."""
        return told[0].sequence if self.last is None else self.last + 1

    def equal(self, told: Sequence[Told]) -> None:
        """The log has exactly these events since `next_event`."""
        self.last = told[-1].sequence

    def events(self, told: Sequence[Told], logged: Mapping[int, tuple[bytes, bytes]]) -> None:
        """Compare the ledger's next events with the log's (digest, columns), from `next_event` to the last of ``told``."""
        unknown = dict(logged)
        for sequence, digest, columns in told:
            seen = unknown.pop(sequence, None)
            if seen is None:
                self.fault(f"event {sequence}: is missing from the log")
            elif seen[0] != digest:
                self.fault(f"event {sequence}: in the log it is not what was recorded")
            elif differ := _differing(columns, seen[1]):
                self.fault(f"event {sequence}: in the log its {', '.join(differ)} is not what was recorded")
        self.unrecorded(unknown)
        if told:
            self.last = told[-1].sequence

    def unrecorded(self, sequences: Iterable[int]) -> None:
        """These events are in the log and not in the ledger."""
        for sequence in sequences:
            self.fault(f"event {sequence}: is in the log, and nothing recorded it")

    def actions(self, told: Sequence[bytes], logged: Sequence[tuple[int, bytes]]) -> None:
        """Compare the ledger's next actions with the log's, as (id, hash), in order."""
        for place, digest in enumerate(told):
            if place >= len(logged):
                self.fault(f"an action is missing at the end of the log: SHA-256 {digest.hex()}")
            elif logged[place][1] != digest:
                self.fault(f"action {logged[place][0]}: in the log it is not what was recorded there")

    def more_actions(self, ids: Iterable[int]) -> None:
        """These actions are in the log and not in the ledger."""
        for number in ids:
            self.fault(f"action {number}: is in the log, and nothing recorded it")

    def fault(self, what: str) -> None:
        """Count a fault, and keep its words where they are among the first."""
        self.found += 1
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(what)


def _differing(told: bytes, logged: bytes) -> list[str]:
    """Names of the columns that differ; of an entry that cannot be read, all."""
    ought, seen = msgspec.json.decode(told), msgspec.json.decode(logged)
    return [name for name, a, b in zip_longest(EVENT_COLUMNS, ought, seen, fillvalue="") if a != b]
