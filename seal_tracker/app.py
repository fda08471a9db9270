"""The running service: the only place where everything meets.

    parts (embedded broker, database) ─ store ─ spaces ─ publisher ─ source ─ pipeline ─ teller ─ web

Started in this order, ended in the other; what has been acknowledged to the broker is in the database by then.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
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
from seal_tracker.downlink.answers import AnswerDesk, not_taken
from seal_tracker.downlink.dispatch import Dispatcher
from seal_tracker.hooks.mailer import Mailer, SmtpServer
from seal_tracker.hooks.sender import HookSender
from seal_tracker.joining import MAX_DONE
from seal_tracker.memory import keep_giving_back, keep_little
from seal_tracker.metrics import PUBLISH_REFUSED, WATCHERS
from seal_tracker.model import LIVE
from seal_tracker.opening import commit_opened, load_plan, open_spaces, taken_plan
from seal_tracker.overdue import OverdueClock
from seal_tracker.parts import Parts, open_parts
from seal_tracker.pipeline import Pipeline
from seal_tracker.probing.exchange import Asker
from seal_tracker.probing.settings import networks_in, read_credentials
from seal_tracker.publishing.outbox import OutboxPublisher
from seal_tracker.publishing.topics import ingest_filters, ingest_session, ledger_topic
from seal_tracker.repairs.opener import TicketOpener
from seal_tracker.reporting import ReportMaker, attached
from seal_tracker.retention import Retention
from seal_tracker.service import Service
from seal_tracker.sources.mqtt import MqttSource
from seal_tracker.store import Store
from seal_tracker.store.alarm_reads import AlarmFilter
from seal_tracker.store.command_reads import CommandFilter
from seal_tracker.tasks import tasks_running
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

__all__ = ["Ready", "running"]

log = structlog.get_logger(__name__)

ALARMS_AT_ONCE = 1_000
"""Alarms read together at a start."""

COMMANDS_AT_START = 1_000
"""Commands under way that watchers are told of after a start, the newest; there are a handful, and never more than three a seal."""


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


@asynccontextmanager
async def running(settings: Settings, *, embedded: Path | None = None) -> AsyncIterator[Ready]:
    """Run the service inside the context; leaving it drains and stops everything.

    Raises
    ------
    ConfigError, PlanFaultyError, EmbeddedError, StoreError, OSError
        The service cannot start; nothing is left running.
    """
    keep_little()
    folder = await load_plan(settings)
    if folder.refused and embedded and not await asyncio.to_thread(embedded.exists):
        raise folder.refused  # nothing can have been taken up before: nothing is made
    tls = server_context(settings)
    async with AsyncExitStack() as stack:
        parts = await open_parts(settings, embedded, stack)
        store = await Store.open(parts.dsn)
        stack.push_async_callback(store.close)
        plan = await taken_plan(store, folder)
        spaces, opened = await open_spaces(store, plan)
        gc.collect()
        gc.freeze()  # plans are large and live as long as we do
        service = Service(settings, store, spaces)
        hub = Hub()
        name = f"seal-tracker-{settings.tenant}-{settings.instance}"
        networks = networks_in(settings.probe_networks)
        if networks:
            service.probe(Asker(networks), read_credentials(settings.probe_credentials_file))
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
        under_way, _ = await store.commands(LIVE, CommandFilter(under_way=True), limit=COMMANDS_AT_START)
        teller.tell_commands(LIVE, under_way)
        source = service.source = await stack.enter_async_context(
            MqttSource(
                parts.broker,
                ingest_session(settings.tenant, settings.instance),
                ingest_filters(settings.tenant, commands=settings.commands),
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
            answers=AnswerDesk(store, clock_ms) if settings.commands else not_taken,
            parts_read=await store.parts_known(MAX_DONE),
        )
        await commit_opened(store, pipeline, opened, plan)
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
        async with tasks_running(
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
        "reports": ReportMaker(
            store=store,
            live=service,
            act=service.pipeline.act,
            organisation=settings.organisation,
            kinds=settings.kinds,
            base=settings.public_url,
            clock_ms=clock_ms,
        ).run(),
        "overdue": OverdueClock(store, service.pipeline.act, clock_ms=clock_ms).run(),
        "memory": keep_giving_back(),
    }
    if settings.commands:
        runs["commands"] = Dispatcher(
            store, service.pipeline.act, lambda: service.publisher.status.link.connected,
            tenant=settings.tenant, clock_ms=clock_ms,
        ).run()  # fmt: skip
    if settings.tickets_by_themselves:
        runs["tickets"] = TicketOpener(
            store, service.pipeline.act, after_ms=round(settings.ticket_after_min * 60_000), clock_ms=clock_ms
        ).run()
    if service.prober is not None:
        runs["probes"] = service.prober.run()
    if settings.smtp_host is not None:
        password = settings.smtp_password.get_secret_value() if settings.smtp_password else None
        server = SmtpServer(
            settings.smtp_host, settings.smtp_port, settings.smtp_sender, settings.smtp_username, password,
            settings.smtp_security,
        )  # fmt: skip
        runs["mail"] = Mailer(
            store, server, clock_ms=clock_ms, attach=partial(attached, store, settings.public_url)
        ).run()
    return runs


def _of_seals(
    settings: Settings, parts: Parts, seals: CredentialKeeper
) -> dict[str, Coroutine[Any, Any, None]]:
    """What makes the broker know seals' own accounts, and counts what it refuses."""
    runs = {}
    if parts.seals.nats is not None:
        issuer = Issuer(parts.seals.nats.seed, settings.tenant, seals.knows, commands=settings.commands)
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
        commands=settings.commands, commands_position_alone=settings.commands_position_alone,
        seals_registered_only=settings.seals_registered_only,
        webhook_private=settings.webhook_private, webhooks_per_account=settings.webhooks_per_account, alarm_terms=settings.alarm_terms,
        situation_kinds=settings.kinds, organisation=settings.organisation,
    )  # fmt: skip
    if settings.basemap is not None:
        config = replace(config, basemap=settings.basemap)
    return WebContext(config, store, Sessions(store), keeper, service, hub, checkpointer)
