"""Events against the truth: what was told of what happened, what was missed, what was made up, and how late. Pure.

Events are CloudEvents, one a line, as ``seal-tracker backtest --events`` writes them and MQTT carries them. They are folded by episode:
the last revision counts; what was retracted is neither a hit nor a false alarm and counted by itself. An episode is right if something of its rule, of whom and where it says, happened or
nearly did (``must`` or ``may``) meanwhile; else it is a false alarm. What ``must`` be told and was not is a miss.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median, quantiles
from typing import Any

import msgspec

from simulators.errors import ScoreError
from simulators.lab.truth.record import Deed, FaultLine, Head, Line, Map

__all__ = [
    "Case",
    "Figures",
    "Score",
    "Told",
    "case_of",
    "read_told",
    "read_truth",
    "score",
    "seconds",
    "total",
]

SLACK_S = 150.0
"""Fixes are half a minute apart and noise begins and ends an episode some fixes off: so far apart the two are still of each other."""
NO_FAULT = "no fault"
TRANSITIONS = frozenset({"raised", "updated", "cleared", "retracted"})
"""What becomes of an episode; all else is told of its alarm."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """An episode as the service told it last; times in seconds UTC, ``ended_s`` None while open. ``retracted``: it was taken back."""

    episode: str
    rule: str
    severity: str
    subject: str
    journey: str | None
    seal: str | None
    object: str | None
    started_s: float
    raised_s: float
    ended_s: float | None
    place: tuple[float, float] | None
    retracted: bool


class Figures(msgspec.Struct, kw_only=True):
    """Counts of one rule or fault. ``delays_s`` from what happened to what was raised, one a hit.

    ``taken_back`` are episodes that were told and retracted: no false alarms in the end, but somebody may have been called.
    """

    must: int = 0
    hit: int = 0
    told: int = 0
    false: int = 0
    taken_back: int = 0
    delays_s: list[float] = []

    @property
    def precision(self) -> float | None:
        """Share of what was told that was so; None where nothing was told."""
        return 1.0 - self.false / self.told if self.told else None

    @property
    def recall(self) -> float | None:
        """Share of what must be told that was; None where nothing must."""
        return self.hit / self.must if self.must else None

    @property
    def delay_median_s(self) -> float | None:
        """Half of the hits were raised sooner."""
        return round(median(self.delays_s), 1) if self.delays_s else None

    @property
    def delay_p90_s(self) -> float | None:
        """Nine in ten of the hits were raised sooner."""
        if not self.delays_s:
            return None
        return (
            round(quantiles(self.delays_s, n=10, method="inclusive")[-1], 1)
            if len(self.delays_s) > 1
            else round(self.delays_s[0], 1)
        )

    def plus(self, other: Figures) -> None:
        """Add another's counts."""
        for name in ("must", "hit", "told", "false", "taken_back"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.delays_s = [*self.delays_s, *other.delays_s]


@dataclass(frozen=True, slots=True)
class Case:
    """The truth of one scenario."""

    head: Head
    deeds: tuple[Deed, ...]
    faults: tuple[FaultLine, ...]
    map: Map | None


@dataclass(frozen=True, slots=True)
class Score:
    """How one case went, or several together. ``misses`` and ``false_alarms`` are with their cases."""

    rules: dict[str, Figures]
    faults: dict[str, Figures]
    misses: list[tuple[Case, Deed]]
    false_alarms: list[tuple[Case, Told, tuple[str, ...]]]


_lines = msgspec.json.Decoder(Line)


def read_truth(lines: Iterable[bytes], file: str = "truth") -> Case:
    """The truth of one scenario from its lines."""
    found: list[Line] = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(_lines.decode(line))
        except msgspec.MsgspecError as error:
            raise ScoreError(
                f"{file}:{number}: is no line of a truth ({error}): `seal-sim run` writes such a file"
            ) from error
    return case_of(found, file)


def case_of(lines: Sequence[Line], file: str = "truth") -> Case:
    """The truth of one scenario in memory."""
    heads = [x for x in lines if isinstance(x, Head)]
    if len(heads) != 1:
        raise ScoreError(
            f"{file}: has {len(heads)} scenarios: a truth is of one, as `seal-sim run` writes it"
        )
    return Case(
        heads[0],
        tuple(x for x in lines if isinstance(x, Deed)),
        tuple(x for x in lines if isinstance(x, FaultLine)),
        next((x for x in lines if isinstance(x, Map)), None),
    )


def read_told(lines: Iterable[bytes], file: str = "events") -> list[Told]:
    """Episodes that events tell, those that were taken back among them, by their start."""
    newest: dict[str, tuple[tuple[int, str], Told]] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            event = msgspec.json.decode(line)
            properties = event["data"]["properties"]
            key = (int(properties["revision"]), str(event["sequence"]))
            if properties["transition"] not in TRANSITIONS:  # a step of an alarm: its episode is as it was
                continue
            one = _told(event, properties)
        except (msgspec.MsgspecError, KeyError, TypeError, ValueError) as error:
            raise ScoreError(
                f"{file}:{number}: is no event ({error!r}): one CloudEvent a line is read, as `seal-tracker backtest --events` writes them"
            ) from error
        if one.episode not in newest or key >= newest[one.episode][0]:
            newest[one.episode] = key, one
    return sorted(
        (one for _, one in newest.values()), key=lambda t: (t.started_s, t.rule, t.subject, t.object or "")
    )


def _told(event: dict[str, Any], p: dict[str, Any]) -> Told:
    geometry = event["data"].get("geometry") or {}
    at = geometry.get("coordinates")
    while isinstance(at, list) and at and isinstance(at[0], list):
        at = at[0]
    return Told(
        episode=str(p["episode"]),
        rule=str(p["event"]),
        severity=str(p.get("severity") or event.get("severitytext")),
        subject=str(event["subject"]),
        journey=p.get("journey"),
        seal=p.get("seal"),
        object=p.get("object"),
        started_s=seconds(p["started_at"]),
        raised_s=seconds(p["raised_at"]),
        ended_s=seconds(p["ended_at"]) if p.get("ended_at") else None,
        place=(float(at[0]), float(at[1])) if at else None,
        retracted=p["transition"] == "retracted",
    )


def seconds(moment: str) -> float:
    """ISO 8601 as UTC epoch seconds."""
    return datetime.fromisoformat(moment).timestamp()


def score(case: Case, told: Sequence[Told]) -> Score:
    """Set what was told beside what happened."""
    out = Score({}, {}, [], [])
    real = [d for d in case.deeds if d.verdict != "must not"]
    for deed in real:
        if deed.verdict != "must":
            continue
        hits = [t for t in told if not t.retracted and _is_of(t, deed)]
        delays = [max(0.0, min(t.raised_s for t in hits) - seconds(deed.from_))] if hits else []
        _count(out, deed.rule, deed.faults, Figures(must=1, hit=int(bool(hits)), delays_s=delays))
        if not hits:
            out.misses.append((case, deed))
    for one in told:
        faults = tuple(sorted(set(_faults_at(case, one))))
        if one.retracted:
            _count(out, one.rule, faults, Figures(taken_back=1))
            continue
        false = not any(_is_of(one, d) for d in real)
        _count(out, one.rule, faults, Figures(told=1, false=int(false)))
        if false:
            out.false_alarms.append((case, one, faults))
    return out


def total(scores: Iterable[Score]) -> Score:
    """Several scores together."""
    out = Score({}, {}, [], [])
    for one in scores:
        for mine, its in ((out.rules, one.rules), (out.faults, one.faults)):
            for key, figures in its.items():
                mine.setdefault(key, Figures()).plus(figures)
        out.misses.extend(one.misses)
        out.false_alarms.extend(one.false_alarms)
    return out


def _count(out: Score, rule: str, faults: tuple[str, ...], figures: Figures) -> None:
    out.rules.setdefault(rule, Figures()).plus(figures)
    for fault in faults or (NO_FAULT,):
        out.faults.setdefault(fault, Figures()).plus(figures)


def _is_of(told: Told, deed: Deed) -> bool:
    """Whether an episode tells of something that happened."""
    if told.rule != deed.rule or (deed.object is not None and told.object not in (None, deed.object)):
        return False
    if deed.seal is not None and deed.seal.startswith("equipment/"):
        if told.subject != deed.seal:
            return False
    elif (deed.seal is not None and told.seal != deed.seal) or (
        deed.seal is None and told.journey != deed.journey
    ):
        return False
    begins = seconds(deed.from_) - SLACK_S
    ends = seconds(deed.to) + SLACK_S if deed.to else float("inf")
    return (
        told.started_s <= ends
        and (told.ended_s is None or told.ended_s >= begins)
        and told.raised_s >= begins
    )


def _faults_at(case: Case, told: Told) -> Iterator[str]:
    """What was wrong with its device, or with any of the scenario's where it names none, while it lasted."""
    who = {told.seal, told.subject.removeprefix("equipment/")}
    ended_s = told.ended_s if told.ended_s is not None else told.raised_s
    for fault in case.faults:
        of_it = fault.who in who or not any(f.who in who for f in case.faults)
        ends_s = seconds(fault.to) if fault.to else float("inf")
        if of_it and seconds(fault.from_) - SLACK_S <= ended_s and told.started_s <= ends_s + SLACK_S:
            yield fault.fault
