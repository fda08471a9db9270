"""The service as it runs, seen from outside: what it knows, whether it is ready, exercise spaces made while it runs.

Everything is called on the event loop; only `Service.create_space` and `Service.send_canary` wait.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence

import msgspec

from geofences.catalog import Fault
from seal_tracker.clock import clock_ms
from seal_tracker.config import Settings
from seal_tracker.credentials.keeper import CredentialKeeper
from seal_tracker.deeds import Deed
from seal_tracker.in_force import InForce
from seal_tracker.journey_record import as_judged, read_record
from seal_tracker.journey_tracks import read_tracks
from seal_tracker.metrics import OUTBOX_WAITING, SOURCE_QUEUED
from seal_tracker.model import LIVE, iso_ms
from seal_tracker.pipeline import Pipeline
from seal_tracker.planning import read_plan, record_newest, with_newest
from seal_tracker.plans.folder import empty_plan
from seal_tracker.plans.model import Journey, Plan
from seal_tracker.positions import equipment_rows, position_rows, under_way
from seal_tracker.prepared import Prepared
from seal_tracker.probing.asking import Credentials
from seal_tracker.probing.prober import Asking, Prober
from seal_tracker.publishing.outbox import OutboxPublisher
from seal_tracker.publishing.topics import canary_topic, device_topic
from seal_tracker.sources.mqtt import MqttSource
from seal_tracker.space import SpaceJudge
from seal_tracker.store import Store
from seal_tracker.supervision.journey_plan import commit_of, import_plan
from seal_tracker.supervision.plan_editing import Change, Editor, PlanEdited, edit_plan
from seal_tracker.supervision.plan_trial import PlanTried, try_plan
from seal_tracker.tracking.heartbeats import device_name
from seal_tracker.tracks import DeviceTrack
from seal_tracker.web.context import Check
from seal_tracker.web.wire import EquipmentRow, PositionRow, UnderWay

__all__ = ["Service"]

CANARY_EVERY_S = 5.0
"""How often the service sends itself the time (SEMANTICS, *Now*)."""

CANARIES_MISSED = 3
"""So many of our own messages may fail to come back before we call ourselves not ready."""


class Service:
    """The parts that run, as the web side sees them (its ``Live``)."""

    def __init__(self, settings: Settings, store: Store, spaces: dict[str, SpaceJudge]) -> None:
        self.settings = settings
        self.store = store
        self._spaces = spaces
        self._started_ms = clock_ms()
        self.pipeline: Pipeline
        self.source: MqttSource
        self.publisher: OutboxPublisher
        self.credentials: CredentialKeeper
        self.prober: Prober | None = None

    def spaces(self) -> Sequence[str]:
        """Names of all spaces."""
        return tuple(self._spaces)

    def positions(self, space: str) -> Sequence[PositionRow]:
        """Where each seal of a space is."""
        return list(position_rows(self._spaces[space]))

    def equipment(self, space: str) -> Iterable[EquipmentRow]:
        """Every camera, scanner and reader of a space."""
        rows = equipment_rows(self._spaces[space])
        if self.prober is None or space != LIVE:
            return rows
        found = self.prober.found
        return (msgspec.structs.replace(row, probed=found.get(row.equipment.id)) for row in rows)

    def probe(self, asker: Asking, credentials: Mapping[str, Credentials]) -> None:
        """Have the live plan's equipment asked, once the service runs; an answer comes back as the equipment's own heartbeat."""

        def heartbeat(equipment: str, at_ms: int) -> None:
            topic = device_topic(self.settings.tenant, device_name(equipment))
            said = json.dumps({"status": "online", "time": iso_ms(at_ms)}).encode()
            self.publisher.publish_transient(topic, said)

        self.prober = Prober(asker, lambda: self.plan(LIVE), heartbeat, credentials, clock_ms=clock_ms)

    def plan(self, space: str) -> Plan | None:
        """The plan in force."""
        return self._spaces[space].plan

    def plan_versions(self, space: str) -> Sequence[tuple[int, Plan]]:
        """Every version that is judged by, and from when on it holds."""
        return [(version.from_ms, version.plan) for version in self._spaces[space].versions]

    async def journey(self, space: str, journey: str) -> Journey | None:
        """A journey that was armed, by its id."""
        if (held := self._spaces[space].journey(journey)) is not None:
            return held
        row = await self.store.journey(space, journey)
        return None if row is None else as_judged(read_record(row.body))

    async def tracks(self, space: str, journey: Journey) -> Sequence[DeviceTrack]:
        """The track of each device of a journey while it was armed."""
        return await read_tracks(self.store, self._spaces[space].numbers, journey)

    def stats_extra(self) -> Mapping[str, int | float]:
        """Counts that live in this process only."""
        counts = self.source.counts
        return {
            "seals": len(self._spaces[LIVE].states),
            "received": counts.received,
            "acknowledged": counts.acknowledged,
            "redelivered_in_flight": counts.redelivered_in_flight,
            "source_queued": self.source.queued,
        }

    def ready(self) -> Sequence[Check]:
        """Whether pings can come in and alerts go out."""
        source, out = self.source.status, self.publisher.status.link
        stalled = self.pipeline.stalled
        return [
            _link("broker_in", source.ready, source.last_error),
            _link("broker_out", out.connected, out.last_error),
            ("ingest", stalled is None, stalled or "running"),
            self._heard_ourselves(),
            ("plan", True, self._plan_said()),
        ]

    def _plan_said(self) -> str:
        """Whether all of the plan in force is judged by; it takes pings all the same."""
        plan = self._spaces[LIVE].plan
        if plan is None or not plan.left_out:
            return "judged by"
        n = len({(one.file, one.feature) for one in plan.left_out})
        return f"judged without {n} of its objects, refused since version {plan.version} was stored: the log names them"

    def _heard_ourselves(self) -> Check:
        """Whether our own messages come back: a broker that hangs keeps its connections for a minute."""
        newest = self._spaces[LIVE].now_ms or 0
        silent_s = (clock_ms() - max(newest, self._started_ms)) / 1000
        if silent_s <= CANARIES_MISSED * CANARY_EVERY_S:
            return ("canary", True, "comes back")
        return (
            "canary",
            False,
            f"none of our own messages came back for {silent_s:.0f} s: the broker does not answer, or pings wait",
        )

    def now_ms(self, space: str) -> int | None:
        """The space's own now; None before it has any."""
        return self._spaces[space].now_ms

    def under_way(self, space: str, journeys: Iterable[str]) -> Mapping[str, UnderWay]:
        """What the tracks of these journeys tell."""
        return under_way(self._spaces[space], journeys)

    async def edit_plan(self, space: str, change: Change, editor: Editor) -> PlanEdited:
        """Make a change of a plan's files its next version."""
        return await edit_plan(self.pipeline.act, self._spaces[space], change, editor, clock_ms)

    async def try_plan(self, change: Change, *, from_ms: int, units: Collection[str] | None) -> PlanTried:
        """Try a change of the live plan's files on journeys since ``from_ms``."""
        judging, now_ms = self._spaces[LIVE], clock_ms()
        base = judging.plan or empty_plan()
        return await try_plan(
            self.store, judging.numbers, base, change, from_ms=from_ms, now_ms=now_ms, units=units
        )

    async def act(self, space: str, work: Callable[[SpaceJudge], Awaitable[tuple[Prepared, Deed]]]) -> None:
        """Let a person act on a space between two batches."""
        await self.pipeline.act(space, work)

    async def create_space(self, space: str, files: Mapping[str, str]) -> Sequence[Fault]:
        """Make an exercise space, of a name not taken, judged by a plan; faults of it.

        Where one is an error, nothing was made.
        """
        plan, faults = await read_plan(files)
        if plan is None:
            return faults
        await self.pipeline.between(lambda: self._add_space(space, plan))
        return faults

    async def _add_space(self, space: str, plan: Plan) -> None:
        await self.store.add_space(space)
        judging = SpaceJudge(space, self.store)
        plans = with_newest(plan, [], clock_ms())
        brought = await import_plan(self.store, space, plan.journeys, clock_ms())
        if brought.changes:
            await self.store.commit(commit_of(space, brought))
        await judging.open(plans, InForce(plan.journeys))
        await record_newest(self.store, space, plans, clock_ms())
        self._spaces[space] = judging

    async def send_canary(self) -> None:
        """Send ourselves the time, for ever; it comes back through the ingest subscription."""
        topic = canary_topic(self.settings.tenant, self.settings.instance)
        while True:
            now = clock_ms()
            self.publisher.publish_transient(
                topic, json.dumps({"time": iso_ms(now), "valid": False}).encode()
            )
            OUTBOX_WAITING.set(self.publisher.status.waiting)
            SOURCE_QUEUED.set(self.source.queued)
            await asyncio.sleep(CANARY_EVERY_S)


def _link(name: str, up: bool, last_error: str | None) -> Check:
    """A connection that stands has no error, whatever ended the one before it."""
    return (name, up, "connected" if up else last_error or "not connected")
