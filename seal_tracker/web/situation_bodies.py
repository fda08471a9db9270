"""What the routes of special situations are sent and answer."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import UNSET, UnsetType

from seal_tracker.model import Severity
from seal_tracker.situations.states import Situation, StateName, Verb
from seal_tracker.web.alarms import AlarmId
from seal_tracker.web.queries import Cursor, Id, Limit, Moment, PageQuery, Said, SpaceQuery

__all__ = [
    "PATH", "FollowUpBody", "KindItem", "NewSituation", "SituationChange", "SituationClose", "SituationReopen",
    "SituationVersion", "SituationsQuery", "VersionsQuery",
]  # fmt: skip

PATH: Final = {"situation": AlarmId}

Narrative = Annotated[str, msgspec.Meta(min_length=1, max_length=8000, pattern=r"^[^\x00]*\Z")]
KindId = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,63}\Z")]
Journeys = Annotated[list[Id], msgspec.Meta(max_length=50)]
Alarms = Annotated[list[AlarmId], msgspec.Meta(max_length=50)]


class SituationsQuery(PageQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Situations by when they occurred, newest first. ``unit`` is that unit's alone, with ``below`` those below it, too; ``open_at``: that were
    registered before that moment and not closed by it; ``restricted``: those alone that are, or are not.
    """

    kind: KindId | UnsetType = UNSET
    severity: Severity | UnsetType = UNSET
    state: StateName | UnsetType = UNSET
    unit: Id | UnsetType = UNSET
    below: bool = False
    journey: Id | UnsetType = UNSET
    from_: Moment | UnsetType = msgspec.field(default=UNSET, name="from")
    to: Moment | UnsetType = UNSET
    open_at: Moment | UnsetType = UNSET
    restricted: bool | UnsetType = UNSET


class VersionsQuery(SpaceQuery, frozen=True, forbid_unknown_fields=True):
    """Versions, newest first."""

    limit: Limit = 100
    after: Cursor | UnsetType = UNSET


class NewSituation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happened, in words. ``unit`` is whose it is, one's own; of a restricted kind any; null: headquarters'."""

    kind: KindId
    severity: Severity
    occurred_at: Moment
    narrative: Narrative
    unit: Id | None = None
    journeys: Journeys = []
    alarms: Alarms = []


class SituationChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be said instead, and why; what is left out stays."""

    reason: Said
    kind: KindId | UnsetType = UNSET
    severity: Severity | UnsetType = UNSET
    occurred_at: Moment | UnsetType = UNSET
    narrative: Narrative | UnsetType = UNSET
    unit: Id | UnsetType | None = UNSET
    journeys: Journeys | UnsetType = UNSET
    alarms: Alarms | UnsetType = UNSET


class FollowUpBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What came after."""

    text: Said


class SituationClose(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What came of it."""

    outcome: Said


class SituationReopen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it is not over."""

    reason: Said


class SituationVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version: which step led to it, who took it when, and the situation as it then stood."""

    version: int
    step: Verb
    at: str
    by: str
    role: str
    situation: Situation


class KindItem(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of situation, its name, and whether situations of it are restricted."""

    kind: str
    vi: str
    en: str
    restricted: bool
