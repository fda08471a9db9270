"""Which movement of a seal follows which state, and what it makes of it. Pure.

A movement says what happened to the thing itself: impossible ones are refused in words that say what to record first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import msgspec

from seal_tracker.alarms.deadlines import ms_of
from seal_tracker.custody.asset import AWAITED, Asset, Movement, StateName
from seal_tracker.model import iso_ms
from seal_tracker.supervision.errors import Clash, Unfit, WrongState

__all__ = ["BY_JOURNEYS", "MOVES", "Change", "MoveName", "Wanted", "moved", "registered"]

DAY_MS: Final = 86_400_000

RETURN_WITHIN_DAYS: Final = 7
"""Where nobody says when a seal is to be back: a journey through the country takes two days, the way back as many."""

AHEAD_MS: Final = 5 * 60_000
"""Clocks of offices differ by so much; what is dated later has not happened."""

MoveName = Literal[
    "issue", "return", "send", "receive", "repair", "calibrate", "take_back", "lose", "find", "retire", "arm", "disarm",
]  # fmt: skip

BY_JOURNEYS: Final = frozenset({"arm", "disarm"})
"""Movements that arming and disarming a journey makes; no person records them apart."""


@dataclass(frozen=True, slots=True)
class Rule:
    """From which states a movement leads to which, which members it needs, and which it takes besides."""

    states: frozenset[StateName]
    to: StateName
    needs: frozenset[str] = frozenset()
    takes: frozenset[str] = field(default_factory=frozenset)


def _rule(states: Sequence[StateName], to: StateName, needs: str = "", takes: str = "") -> Rule:
    """A rule as the table below writes it: members parted by blanks."""
    return Rule(frozenset(states), to, frozenset(needs.split()), frozenset(takes.split()))


MOVES: Final[Mapping[MoveName, Rule]] = {
    "issue": _rule(["in_store"], "issued", "officer", "due"),
    "return": _rule(["issued", "taken_off"], "in_store", "", "unit"),
    "send": _rule(["in_store"], "in_transit", "to_unit"),
    "receive": _rule(["in_transit"], "in_store", "", "unit"),
    "repair": _rule(["in_store"], "in_repair", "place", "due"),
    "calibrate": _rule(["in_store"], "in_calibration", "place", "due"),
    "take_back": _rule(["in_repair", "in_calibration"], "in_store", "", "calibrated_on calibrate_by"),
    "lose": _rule(
        ["in_store", "issued", "taken_off", "in_transit", "in_repair", "in_calibration"], "lost", "reason"
    ),
    "find": _rule(["lost"], "in_store", "", "unit"),
    "retire": _rule(["in_store", "in_repair", "in_calibration", "lost"], "retired", "reason"),
    "arm": _rule(["in_store", "issued", "taken_off"], "on_journey", "journey"),
    "disarm": _rule(["on_journey"], "taken_off"),
}
"""Every movement but the first, ``register``. ``reason``, ``document`` and ``at`` each may have."""

ALWAYS: Final = frozenset({"reason", "document"})
MEMBERS: Final = (
    "officer", "due", "unit", "to_unit", "place", "calibrated_on", "calibrate_by", "journey", "reason", "document",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A movement that somebody records; which members count depends on ``move``, see `MOVES`.

    ``at_ms`` is when it happened (None: now), ``journey_unit`` whose the journey is.
    """

    move: MoveName
    at_ms: int | None = None
    officer: str | None = None
    due: str | None = None
    unit: str | None = None
    to_unit: str | None = None
    place: str | None = None
    calibrated_on: str | None = None
    calibrate_by: str | None = None
    journey: str | None = None
    journey_unit: str | None = None
    reason: str | None = None
    document: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A seal as it stands after a movement, and the movement."""

    asset: Asset
    movement: Movement


def registered(asset: Asset, actor: tuple[str, str], now_ms: int) -> Change:
    """The first movement: it is received into the store of its unit."""
    movement = Movement(
        seal=asset.seal, number=1, move="register", at=asset.since, recorded_at=iso_ms(now_ms), by=actor[0], role=actor[1],
        from_state=None, from_unit=None, state="in_store", unit=asset.unit,
    )  # fmt: skip
    return Change(asset, movement)


def moved(asset: Asset, wanted: Wanted, actor: tuple[str, str], now_ms: int) -> Change:
    """The seal after a movement.

    Raises
    ------
    WrongState
        It is not where that could happen to it; the text says what to record first.
    Unfit
        A member is missing, or belongs to another movement; it happened before the last one, or not yet.
    Clash
        Its calibration has run out.
    """
    rule = MOVES[wanted.move]
    if asset.state not in rule.states:
        raise WrongState(f"seal {asset.seal} cannot {_verb(wanted.move)}: {_where(asset)}")
    _check_members(wanted, rule)
    at_ms = _at_ms(asset, wanted, now_ms)
    if wanted.move == "issue" and asset.calibrate_by is not None and asset.calibrate_by < iso_ms(at_ms)[:10]:
        raise Clash(
            f"seal {asset.seal} was to be calibrated by {asset.calibrate_by}: send it to be calibrated (calibrate), and take it "
            "back with its new date, before it is issued"
        )
    if wanted.due is not None and ms_of(wanted.due) <= at_ms:
        raise Unfit(f"due: {wanted.due} is not after it happened, {iso_ms(at_ms)}", field="due")
    after = _after(asset, wanted, rule, at_ms, now_ms, actor[0])
    movement = Movement(
        seal=asset.seal, number=after.number, move=wanted.move, at=after.since, recorded_at=iso_ms(now_ms), by=actor[0],
        role=actor[1], from_state=asset.state, from_unit=asset.unit, state=after.state, unit=after.unit,
        other_unit=after.other_unit, officer=after.officer, journey=after.journey or asset.journey, due=after.due,
        place=after.place, calibrate_by=after.calibrate_by, reason=wanted.reason, document=wanted.document,
    )  # fmt: skip
    return Change(after, movement)


def _after(asset: Asset, wanted: Wanted, rule: Rule, at_ms: int, now_ms: int, by: str) -> Asset:
    """The seal as it then stands: what the new state does not speak of is over."""
    at, keeps = iso_ms(at_ms), wanted.move in BY_JOURNEYS
    due = wanted.due or (asset.due if keeps else None)
    if due is None and rule.to in {"issued", "taken_off"}:
        due = iso_ms(at_ms + RETURN_WITHIN_DAYS * DAY_MS)
    calibrated = {
        name: value
        for name in ("calibrated_on", "calibrate_by")
        if (value := getattr(wanted, name)) is not None
    }
    return msgspec.structs.replace(
        asset,
        version=asset.version + 1,
        number=asset.number + 1,
        state=rule.to,
        since=at,
        unit=_unit(asset, wanted),
        other_unit=_other_unit(asset, wanted),
        officer=_officer(asset, wanted, by),
        journey=wanted.journey,
        due=due if rule.to in {*AWAITED, "on_journey"} else None,
        place=wanted.place,
        overdue_told=asset.overdue_told if keeps else None,
        changed_by=by,
        changed_at=iso_ms(now_ms),
        **calibrated,
    )


def _unit(asset: Asset, wanted: Wanted) -> str:
    """Which unit answers for it: another from when that has it in its store."""
    if wanted.move == "receive":
        return wanted.unit or asset.other_unit or asset.unit
    return wanted.unit or asset.unit


def _other_unit(asset: Asset, wanted: Wanted) -> str | None:
    other = {"send": wanted.to_unit, "arm": wanted.journey_unit, "disarm": asset.other_unit}.get(wanted.move)
    return None if other == asset.unit else other


def _officer(asset: Asset, wanted: Wanted, by: str) -> str | None:
    """Who has it in hand: whom it is issued to, then who takes it off."""
    return {"issue": wanted.officer, "arm": asset.officer, "disarm": by}.get(wanted.move)


def _at_ms(asset: Asset, wanted: Wanted, now_ms: int) -> int:
    """When it happened; what journeys say may be recorded after what came later: it counts from then."""
    last_ms = ms_of(asset.since)
    if wanted.at_ms is None or wanted.move in BY_JOURNEYS:
        return max(last_ms, min(now_ms if wanted.at_ms is None else wanted.at_ms, now_ms))
    if wanted.at_ms > now_ms + AHEAD_MS:
        raise Unfit("at: it lies in the future; record it when it has happened", field="at")
    if wanted.at_ms < last_ms:
        raise Unfit(
            f"at: seal {asset.seal} moved last at {asset.since}; movements are recorded in the order in which they happened",
            field="at",
        )
    return wanted.at_ms


def _check_members(wanted: Wanted, rule: Rule) -> None:
    given = {name for name in MEMBERS if getattr(wanted, name) is not None}
    for name in MEMBERS:
        if name in rule.needs and name not in given:
            raise Unfit(f"{name}: {wanted.move} needs it", field=name)
        if name in given - rule.needs - rule.takes - ALWAYS:
            raise Unfit(f"{name}: belongs to another movement than {wanted.move}; leave it out", field=name)


def _verb(move: MoveName) -> str:
    return {
        "issue": "be issued", "return": "be returned", "send": "be sent", "receive": "be received",
        "repair": "be sent to be repaired", "calibrate": "be sent to be calibrated", "take_back": "be taken back",
        "lose": "be recorded as lost", "find": "be recorded as found", "retire": "be retired", "arm": "be armed",
        "disarm": "be taken off",
    }[move]  # fmt: skip


def _where(asset: Asset) -> str:
    """Where it is, and what to record first."""
    since = f"since {asset.since}"
    return {
        "in_store": f"it is in the store of {asset.unit} {since}, and nobody has it",
        "issued": f"{asset.officer} has it {since}: record its return first",
        "on_journey": f"it is armed on journey {asset.journey} {since}: disarm that, or transfer another seal to it, first",
        "taken_off": f"it is off its journey {since} and not back in a store: record its return first",
        "in_transit": f"it is under way to {asset.other_unit} {since}: record its receipt first",
        "in_repair": f"it is being repaired {since} ({asset.place}): take it back first",
        "in_calibration": f"it is being calibrated {since} ({asset.place}): take it back first",
        "lost": f"it is lost {since}: record that it was found first",
        "retired": f"it is retired {since}, and that is the end of it",
    }[asset.state]
