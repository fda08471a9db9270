"""JSON Lines: one object a line, each with an id of its own."""

from __future__ import annotations

from collections.abc import Iterator

from geofences.catalog import ID_PATTERN, FaultSink, Fields, decode_json
from geofences.catalog.faults import quoted

__all__ = ["objects_of"]


def objects_of(text: str, sink: FaultSink) -> Iterator[Fields]:
    """The members of each object, labelled with its id; blank lines are passed over.

    A line that is no object, or has no id or one that was used before, is a fault; in the last two cases its
    members are given all the same, so that their faults come out too.
    """
    first_line: dict[str, int] = {}
    row = -1
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        row += 1
        label, where = f"#{row + 1}", f"line {number}"
        decoded = decode_json(line)
        if decoded.fault is not None:
            _, column, message = decoded.fault
            what = f"is not JSON: {message}"
            sink.error(
                row, label, f"{where}, column {column}", what, "a line is one JSON object", "mend the line"
            )
        elif not isinstance(decoded.value, dict):
            what = f"is {quoted(decoded.value)}"
            sink.error(row, label, where, what, "a line is one JSON object", 'write {"id": …} on one line')
        if not isinstance(decoded.value, dict):
            continue
        fields = Fields(decoded.value, sink, row, label, f"{where}: ")
        name = decoded.value.get("id")
        if isinstance(name, str) and ID_PATTERN.fullmatch(name):
            fields.label = name
            if (first := first_line.setdefault(name, number)) != number:
                fields.error(
                    "id", f"was used on line {first}", "an id names one object", "give one of them another id"
                )
        elif fields.require("id", "write an id of 1 to 64 of A-Z a-z 0-9 _ . : -"):
            fields.id("id")
        yield fields
