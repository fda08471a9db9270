"""Journeys as they are told over HTTP: rows, what their tracks say, and their history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from aiohttp import web

from seal_tracker.journey import Journey
from seal_tracker.journey_record import JourneyRecord, as_judged, lead_of, read_record, vehicle_of
from seal_tracker.model import iso_ms, iso_or_none
from seal_tracker.store.filters import EpisodeFilter
from seal_tracker.store.journey_rows import JourneyRow
from seal_tracker.web.beside import beside, comments_on
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.journey_bodies import CommentItem, DeviceItem, JourneyDetail, JourneyItem
from seal_tracker.web.journey_history import history_of, outer
from seal_tracker.web.versions import versioned

__all__ = ["journey_answer", "journey_items"]

EPISODES_LOOKED_AT = 1000
"""Of one journey, newest first: a week's drive with a faulty seal has a hundred."""


async def journey_answer(
    request: web.Request, space: str, row: JourneyRow, status: int = 200
) -> web.Response:
    """One journey with everything that was ordered of it, its history, and its ETag."""
    (item,) = await journey_items(request, space, [row])
    record = read_record(row.body)
    versions = await request.app[CONTEXT].store.journey_versions(space, row.id)
    comments = await _comments(request, space, row.id)
    detail = JourneyDetail(
        **{name: getattr(item, name) for name in item.__struct_fields__},
        authorisations=_outer(record.authorisations),
        diversions=_outer(record.diversions),
        suspensions=_outer(record.suspensions),
        resets=_outer(record.resets),
        transfers=_outer(record.transfers),
        vehicles=_outer(record.vehicles),
        closing=_outer(record.closing),
        cancelled_at=iso_or_none(record.cancelled_at_ms),
        permit=record.permit,
        load=record.load,
        comments=comments,
        minerals=record.minerals,
        history=list(history_of(v for v in versions if v.version <= row.version)),
    )
    return versioned(detail, row.version, status=status)


async def _comments(request: web.Request, space: str, journey: str) -> list[CommentItem]:
    """What the driver declared, each with the episodes that it is about: of the newest of the journey."""
    comments = await comments_on(request, space, [journey])
    if not comments:
        return []
    which = EpisodeFilter(journeys=[journey])
    page = await request.app[CONTEXT].store.episodes(space, which, limit=EPISODES_LOOKED_AT)
    about: dict[str, list[str]] = {one.id: [] for one in comments[journey]}
    for row in page.items:
        for one in beside(row.episode, comments):
            about[one.id].append(str(row.episode.episode))
    return [CommentItem(**msgspec.structs.asdict(one), episodes=about[one.id]) for one in comments[journey]]


def _outer(part: Any) -> Any:
    return outer(msgspec.to_builtins(part))


async def journey_items(request: web.Request, space: str, rows: Sequence[JourneyRow]) -> list[JourneyItem]:
    """Journeys as items of a list."""
    context = request.app[CONTEXT]
    ids = [row.id for row in rows]
    alarms = await context.store.journey_alarms_open(space, ids) if ids else {}
    live = context.live.under_way(space, ids)
    items = []
    for row in rows:
        record, seen = read_record(row.body), live.get(row.id)
        judged = as_judged(record)
        items.append(
            JourneyItem(
                id=row.id,
                version=row.version,
                state=row.state,
                derived=seen.derived if seen else None,
                seal=judged.lead if judged else lead_of(record.devices),
                devices=_devices(record, judged),
                vehicle=vehicle_of(record),
                trailer=record.trailer,
                box=record.box,
                route=record.route,
                regime=record.regime,
                unit=record.unit,
                armed_at=iso_or_none(record.armed_at_ms),
                disarmed_at=iso_or_none(record.disarmed_at_ms),
                due_at=iso_or_none(record.due_at_ms),
                declaration=record.declaration,
                cargo=record.cargo,
                carrier=record.carrier,
                consignee=record.consignee,
                origin_zone=record.origin_zone,
                destination_zone=record.destination_zone,
                progress_pct=seen.progress_pct if seen else None,
                off_route_m=seen.off_route_m if seen else None,
                time=seen.time if seen else None,
                open_alarms=alarms.get(row.id, 0),
                changed_at=iso_ms(row.changed_ms),
            )
        )
    return items


def _devices(record: JourneyRecord, judged: Journey | None) -> list[DeviceItem]:
    if judged is None:
        return [DeviceItem(id=name, role=role, from_=None, to=None) for name, role in record.devices]
    return [
        DeviceItem(id=s.device, role=s.role, from_=iso_ms(s.from_ms), to=iso_or_none(s.to_ms))
        for s in judged.served
    ]
