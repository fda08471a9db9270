"""What was declared of a journey and is otherwise, from a request to an order."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from seal_tracker.journey_record import JourneyRecord
from seal_tracker.supervision.journey_amending import JUDGED
from seal_tracker.supervision.journey_orders import Order
from seal_tracker.supervision.journey_reading import read_declaration, references_of
from seal_tracker.supervision.life_cycle import Verb
from seal_tracker.web.accounts import Right
from seal_tracker.web.auth import PRINCIPAL, scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.errors import Forbidden, InvalidBody
from seal_tracker.web.journey_bodies import AmendBody
from seal_tracker.web.refusals import faulty
from seal_tracker.web.scope import sees

__all__ = ["amending"]


def amending(request: web.Request, space: str, record: JourneyRecord, body: AmendBody, now_ms: int) -> Order:
    """The order to amend a journey, each member looked at as one that is declared is.

    Raises
    ------
    Problem
        A member cannot be so, or is not the asker's to change.
    """
    given: dict[str, Any] = msgspec.to_builtins(body)
    given.pop("reason", None)
    values = {"id": record.id, "regime": record.regime} | {k: v for k, v in given.items() if v is not None}
    if "permit" in values and record.route is not None:
        values.setdefault("route", record.route)
    checked, faults = read_declaration(values, references_of(request.app[CONTEXT].live.plan(space)), now_ms)
    if checked is None:
        raise faulty(faults, "it cannot be amended so", faults[0].where)
    changes = {_member(name): getattr(checked, _member(name)) for name in given}
    if "unit" in changes and not sees(scope_of(request), checked.unit):
        raise InvalidBody("unit: name one of yours", field="unit")
    superiors = sorted(changes.keys() & JUDGED) if record.armed_at_ms is not None else []
    if superiors and Right.ORDER not in request[PRINCIPAL].rights:
        name = superiors[0].removesuffix("_ms")
        raise Forbidden(
            f"{name}: once it is armed its end is judged by it; whoever has the right order changes it",
            field=name,
        )
    account = request[PRINCIPAL].account
    return Order(verb=Verb.AMEND, at_ms=now_ms, by=account.username, reason=body.reason, changes=changes)


def _member(name: str) -> str:
    return "due_at_ms" if name == "due_at" else name
