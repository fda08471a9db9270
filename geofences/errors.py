"""What this package refuses.

GeofenceError
└── GeometryError    a zone's or route's shape that cannot be indexed; says which, what, and what to do
"""

from __future__ import annotations

__all__ = ["GeofenceError", "GeometryError"]


class GeofenceError(Exception):
    """Anything this package refuses."""


class GeometryError(GeofenceError, ValueError):
    """A shape that cannot be indexed.

    Attributes
    ----------
    feature
        Id of the zone or route.
    found
        The offending value.
    remedy
        What to do about it.
    """

    def __init__(self, feature: str, found: str, remedy: str) -> None:
        super().__init__(f"{feature}: {found}; {remedy}")
        self.feature = feature
        self.found = found
        self.remedy = remedy
