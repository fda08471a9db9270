"""Which files may be attached to a task: few kinds, each looked at for what it says it is, of a bounded size. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

__all__ = ["KINDS", "MAX_BYTES", "MAX_FILES", "why_not"]

MAX_BYTES: Final = 10 * 1024 * 1024
"""A scanned document of twenty pages is 5 MB."""

MAX_FILES: Final = 20
"""On one task."""

CONTROL: Final = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")
"""All but tab, line feed, form feed and carriage return."""

OFFICE: Final = "application/vnd.openxmlformats-officedocument"


def _begins(*beginnings: bytes) -> Callable[[bytes], bool]:
    return lambda content: content.startswith(beginnings)


def _is_office(folder: bytes) -> Callable[[bytes], bool]:
    """A zip with the parts of such a document and no macros: the names of its files stand in it as they are."""
    return lambda content: (
        content.startswith(b"PK\x03\x04")
        and b"[Content_Types].xml" in content
        and folder in content
        and b"vbaProject" not in content
    )


def _is_text(content: bytes) -> bool:
    """UTF-8 without characters that no text has."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return CONTROL.search(content) is None


KINDS: Final[Mapping[str, Callable[[bytes], bool]]] = {
    "application/pdf": _begins(b"%PDF-"),
    "image/jpeg": _begins(b"\xff\xd8\xff"),
    "image/png": _begins(b"\x89PNG\r\n\x1a\n"),
    "text/plain": _is_text,
    "text/csv": _is_text,
    f"{OFFICE}.wordprocessingml.document": _is_office(b"word/"),
    f"{OFFICE}.spreadsheetml.sheet": _is_office(b"xl/"),
}
"""Content types that are taken, and what content of each must look like. Nothing that a browser would run is among them."""


def why_not(kind: str, content: bytes) -> str | None:
    """Why a file of a kind that is taken may not be attached; None: it may."""
    if not content:
        return "the file is empty"
    if not KINDS[kind](content):
        return f"the file is no {kind}: send it with the type that it has"
    return None
