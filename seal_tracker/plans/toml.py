"""TOML text to tables; what is not TOML becomes a fault with its place."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from geofences.catalog import FaultSink
from geofences.catalog.text import as_text

__all__ = ["tables_of"]

PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|(end of document))\)$")


def tables_of(text: str | bytes, sink: FaultSink) -> dict[str, Any] | None:
    """The document, or None with a fault."""
    content = as_text(text, sink)
    try:
        return tomllib.loads(content)
    except (tomllib.TOMLDecodeError, RecursionError) as e:
        message = str(e)
        where = "the end"
        if (place := PLACE.search(message)) and place[1]:
            where = f"line {place[1]}, column {place[2]}"
        what = PLACE.sub("", message)
        what = f"is not TOML: {what[:1].lower()}{what[1:]}"
        sink.error(-1, "", where, what, "nothing after this place can be relied on", "mend the line")
        return None
