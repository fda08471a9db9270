"""Several statements as one, so that a commit waits for one answer instead of six.

Only for those of which none looks at another's rows: as parts of one ``WITH`` they all see the tables as they were before it, and
keys are checked when it ends. Deleting and then writing the same row, say, must stay two.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from seal_tracker.store.connections import Connection
from seal_tracker.store.queries import sql

__all__ = ["Together", "as_one", "as_union"]

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
    """One statement of these named ones; the last is what the others are parts of. There are as many as there are kinds of commits."""
    *parts, last = _numbered_through(names)
    if not parts:
        return last
    named = ",\n".join(f"{name} AS (\n{text}\n)" for name, text in zip(names, parts, strict=False))
    return f"WITH {named}\n{last}"


@functools.cache
def as_union(names: tuple[str, ...]) -> str:
    """The rows of all these named statements, which have equal columns; ahead of each row its statement's number, from 0."""
    texts = _numbered_through(names)
    return "\nUNION ALL\n".join(
        f"SELECT {n}, rows.* FROM (\n{text}\n) AS rows"  # noqa: S608 - texts of our own files, no values
        for n, text in enumerate(texts)
    )


def _numbered_through(names: Iterable[str]) -> list[str]:
    """Texts of named statements, the parameters of each numbered on from those before."""
    texts, taken = [], 0
    for name in names:
        text = sql(name)
        texts.append(_shifted(text, taken))
        taken += max(map(int, PARAMETER.findall(text)))
    return texts


def _shifted(text: str, by: int) -> str:
    """The statement with its parameters' numbers so much higher."""
    return PARAMETER.sub(lambda found: f"${int(found[1]) + by}", text)
