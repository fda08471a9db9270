"""Named SQL: every statement lives in ``sql/*.sql`` under ``-- name:``, its description below it.

What several statements have in common (the columns of a row, the filters of a list) is written once, under ``-- part:``, and stands in them,
of whatever file, as ``{its_name}``. The files are read once, at import; a name asked for that is not there fails at import too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Final

__all__ = ["QUERIES", "Query", "parse_queries", "sql"]

HEADER: Final = re.compile(r"^-- (name|part): ([a-z_]+)$", re.MULTILINE)
PART: Final = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Query:
    """One statement, or a part of some: its name, what it is for, and its text without comments."""

    name: str
    description: str
    text: str
    is_part: bool = False


def parse_queries(source: str) -> Iterable[Query]:
    """The statements and parts of one file, in order. Anything before the first name is commentary of the file.

    Raises
    ------
    ValueError
        A statement has no description or no text.
    """
    parts = HEADER.split(source)
    for kind, name, block in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        lines = block.strip().splitlines()
        description = " ".join(line.removeprefix("--").strip() for line in lines if line.startswith("--"))
        text = "\n".join(line for line in lines if not line.lstrip().startswith("--")).strip().rstrip(";")
        if not description or not text:
            raise ValueError(f"query {name!r} lacks its {'text' if description else 'description'}")
        yield Query(name, description, text, kind == "part")


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
    return {
        name: replace(query, text=_whole(query.text, found))
        for name, query in found.items()
        if not query.is_part
    }


def _whole(text: str, known: Mapping[str, Query]) -> str:
    """The text with its parts in their places; a part may have parts of its own."""
    while found := PART.search(text):
        part = known.get(found[1])
        if part is None or not part.is_part:
            raise ValueError(f"there is no part {found[1]!r} to put into a statement")
        text = text.replace(found[0], part.text)
    return text


QUERIES: Final = load_queries()


def sql(name: str) -> str:
    """The text of the statement of that name."""
    return QUERIES[name].text
