"""``POST /api/v1/plan-trials``: what an edit of zones and routes would do, before it is saved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Final

import msgspec
from aiohttp import web

from seal_tracker.clock import clock_ms
from seal_tracker.model import Episode, iso_ms, iso_or_none
from seal_tracker.plans.edits import edited, id_of
from seal_tracker.web.accounts import Right
from seal_tracker.web.auth import headquarters_only, scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.errors import InvalidBody
from seal_tracker.web.plans import FeatureBody
from seal_tracker.web.queries import DAY_MS, PLAN_BODY_BYTES, Id, NoQuery, read_body, read_query
from seal_tracker.web.reading import encoded
from seal_tracker.web.routes import Route
from seal_tracker.web.spaces import FAULTS_TOLD, fault_of

__all__ = ["ROUTES"]

TOLD: Final = 200
"""Episodes of each list that are told; the counts are of all."""

Features = Annotated[list[FeatureBody], msgspec.Meta(max_length=100)]
Ids = Annotated[list[Id], msgspec.Meta(max_length=100)]


class PlanTrial(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Features to put in the place of those with the same id, or to add, and ids to remove; tried on the last ``days``."""

    zones: Features = []
    routes: Features = []
    remove_zones: Ids = []
    remove_routes: Ids = []
    days: Annotated[int, msgspec.Meta(ge=1, le=7)] = 7


class TriedEpisode(msgspec.Struct, frozen=True, kw_only=True):
    """An episode that would be there, or would not."""

    type: str
    severity: str
    journey: str | None
    seal: str
    object: str | None
    started_at: str
    ended_at: str | None


class PlanTrialAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the edit would do: ``under_way`` are journeys that it touches now. Of ``touched`` journeys of the period the ``tried`` last ones
    were judged by both plans, each by its own track: episodes that would be ``gained`` and ``lost``, ``changed`` in time, severity or
    evidence, and ``kept``.
    """

    under_way: Sequence[str]
    touched: int
    tried: int
    pings: int
    gained: Sequence[TriedEpisode]
    lost: Sequence[TriedEpisode]
    counts: Mapping[str, int]
    warnings: Sequence[Mapping[str, str]]


async def try_edit(request: web.Request) -> web.Response:
    """Try an edit."""
    headquarters_only(request, "the plan")
    read_query(request, NoQuery)
    given = await read_body(request, PlanTrial, PLAN_BODY_BYTES)

    def change(files: Mapping[str, str]) -> dict[str, str]:
        zones = edited(files, "zones", features(given.zones), given.remove_zones)
        return edited(zones, "routes", features(given.routes), given.remove_routes)

    from_ms = clock_ms() - given.days * DAY_MS
    done = await request.app[CONTEXT].live.try_plan(change, from_ms=from_ms, units=scope_of(request))
    told = [fault_of(fault) for fault in done.faults[:FAULTS_TOLD]]
    if any(fault.level == "error" for fault in done.faults):
        first = next(fault for fault in done.faults if fault.level == "error")
        raise InvalidBody(
            f"{first.feature or first.file}: {first.where} {first.what}: {first.why}; {first.remedy}",
            field=first.where or None,
            members={"faults": told, "fault_count": len(done.faults)},
        )
    compared = done.compared
    counts = (
        {"gained": 0, "lost": 0, "changed": 0, "kept": 0}
        if compared is None
        else {
            "gained": len(compared.gained), "lost": len(compared.lost), "changed": len(compared.changed), "kept": compared.kept,
        }
    )  # fmt: skip
    return encoded(
        PlanTrialAnswer(
            under_way=done.under_way, touched=done.touched, tried=done.tried, pings=done.pings,
            gained=tried(compared.gained if compared else ()), lost=tried(compared.lost if compared else ()),
            counts=counts, warnings=told,
        )
    )  # fmt: skip


def features(given: Iterable[FeatureBody]) -> list[dict[str, object]]:
    """Features as a plan's file has them."""
    read = [msgspec.structs.asdict(one) for one in given]
    for one in read:
        if id_of(one) == "None":
            raise InvalidBody("id: every feature needs one; a new one gets a new id", field="id")
    return [{**one, "id": id_of(one), "properties": one["properties"] or {}} for one in read]


def tried(episodes: Sequence[Episode]) -> list[TriedEpisode]:
    """Episodes in outer units."""
    return [
        TriedEpisode(
            type=e.type, severity=e.severity, journey=e.journey, seal=e.seal, object=e.object,
            started_at=iso_ms(e.started_at_ms), ended_at=iso_or_none(e.ended_at_ms),
        )
        for e in episodes[:TOLD]
    ]  # fmt: skip


ROUTES: Final = (
    Route(
        "POST", "/api/v1/plan-trials", try_edit, Right.EDIT_PLANS,
        "Try an edit of zones and routes on what was driven lately: which journeys it touches, which episodes it would gain and lose.",
        body=PlanTrial, answer=PlanTrialAnswer,
    ),
)  # fmt: skip
