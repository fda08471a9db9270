"""Several statements as one, so that a commit waits for one answer instead of six.

Only for those of which none looks at another's rows: as parts of one ``WITH`` they all see the tables as they were before it, and
keys are checked when it ends. Deleting and then writing the same row, say, must stay two.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any, Final

from seal_tracker.store.connections import Connection
from seal_tracker.store.queries import sql

__all__ = ["Together", "as_one"]

PARAMETER: Final = re.compile(r"\$(\d+)")


class Together:
    """Statements that gather, to be sent in one go; used once."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._arguments: list[Any] = []

    def add(self, query: str, *arguments: Any) -> None:
        """Add a statement, each at most once."""
        self._names.append(query)
        self._arguments += arguments

    def add_rows(self, query: str, before: tuple[Any, ...], rows: Sequence[Sequence[Any]]) -> None:
        """Add a statement over rows, given to it as one array for each column; nothing for no rows."""
        if rows:
            self.add(query, *before, *zip(*rows, strict=True))

    async def send(self, connection: Connection) -> None:
        """Send what has gathered."""
        if self._names:
            await connection.execute(as_one(tuple(self._names)), *self._arguments)


@functools.cache
def as_one(names: tuple[str, ...]) -> str:
    """One statement of these named ones, their parameters numbered through; the last is what the others are parts of. There are as
    many as there are kinds of commits.
    """
    if len(names) == 1:
        return sql(names[0])
    parts, taken = [], 0
    for name in names[:-1]:
        text = sql(name)
        parts.append(f"{name} AS (\n{_shifted(text, taken)}\n)")
        taken += max(map(int, PARAMETER.findall(text)))
    return "WITH " + ",\n".join(parts) + "\n" + _shifted(sql(names[-1]), taken)


def _shifted(text: str, by: int) -> str:
    """The statement with its parameters' numbers so much higher."""
    return PARAMETER.sub(lambda found: f"${int(found[1]) + by}", text)
