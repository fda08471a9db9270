"""The aiohttp application: every route with the right it needs, in one table.

request → log_access → problems → authenticate → handler
                                                    └ add_headers as the response starts
"""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web

from seal_tracker.web import (
    absences,
    alarm_acts,
    alarm_rates,
    alarms,
    attachments,
    availability,
    commands,
    comments,
    coverage,
    description,
    draws,
    duty,
    equipment_edits,
    hand_overs,
    health,
    history,
    hooks,
    inspections,
    journeys,
    kept_reports,
    late,
    ledger,
    licences,
    ogc,
    page,
    passage,
    people,
    plan_registry,
    plan_trials,
    plans,
    reading,
    readings,
    registry,
    repairs,
    report_schedule,
    reports,
    risk,
    seal_accounts,
    seal_assets,
    seal_book,
    seal_stock,
    shifts,
    signing,
    situations,
    spaces,
    stream,
    suppressions,
    tasks,
    tickets,
    tracks,
    weekly,
    weighings,
)
from seal_tracker.web.accounts import Right
from seal_tracker.web.auth import RIGHT, Open, authenticate
from seal_tracker.web.context import CONTEXT, WebContext
from seal_tracker.web.lockout import Lockout
from seal_tracker.web.middlewares import add_headers, log_access, problems
from seal_tracker.web.routes import Route

__all__ = ["ROUTES", "create_app"]

ROUTES: Final[tuple[Route, ...]] = (
    *health.ROUTES,
    *signing.ROUTES,
    *people.ROUTES,
    *reading.ROUTES,
    *journeys.ROUTES,
    *history.ROUTES,
    *spaces.ROUTES,
    *tracks.ROUTES,
    *registry.ROUTES,
    *plan_registry.ROUTES,
    *passage.ROUTES,
    *comments.ROUTES,
    *availability.ROUTES,
    *repairs.ROUTES,
    *equipment_edits.ROUTES,  # after those, whose words it would else take for ids
    *coverage.ROUTES,
    *ogc.ROUTES,
    *plans.ROUTES,
    *plan_trials.ROUTES,
    *stream.ROUTES,
    *hooks.ROUTES,
    *seal_accounts.ROUTES,
    *seal_assets.ROUTES,
    *seal_book.ROUTES,
    *seal_stock.ROUTES,
    *alarm_rates.ROUTES,  # before those of one alarm, whose id it would else be
    *alarms.ROUTES,
    *alarm_acts.ROUTES,
    *shifts.ROUTES,
    *hand_overs.ROUTES,
    *absences.ROUTES,
    *suppressions.ROUTES,
    *commands.ROUTES,
    *licences.ROUTES,
    *weighings.ROUTES,
    *readings.ROUTES,
    *tickets.ROUTES,
    *situations.ROUTES,
    *tasks.ROUTES,
    *attachments.ROUTES,
    *duty.ROUTES,
    *reports.ROUTES,
    *risk.ROUTES,
    *draws.ROUTES,
    *inspections.ROUTES,
    *late.ROUTES,
    *weekly.ROUTES,
    *report_schedule.ROUTES,
    *kept_reports.ROUTES,
    *ledger.ROUTES,
    *description.ROUTES,
    *page.ROUTES,  # last: they take every other path, and find nothing but files of the page
)
"""Everything that is answered."""

WHOLE_READERS: Final = 2
"""Episodes files sent at once; the third waits."""


def create_app(context: WebContext) -> web.Application:
    """The application over what it was given. It closes the hub at shutdown, nothing else of the context."""
    app = web.Application(middlewares=[log_access, problems, authenticate])
    app[CONTEXT] = context
    rights: dict[object, Right | Open] = {route.handler: route.right for route in ROUTES}
    app[RIGHT] = rights
    app[description.DESCRIBED] = ROUTES
    app[signing.LOCKOUT] = Lockout(context.config.lockout)
    app[signing.KEEPING] = signing.Keeping()
    app[spaces.MAKING] = asyncio.Lock()
    app[ledger.BUNDLES] = asyncio.Semaphore(WHOLE_READERS)
    app[history.WHOLE_READERS] = asyncio.Semaphore(WHOLE_READERS)
    app[stream.STREAMS] = set()
    for route in ROUTES:
        if route.method == "GET":
            app.router.add_get(route.path, route.handler, allow_head=route.handler is not stream.stream)
        else:
            app.router.add_route(route.method, route.path, route.handler)
    app.on_response_prepare.append(add_headers)
    app.on_startup.append(signing.recall_failures)
    app.on_shutdown.append(stream.end_streams)
    app.on_shutdown.append(signing.finish_keeping)
    return app
