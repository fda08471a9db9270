"""What the HTTP side must be given. Each protocol is as narrow as its use here; ``app`` provides the real things.

All of it is used on the event loop's thread only.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from aiohttp import web
from prometheus_client import REGISTRY, CollectorRegistry

from seal_tracker.alarms.deadlines import DEFAULT_TERMS, Terms
from seal_tracker.model import Episode
from seal_tracker.situations.kinds import DEFAULT_KINDS, ORGANISATION, Kinds
from seal_tracker.store.alarm_reads import AlarmFilter, AlarmRates, RateQuery, StoredAction
from seal_tracker.store.filters import EpisodeFilter, EventFilter, JourneyFilter
from seal_tracker.store.journey_reads import Overlap
from seal_tracker.store.journey_rows import JourneyRow, JourneyVersion
from seal_tracker.store.records import AlarmRow, EpisodePage, EpisodeRow, Stats
from seal_tracker.store.report_reads import Summary
from seal_tracker.web.accounts import Accounts
from seal_tracker.web.duty_context import (
    CommandReading,
    DutyReading,
    SealReading,
    SuppressionReading,
    TaskReading,
    TicketReading,
)
from seal_tracker.web.fact_context import FactReading
from seal_tracker.web.inspection_context import InspectionReading
from seal_tracker.web.ledger_context import LedgerReading, LedgerSigner
from seal_tracker.web.lockout import LockoutPolicy
from seal_tracker.web.situation_context import ReportReading, SituationReading
from seal_tracker.web.wire import EquipmentRow, PositionRow, UnderWay

if TYPE_CHECKING:
    from geofences.catalog import Fault
    from seal_tracker.credentials.keeper import CredentialKeeper
    from seal_tracker.deeds import Deed
    from seal_tracker.hooks.rows import HookRow, Progress
    from seal_tracker.plans import Journey, Plan
    from seal_tracker.prepared import Prepared
    from seal_tracker.space import SpaceJudge
    from seal_tracker.store.records import PlanEntry
    from seal_tracker.supervision.plan_editing import Change, Editor, PlanEdited
    from seal_tracker.supervision.plan_trial import PlanTried
    from seal_tracker.tracks import DeviceTrack
    from seal_tracker.web.keeper import AccountKeeper
    from seal_tracker.web.sessions import Sessions
    from seal_tracker.web.sse import Hub

__all__ = [
    "CONTEXT",
    "Check",
    "Live",
    "Reading",
    "WebConfig",
    "WebContext",
]

Check = tuple[str, bool, str]
"""A part, whether it is ready, and what to know of it."""

HERE = Path(__file__).parent


class Reading(
    LedgerReading,
    DutyReading,
    SuppressionReading,
    CommandReading,
    TicketReading,
    SituationReading,
    TaskReading,
    InspectionReading,
    ReportReading,
    SealReading,
    FactReading,
    Protocol,
):
    """What is read from the store."""

    async def alarm(self, space: str, alarm: UUID) -> AlarmRow | None:
        """One alarm, None where there is none."""

    async def alarms(
        self,
        space: str,
        wanted: AlarmFilter,
        *,
        open_only: bool = False,
        by_priority: bool = False,
        collapse: bool = False,
        cursor: str | None = None,
        limit: int = 100,
    ) -> tuple[Sequence[AlarmRow], str | None]:
        """A page of alarms and the cursor of the next one; ``ValueError`` where the cursor is none of that list."""

    async def alarms_in_groups(
        self, space: str, groups: Iterable[UUID], scope: frozenset[str] | None
    ) -> Mapping[UUID, int]:
        """How many alarms of each group are open."""

    async def comments_of(self, space: str, journeys: Iterable[str]) -> Sequence[bytes]:
        """What drivers declared of these journeys, oldest first."""

    async def episodes_of_ids(self, episodes: Iterable[UUID]) -> Mapping[UUID, EpisodeRow]:
        """Episodes as they stand, by id, retracted ones too."""

    async def actions_of(self, space: str, subject: str, *, limit: int = 100) -> Sequence[StoredAction]:
        """What was done to something, newest first."""

    async def alarm_rates(self, space: str, asked: RateQuery) -> AlarmRates:
        """How often there were alarms."""

    async def report_summary(self, space: str, asked: RateQuery, until_ms: int) -> Summary:
        """The figures of a period; a silence that is not over by ``until_ms`` is told up to then."""

    async def offline_times(
        self, space: str, from_ms: int, to_ms: int, equipment: Collection[str]
    ) -> Mapping[str, Sequence[tuple[int, int | None]]]:
        """When equipment was offline, as far as that touches [from, to), by its id; an end of None: it still is."""

    async def maintenance_times(
        self, space: str, from_ms: int, to_ms: int, equipment: Collection[str]
    ) -> Mapping[str, Sequence[tuple[int, int]]]:
        """When equipment was in planned maintenance, as far as that touches [from, to), by its id."""

    async def last_sequence(self) -> int:
        """Sequence of the newest event of any space, 0 where there is none."""

    async def events_after(
        self, space: str, sequence: int, limit: int, which: EventFilter = ...
    ) -> Sequence[tuple[int, bytes]]:
        """(sequence, CloudEvent) above the sequence, oldest first."""

    async def events_before(
        self, space: str, sequence: int | None, limit: int, which: EventFilter = ...
    ) -> Sequence[tuple[int, bytes]]:
        """(sequence, CloudEvent) below the sequence (None: from the end), newest first."""

    async def episodes(
        self, space: str, which: EpisodeFilter = ..., *, cursor: str | None = None, limit: int = 100
    ) -> EpisodePage:
        """A page of episodes, newest first, retracted ones left out."""

    def stream_episodes(self, space: str, which: EpisodeFilter = ...) -> AsyncIterator[Episode]:
        """Episodes in the order of the episodes file, retracted ones left out."""

    async def journeys_named(self, space: str, ids: Iterable[str]) -> Mapping[str, JourneyRow]:
        """Some journeys as they stand, by id."""

    async def journeys_with_box(self, space: str, box: str) -> Sequence[str]:
        """Ids of the journeys that a box is or was on."""

    async def event_count(self, space: str, units: Collection[str]) -> int:
        """How many events those units have."""

    async def stats(self, space: str) -> Stats:
        """What the space holds."""

    async def journey(self, space: str, journey: str) -> JourneyRow | None:
        """A journey as it stands."""

    async def journeys(
        self, space: str, which: JourneyFilter, *, after: str = "", limit: int = 100
    ) -> tuple[list[JourneyRow], bool]:
        """A page of journeys by id, and whether there are more."""

    async def journeys_known(self, space: str, ids: Iterable[str]) -> set[str]:
        """Which of these ids are taken."""

    async def journeys_overlapping(
        self, space: str, wanted: Sequence[tuple[str, str, int, int | None]]
    ) -> list[Overlap]:
        """Which other journeys have seals that are to be armed."""

    async def journey_versions(self, space: str, journey: str) -> list[JourneyVersion]:
        """Every version of a journey, oldest first."""

    async def journey_alarms_open(self, space: str, ids: Iterable[str]) -> dict[str, int]:
        """How many alarms of these journeys are not closed."""

    async def plan_history(self, space: str, before: int | None, limit: int) -> Sequence[PlanEntry]:
        """Versions of a space's plan before one (None: from the newest), newest first."""

    async def plan_files(self, space: str, version: int) -> Mapping[str, str] | None:
        """The files of one version."""

    async def hooks(self) -> Sequence[tuple[HookRow, Progress]]:
        """Every webhook that was not removed."""


class Live(Protocol):
    """The running service. Answers from memory; only ``create_space`` does I/O."""

    def spaces(self) -> Sequence[str]:
        """Names of all spaces, ``live`` among them."""

    def positions(self, space: str) -> Sequence[PositionRow]:
        """The newest known row of each seal of the space, in any order."""

    def equipment(self, space: str) -> Iterable[EquipmentRow]:
        """Every camera, scanner and reader of the space."""

    def plan(self, space: str) -> Plan | None:
        """The plan in force, None where the space has none."""

    def plan_versions(self, space: str) -> Sequence[tuple[int, Plan]]:
        """Every version that is judged by and from when on it holds (``NO_TIME``: always), oldest first."""

    def stats_extra(self) -> Mapping[str, int | float]:
        """Counts that are not in the store, joined to its own for the live space."""

    def ready(self) -> Sequence[Check]:
        """The parts that pings need: broker, ingest, … (the database and the page are checked here)."""

    async def journey(self, space: str, journey: str) -> Journey | None:
        """A journey that was armed, by its id."""

    async def tracks(self, space: str, journey: Journey) -> Sequence[DeviceTrack]:
        """The track of each device of a journey while it was armed."""

    def now_ms(self, space: str) -> int | None:
        """The space's own now; None before it has any."""

    def under_way(self, space: str, journeys: Iterable[str]) -> Mapping[str, UnderWay]:
        """What the tracks of these journeys tell, by id; those that have ended or nobody heard of are absent."""

    @property
    def credentials(self) -> CredentialKeeper:
        """Seals' own accounts."""

    async def edit_plan(self, space: str, change: Change, editor: Editor) -> PlanEdited:
        """Make a change of a plan's files its next version; refused with its faults where it is none."""

    async def try_plan(self, change: Change, *, from_ms: int, units: Collection[str] | None) -> PlanTried:
        """Try a change of the live plan's files on journeys since ``from_ms``."""

    async def act(self, space: str, work: Callable[[SpaceJudge], Awaitable[tuple[Prepared, Deed]]]) -> None:
        """Let a person act on a space between two batches: ``work`` looks and decides, what it gives is committed as one."""

    async def create_space(self, space: str, files: Mapping[str, str]) -> Sequence[Fault]:
        """Make an exercise space judged by that plan; faults of level ``error`` mean that nothing was made."""


@dataclass(frozen=True, slots=True)
class WebConfig:
    """Settings of the HTTP side.

    Attributes
    ----------
    tile_url
        Template of a tile server (``https://host/{z}/{x}/{y}.png``), or None: the basemap alone is drawn.
    basemap
        JSON file with ``centre``, ``zoom``, ``labels`` and what the page draws below zones and routes.
    page
        Folder of the built page.
    webhook_private
        Whether webhooks may lead to private addresses, and go by http.
    webhooks_per_account
        How many webhooks one account may have at once.
    commands, commands_position_alone
        Whether seals are commanded; and whether a position is asked for without a second person.
    organisation
        Its name by language, for reports.
    seals_registered_only
        Whether of seals those alone are armed that are registered as assets.
    situation_kinds
        Kinds of special situations, with their names.
    tls
        Whether people reach the service by https (here or at a proxy in front); cookies are then Secure.
    proxied
        Whether a proxy is in front, whose word on who asks (``X-Forwarded-For``) is heard.
    alarm_terms
        By when alarms must be dealt with.
    session_s
        Seconds until one must sign in again; 12 h covers a long shift.
    """

    tenant: str
    version: str
    tile_url: str | None = None
    basemap: Path = HERE / "basemaps" / "viet_nam.json"
    page: Path = HERE / "ui" / "dist"
    tls: bool = False
    proxied: bool = False
    alarm_terms: Terms = field(default_factory=lambda: DEFAULT_TERMS)
    webhook_private: bool = False
    webhooks_per_account: int = 20
    commands: bool = False
    commands_position_alone: bool = False
    organisation: Mapping[str, str] = field(default_factory=lambda: ORGANISATION)
    seals_registered_only: bool = False
    situation_kinds: Kinds = field(default_factory=lambda: DEFAULT_KINDS)
    session_s: int = 12 * 3600
    lockout: LockoutPolicy = field(default_factory=LockoutPolicy)


@dataclass(frozen=True, slots=True)
class WebContext:
    """Everything the application works with; whoever makes it opens and closes the parts."""

    config: WebConfig
    store: Reading
    sessions: Sessions
    keeper: AccountKeeper
    live: Live
    hub: Hub
    ledger: LedgerSigner
    registry: CollectorRegistry = REGISTRY

    @property
    def accounts(self) -> Accounts:
        """Who may come in."""
        return self.keeper.accounts


CONTEXT: web.AppKey[WebContext] = web.AppKey("context", WebContext)
