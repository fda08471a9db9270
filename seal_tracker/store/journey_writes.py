"""What one commit sends of journeys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seal_tracker.store.connections import Connection
from seal_tracker.store.journey_rows import JourneyChange
from seal_tracker.store.queries import sql

__all__ = ["write_journeys"]


async def write_journeys(connection: Connection, space: str, changes: Sequence[JourneyChange]) -> None:
    """Sends the journeys of a commit, each at most once."""
    if not changes:
        return
    rows = [(*c.row[:-1], c.row.body.decode()) for c in changes]
    versions = [(c.row.id, *c.made_by[:-1], c.made_by.body.decode()) for c in changes]
    devices = [(c.row.id, *device) for c in changes for device in c.devices]
    await connection.execute(sql("upsert_journeys"), space, *columns(rows))
    await connection.execute(sql("add_journey_versions"), space, *columns(versions))
    await connection.execute(sql("drop_journey_devices"), space, [c.row.id for c in changes])
    if devices:
        await connection.execute(sql("add_journey_devices"), space, *columns(devices))


def columns(rows: Sequence[tuple[Any, ...]]) -> Sequence[Sequence[Any]]:
    """Rows as one array for each column."""
    return list(zip(*rows, strict=True))
