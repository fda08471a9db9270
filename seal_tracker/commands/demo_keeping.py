"""What people keep in the demo beside what seals say: a registry of seals with movements, and tasks. By the API, as anybody would."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from seal_tracker.app import Ready
from seal_tracker.commands.client import ServiceClient

__all__ = ["keep"]

ASSETS: Final = "/api/v1/seal-assets"
TASKS: Final = "/api/v1/tasks"
SPARE: Final = 5
"""Seals in the store of each unit."""

PAGE: Final = 1_000
MODELS: Final = ("JT701D", "VN-ES2")
LISTED: Final = "Niêm phong trong kho / seals in store: 14\nĐang sử dụng / in use: 31\n"


async def keep(ready: Ready) -> None:
    """Register the seals that are under way and some in stores, move a few, give two tasks; nothing where that was done before.

    Raises
    ------
    CommandError
        The service refuses something of it.
    """
    supervisor, operator = (ready.accounts[role]["token"] for role in ("supervisor", "operator"))
    async with ServiceClient(ready.http, operator) as keeper, ServiceClient(ready.http, supervisor) as head:
        if (await keeper.get(f"{ASSETS}?limit=1"))["items"]:
            return
        journeys = (await keeper.get(f"/api/v1/journeys?limit={PAGE}"))["items"]
        units = sorted({one["unit"] for one in journeys if one["unit"] is not None})
        if not units:
            return
        under_way = [(one["seal"], one["unit"]) for one in journeys if one["seal"] and one["unit"]]
        await keeper.post_text(f"{ASSETS}/import", registry(under_way, units), "text/csv")
        for move in moves(units):
            await keeper.post("/api/v1/seal-moves", move)
        await _give(head, keeper, units)


def registry(under_way: Iterable[tuple[str, str]], units: Sequence[str]) -> str:
    """The registry as a CSV: the seals that are under way, by unit, and some in every store."""
    spare = [(stored(unit, number), name) for unit, name in enumerate(units) for number in range(SPARE)]
    lines = [
        f"{seal},{unit},{MODELS[number % 2]},2025-03-01,2027-03-01"
        for number, (seal, unit) in enumerate([*dict(under_way).items(), *spare])
    ]
    return "\n".join(["seal,unit,model,bought_on,calibrate_by", *lines])


def stored(unit: int, number: int) -> str:
    """The name of a seal in the store of a unit."""
    return f"VN-K{unit:02}{number:04}"


def moves(units: Sequence[str]) -> list[dict[str, Any]]:
    """What has happened in the first unit's store: two seals issued, one sent on, one at the institute, one lost."""
    seals = [stored(0, number) for number in range(SPARE)]
    due = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    found = [
        {"seals": seals[:2], "move": "issue", "officer": "Nguyễn Thị Lan", "due": due, "document": "PX-0412"},
        {"seals": seals[2:3], "move": "calibrate", "place": "Viện Đo lường Việt Nam", "due": due},
        {"seals": seals[3:4], "move": "lose", "reason": "rơi khi bốc hàng / fell off in loading"},
    ]
    return found + [{"seals": seals[4:], "move": "send", "to_unit": unit} for unit in units[1:2]]


async def _give(head: ServiceClient, keeper: ServiceClient, units: Sequence[str]) -> None:
    """A task to two units, of which one has begun and sent its list."""
    given = await head.post(
        TASKS,
        {
            "title": "Kiểm kê niêm phong điện tử / count the electronic seals",
            "text": "Đối chiếu sổ kho với thực tế. / Hold the books against the stores.",
            "units": units[:2], "due": (datetime.now(UTC) + timedelta(days=3)).isoformat(), "priority": "high",
            "document": "4127/TCHQ-GSQL", "document_date": "2026-11-20",
        },
    )  # fmt: skip
    path = f"{TASKS}/{given['items'][0]['id']}"
    await keeper.post(f"{path}/accept", {}, edits=True)
    await keeper.post_text(f"{path}/attachments?name=kiem-ke.txt", LISTED, "text/plain", edits=True)
    note = "đã kiểm 2 kho trên 5 / two stores of five"
    await keeper.post(f"{path}/progress", {"percent": 40, "note": note}, edits=True)
