"""Special situations as rows. No behaviour; times are epoch milliseconds."""

from __future__ import annotations

from typing import Final, NamedTuple
from uuid import UUID

__all__ = ["RESTRICTED", "SituationChange", "SituationRow", "name_of"]

RESTRICTED: Final = "restricted/"
"""What the names of restricted situations begin with in the ledger, which shows their entries to few."""


class SituationRow(NamedTuple):
    """A situation as it stands; ``body`` is the situation as JSON.

    ``salt`` is random, of a restricted one alone: what the ledger says of it is a hash that nobody can try guesses on.
    """

    id: UUID
    version: int
    kind: str
    severity: str
    unit: str | None
    state: str
    restricted: bool
    occurred_ms: int
    registered_ms: int
    closed_ms: int | None
    journeys: tuple[str, ...]
    salt: str | None
    body: bytes


class SituationChange(NamedTuple):
    """A situation as it stands from now on, and the step that led there: what, when, who, in which role."""

    row: SituationRow
    verb: str
    at_ms: int
    actor: str
    role: str

    @property
    def name(self) -> str:
        """What the ledger calls the situation."""
        return name_of(self.row.id, restricted=self.row.restricted)


def name_of(situation: UUID | str, *, restricted: bool) -> str:
    """What the ledger calls a situation."""
    return f"{RESTRICTED if restricted else 'situation/'}{situation}"
