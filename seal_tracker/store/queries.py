"""Named SQL: every statement lives in ``sql/*.sql`` under ``-- name:``, its description below it.

The files are read once, at import; a name asked for that is not there fails at import too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

__all__ = ["QUERIES", "Query", "parse_queries", "sql"]

HEADER: Final = re.compile(r"^-- name: (?P<name>[a-z_]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Query:
    """One statement: its name, what it is for, and its text without comments."""

    name: str
    description: str
    text: str


def parse_queries(source: str) -> Iterable[Query]:
    """The statements of one file, in order. Anything before the first name is commentary of the file.

    Raises
    ------
    ValueError
        A statement has no description or no text.
    """
    parts = HEADER.split(source)
    for name, block in zip(parts[1::2], parts[2::2], strict=True):
        lines = block.strip().splitlines()
        description = " ".join(line.removeprefix("--").strip() for line in lines if line.startswith("--"))
        text = "\n".join(line for line in lines if not line.lstrip().startswith("--")).strip().rstrip(";")
        if not description or not text:
            raise ValueError(f"query {name!r} lacks its {'text' if description else 'description'}")
        yield Query(name, description, text)


def load_queries() -> dict[str, Query]:
    """All statements of ``sql/``, by name; two of one name are an error."""
    found: dict[str, Query] = {}
    folder = files(__package__).joinpath("sql")
    for path in sorted(folder.iterdir(), key=lambda p: p.name):
        if path.name.endswith(".sql"):
            for query in parse_queries(path.read_text(encoding="utf-8")):
                if query.name in found:
                    raise ValueError(f"two queries are named {query.name!r}")
                found[query.name] = query
    return found


QUERIES: Final = load_queries()


def sql(name: str) -> str:
    """The text of the statement of that name."""
    return QUERIES[name].text
