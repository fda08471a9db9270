"""Formats that seals and trackers speak: one file each, pure. A file with a ``FORMAT`` is found by itself.

What a format's file needs beside it (``jointech_binary``…) has none and is passed over.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from seal_tracker.decoders.frame import Format

__all__ = ["formats"]


@cache
def formats() -> dict[str, Format]:
    """Return every format by its name, in the order of names."""
    modules = [
        importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)
    ]
    found: list[Format] = [module.FORMAT for module in modules if hasattr(module, "FORMAT")]
    return {each.name: each for each in sorted(found, key=lambda each: each.name)}
