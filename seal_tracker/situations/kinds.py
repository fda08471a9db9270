"""The kinds of special situations: configuration, with a list to begin with. No behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["DEFAULT_KINDS", "ORGANISATION", "Kind", "Kinds"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind: its name in Vietnamese and English; ``restricted``: seen by those alone who have the right."""

    vi: str
    en: str
    restricted: bool = False


Kinds = Mapping[str, Kind]
"""Kinds by their id."""

DEFAULT_KINDS: Final[Kinds] = {
    "incident": Kind("Sự cố, tai nạn", "Incident"),
    "media_attention": Kind("Báo chí, dư luận quan tâm", "Media attention"),
    "complaint": Kind("Khiếu nại, phản ánh", "Complaint"),
    "equipment_failure": Kind("Hỏng hóc thiết bị", "Equipment failure"),
    "misconduct": Kind("Công chức vi phạm", "Officer's misconduct", restricted=True),
    "other": Kind("Tình huống khác", "Other"),
}
"""What the notices of Viet Nam Customs name."""

ORGANISATION: Final[Mapping[str, str]] = {"vi": "Hải quan Việt Nam", "en": "Viet Nam Customs"}
"""Whose reports they are, where nothing else is configured."""
