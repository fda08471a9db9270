"""The running service: the only place where everything meets.

    parts (embedded broker, database) ─ store ─ spaces ─ publisher ─ source ─ pipeline ─ teller ─ web

Started in this order, ended in the other; what has been acknowledged to the broker is in the database by then.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import structlog

from seal_tracker import __version__
from seal_tracker.alarms.states import OPEN_STATES
from seal_tracker.checkpointing import Checkpointer
from seal_tracker.clock import clock_ms
from seal_tracker.config import Settings, split_address
from seal_tracker.credentials.callout import Issuer
from seal_tracker.credentials.keeper import CredentialKeeper
from seal_tracker.credentials.nats_side import NatsSide
from seal_tracker.credentials.refused import BrokerLog
from seal_tracker.hooks.mailer import Mailer, SmtpServer
from seal_tracker.hooks.sender import HookSender
from seal_tracker.memory import keep_giving_back, keep_little
from seal_tracker.metrics import PUBLISH_REFUSED, WATCHERS
from seal_tracker.model import LIVE
from seal_tracker.parts import Parts, open_parts
from seal_tracker.pipeline import Pipeline
from seal_tracker.planning import (
    DatedPlan,
    changed_journeys,
    new_diversions,
    read_plan,
    record_newest,
    spans_of_both,
    stored_plans,
    to_import,
    with_newest,
)
from seal_tracker.plans.check import render_faults
from seal_tracker.plans.folder import errors_of, read_folder
from seal_tracker.plans.model import Diversion, Plan
from seal_tracker.publishing.outbox import OutboxPublisher
from seal_tracker.publishing.topics import ingest_filters, ingest_session, ledger_topic
from seal_tracker.rejudge import Span
from seal_tracker.retention import Retention
from seal_tracker.service import Service
from seal_tracker.sources.mqtt import MqttSource
from seal_tracker.space import Prepared, SpaceJudge
from seal_tracker.store import Store, StoreError
from seal_tracker.store.alarm_reads import AlarmFilter
from seal_tracker.supervision.journey_plan import PlanJourneys, import_plan, kept_journeys
from seal_tracker.supervision.journeys import deed_of
from seal_tracker.teller import Teller
from seal_tracker.tls import server_context
from seal_tracker.web.account_import import FIRST
from seal_tracker.web.accounts import Accounts
from seal_tracker.web.context import WebConfig, WebContext
from seal_tracker.web.hooks import units_heard
from seal_tracker.web.keeper import AccountKeeper
from seal_tracker.web.runner import start_web
from seal_tracker.web.sessions import Sessions
from seal_tracker.web.sse import Hub

__all__ = ["PlanFaultyError", "Ready", "running"]

log = structlog.get_logger(__name__)

STALLED_POLL_S = 0.1
"""How often the end looks whether the database has gone away meanwhile."""

DRAIN_S = 10.0
"""How long the end waits for messages to be published; the rest stay in the outbox for the next start."""

ALARMS_AT_ONCE = 1_000
"""Alarms read together at a start."""


class PlanFaultyError(ValueError):
    """The plan has faults; the text says all of them, as ``check`` does."""


@dataclass(frozen=True)
class Ready:
    """What whoever waits for the service is told: the content of the ready file."""

    http: str
    mqtt_host: str
    mqtt_port: int
    postgres: str
    tenant: str
    accounts: Mapping[str, Mapping[str, str]]

    def write(self, path: Path) -> None:
        """Write the file at once, readable by its owner alone."""
        content = {
            "http": self.http,
            "mqtt": {"host": self.mqtt_host, "port": self.mqtt_port},
            "postgres": self.postgres,
            "pid": os.getpid(),
            "tenant": self.tenant,
            "accounts": self.accounts,
        }
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(content, file, indent=1)
        beside.replace(path)


async def _load_plan(settings: Settings) -> Plan | None:
    if settings.plan is None:
        return None
    try:
        plan, faults = await read_plan(await asyncio.to_thread(read_folder, settings.plan))
    except OSError as fault:
        raise PlanFaultyError(f"{settings.plan}: {fault.strerror}") from fault
    if plan is None:
        raise PlanFaultyError(render_faults(errors_of(faults)))
    for found in faults:
        log.warning("plan.warning", file=found.file, feature=found.feature, what=found.what, why=found.why)
    return plan


@dataclass(frozen=True)
class _Opened:
    """What is to be done once the pipeline stands: commit what loading a space found, judge seals whose journeys changed
    again, and then record the plan (``new_plans``, by which all this was judged) as a version.
    """

    loaded: Prepared
    changed: Mapping[str, Span]
    diverted: Mapping[str, Sequence[Diversion]]
    brought: PlanJourneys
    new_plans: list[DatedPlan] | None = None


async def _open_spaces(store: Store, plan: Plan | None) -> tuple[dict[str, SpaceJudge], dict[str, _Opened]]:
    """The judging of every space, by its stored plan; the live one's is ``plan`` from now on, where that is new."""
    spaces: dict[str, SpaceJudge] = {}
    opened: dict[str, _Opened] = {}
    for row in await store.spaces():
        plans = await stored_plans(store, row.name, plan if row.name == LIVE else None)
        stored = plans[-1][1].journeys if plans else ()
        kept = await kept_journeys(store, row.name, stored, clock_ms())
        judging = spaces[row.name] = SpaceJudge(row.name, store)
        # By what it was judged by; what changed is judged again from there.
        loaded = await judging.open(plans, kept)
        newest = plans
        if row.name == LIVE and plan is not None:
            wanted, conflicts = await to_import(store, LIVE, plan, plans)
            newest = plans if wanted is None else with_newest(wanted, plans, clock_ms())
            for one in conflicts:
                log.warning("plan.edited_here_too", file=one.file, object=one.id, what=one.what)
        brought = PlanJourneys()
        if newest is not plans:
            brought = await import_plan(store, row.name, newest[-1][1].journeys, clock_ms())
            await judging.use_plans(newest, brought.taken_over(kept))
        for fault in brought.faults:
            log.warning(
                "plan.journey_left_alone", journey=fault.feature, what=fault.what, remedy=fault.remedy
            )
        changed = changed_journeys(brought.before, brought.after)
        if newest is not plans and plans:
            # A device's clock may be minutes ahead: what it sent is judged by the version of its event time all the same.
            changed = spans_of_both(judging.judged_past(newest[-1][0]), changed)
        opened[row.name] = _Opened(
            loaded,
            changed,
            new_diversions(brought.before, brought.after),
            brought,
            None if newest is plans else newest,
        )
    return spaces, opened


async def _commit_opened(
    store: Store, pipeline: Pipeline, opened: Mapping[str, _Opened], plan: Plan | None
) -> None:
    for space, one in opened.items():
        await pipeline.commit_prepared(space, one.loaded)
        again = await pipeline.spaces[space].rejudge_since(one.changed, one.diverted)
        await pipeline.commit_prepared(space, again, deed_of(one.brought.changes))
        if one.new_plans is not None:
            await record_newest(store, space, one.new_plans, clock_ms(), plan)


@asynccontextmanager
async def running(settings: Settings, *, embedded: Path | None = None) -> AsyncIterator[Ready]:
    """Run the service inside the context; leaving it drains and stops everything.

    Raises
    ------
    ConfigError, PlanFaultyError, EmbeddedError, StoreError, OSError
        The service cannot start; nothing is left running.
    """
    keep_little()
    plan = await _load_plan(settings)
    tls = server_context(settings)
    async with AsyncExitStack() as stack:
        parts = await open_parts(settings, embedded, stack)
        store = await Store.open(parts.dsn)
        stack.push_async_callback(store.close)
        spaces, opened = await _open_spaces(store, plan)
        gc.collect()
        gc.freeze()  # plans are large and live as long as we do
        service = Service(settings, store, spaces)
        hub = Hub()
        name = f"seal-tracker-{settings.tenant}-{settings.instance}"
        publisher = service.publisher = await stack.enter_async_context(
            OutboxPublisher(
                parts.broker,
                f"{name}-out",
                store,
                tenant=settings.tenant,
                instance=settings.instance,
                version=__version__,
                clock_ms=clock_ms,
            )
        )
        teller = Teller(publisher, hub, spaces, tenant=settings.tenant, clock_ms=clock_ms)
        for space in spaces:
            await _remember_alarms(store, teller, space)
            teller.found_waiting(space, await store.journeys_waiting(space))
        source = service.source = await stack.enter_async_context(
            MqttSource(
                parts.broker,
                ingest_session(settings.tenant, settings.instance),
                ingest_filters(settings.tenant),
                clock_ms=clock_ms,
            )
        )
        pipeline = service.pipeline = Pipeline(
            source,
            store,
            spaces,
            teller,
            tenant=settings.tenant,
            instance=settings.instance,
            next_sequence=await store.last_sequence() + 1,
            clock_ms=clock_ms,
            terms=settings.alarm_terms,
        )
        await _commit_opened(store, pipeline, opened, plan)
        keeper = AccountKeeper(store, pipeline.act)
        stack.callback(keeper.accounts.close)
        seals = service.credentials = CredentialKeeper(store, pipeline.act, clock_ms, parts.seals.mosquitto)
        await seals.open()
        _tell_first_password(await keeper.open(parts.accounts))
        checkpointer = Checkpointer(
            store,
            parts.ledger_key,
            f"/seal-tracker/{settings.tenant}",
            lambda jws: publisher.publish_state(ledger_topic(settings.tenant), jws),
            clock_ms=clock_ms,
        )
        await checkpointer.resume()
        server = await start_web(
            _web_context(settings, store, keeper, service, hub, checkpointer),
            *split_address(settings.http),
            tls=tls,
        )
        WATCHERS.set_function(lambda: hub.watchers)
        async with _tasks(
            pipeline,
            service,
            checkpointer,
            _beside(settings, store, teller, service, keeper.accounts) | _of_seals(settings, parts, seals),
        ):
            try:
                await _subscribed(source)
                yield Ready(
                    server.url, parts.broker.host, parts.broker.port, parts.dsn, settings.tenant, parts.told
                )
            finally:
                log.info("service.stopping")
                hub.close()
                await server.close()
                source.finish()


def _tell_first_password(password: str | None) -> None:
    """On standard output alone, never in the log, and only this once: the database has no more than its hash."""
    if password is not None:
        sys.stdout.write(
            f"\n  A new database: sign in as   {FIRST}   with the one-time password   {password}\n"
            "  It must be changed at the first sign-in, and is not told again.\n\n"
        )
        sys.stdout.flush()


def _beside(
    settings: Settings, store: Store, teller: Teller, service: Service, accounts: Accounts
) -> dict[str, Coroutine[Any, Any, None]]:
    """What runs beside the pipeline, by name."""

    def sees(owner: str) -> frozenset[str] | None:
        plan, account = service.plan(LIVE), accounts.get(owner)
        return units_heard(account, plan.units if plan else ())

    hooks = HookSender(store, private=settings.webhook_private, clock_ms=clock_ms, sees=sees)
    retention = Retention(store, service.pipeline, settings.keep_pings_days, clock_ms)
    runs = {
        "teller": teller.run(),
        "canary": service.send_canary(),
        "hooks": hooks.run(),
        "retention": retention.run(),
        "memory": keep_giving_back(),
    }
    if settings.smtp_host is not None:
        password = settings.smtp_password.get_secret_value() if settings.smtp_password else None
        server = SmtpServer(
            settings.smtp_host, settings.smtp_port, settings.smtp_sender, settings.smtp_username, password,
            settings.smtp_security,
        )  # fmt: skip
        runs["mail"] = Mailer(store, server, clock_ms=clock_ms).run()
    return runs


def _of_seals(
    settings: Settings, parts: Parts, seals: CredentialKeeper
) -> dict[str, Coroutine[Any, Any, None]]:
    """What makes the broker know seals' own accounts, and counts what it refuses."""
    runs = {}
    if parts.seals.nats is not None:
        issuer = Issuer(parts.seals.nats.seed, settings.tenant, seals.knows)
        side = NatsSide(parts.seals.nats, issuer, clock_ms)
        seals.put_out = side.put_out
        runs["callout"] = side.run()
    if parts.seals.log is not None:
        runs["broker_log"] = BrokerLog(
            parts.seals.log, lambda refused: PUBLISH_REFUSED.inc(len(refused))
        ).run()
    return runs


async def _remember_alarms(store: Store, teller: Teller, space: str) -> None:
    """Tell the teller which alarms there are, page by page."""
    cursor, open_ones = None, AlarmFilter(states=OPEN_STATES)
    while True:
        rows, cursor = await store.alarms(
            space, open_ones, open_only=True, cursor=cursor, limit=ALARMS_AT_ONCE
        )
        teller.found_open(space, rows)
        if cursor is None:
            return


async def _subscribed(source: MqttSource) -> None:
    """Wait until the broker has granted the subscriptions: what it acknowledged before would be kept for nobody."""
    warned_at = time.monotonic() + 5.0
    while not source.status.ready:
        if time.monotonic() > warned_at:
            log.warning("service.waiting_for_broker", error=source.status.last_error)
            warned_at += 30.0
        await asyncio.sleep(0.02)


def _web_context(
    settings: Settings,
    store: Store,
    keeper: AccountKeeper,
    service: Service,
    hub: Hub,
    checkpointer: Checkpointer,
) -> WebContext:
    https = settings.https_in_front or settings.https_certificate is not None
    config = WebConfig(
        tenant=settings.tenant, version=__version__, tile_url=settings.tile_url, tls=https,
        proxied=settings.https_in_front,
        webhook_private=settings.webhook_private, alarm_terms=settings.alarm_terms,
    )  # fmt: skip
    if settings.basemap is not None:
        config = replace(config, basemap=settings.basemap)
    return WebContext(config, store, Sessions(store), keeper, service, hub, checkpointer)


@asynccontextmanager
async def _tasks(
    pipeline: Pipeline,
    service: Service,
    checkpointer: Checkpointer,
    beside: Mapping[str, Coroutine[Any, Any, None]],
) -> AsyncIterator[None]:
    """Run the pipeline and the tasks beside it, by name; one that fails ends the service, loudly."""
    here = asyncio.current_task()
    failed: list[BaseException] = []
    ending = False

    def watch(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (fault := task.exception()) is not None:
            failed.append(fault)
            log.critical("service.task_failed", task=task.get_name(), exc_info=fault)
            if here is not None and not ending:
                here.cancel()

    work = asyncio.create_task(pipeline.run(), name="pipeline")
    beside = {**beside, "checkpointer": checkpointer.run()}
    rest = [asyncio.create_task(run, name=name) for name, run in beside.items()]
    for task in (work, *rest):
        task.add_done_callback(watch)
    try:
        yield
    except asyncio.CancelledError:
        if failed:
            raise failed[0] from None
        raise
    finally:
        ending = True
        await _worked_off(work, pipeline)
        for task in (work, *rest):
            task.cancel()
        await asyncio.gather(work, *rest, return_exceptions=True)
        with contextlib.suppress(TimeoutError, StoreError):
            async with asyncio.timeout(DRAIN_S):
                if pipeline.stalled is None:
                    await checkpointer.sign_now()  # so that no tail is left uncovered until the next start
                await service.publisher.drained()
    if failed:
        raise failed[0]


async def _worked_off(work: asyncio.Task[None], pipeline: Pipeline) -> None:
    """Wait until what has been read is committed, but not for a database that is away: the broker sends it again."""
    while not work.done() and pipeline.stalled is None:
        await asyncio.wait({work}, timeout=STALLED_POLL_S)
