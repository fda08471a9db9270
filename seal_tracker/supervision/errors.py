"""Why something that a person asked for is not done.

Refused
├── Unknown        there is no such thing, or it is not theirs to see
├── WrongState     not in the state the thing is in
├── Clash          it contradicts something else that stands
│   └── NotAdmitted    an oversized vehicle may not go; ``reasons`` says why, each in both languages
├── Stale          somebody changed it meanwhile
└── Unfit          what was asked for says something that cannot be; ``field`` names the member
"""

from __future__ import annotations

from collections.abc import Sequence

from geofences.catalog import Fault
from seal_tracker.plans.admission import Reason

__all__ = ["Clash", "NotAdmitted", "Refused", "Stale", "Unfit", "Unknown", "WrongState"]


class Refused(Exception):  # noqa: N818 - a word of the field: nothing failed
    """Not done, and nothing was changed. The text says what, why, and what to do; ``field`` is the member at fault."""

    def __init__(self, text: str, *, field: str | None = None, faults: Sequence[Fault] = ()) -> None:
        super().__init__(text)
        self.field = field
        self.faults = tuple(faults)


class Unknown(Refused):
    """There is no such thing here."""


class WrongState(Refused):
    """The state it is in does not allow that."""


class Clash(Refused):
    """Something else that stands forbids it."""


class NotAdmitted(Clash):
    """What is declared of an oversized vehicle exceeds its permit, its registration, or a structure on its route."""

    def __init__(self, journey: str, reasons: Sequence[Reason]) -> None:
        said = "; ".join(reason.text.en for reason in reasons)
        super().__init__(f"journey {journey!r} is not armed: {said}", field=reasons[0].field)
        self.reasons = tuple(reasons)


class Stale(Refused):
    """It is not as it was when the person looked."""


class Unfit(Refused):
    """What is asked for is not possible as it is written; ``faults`` names each line and member."""
