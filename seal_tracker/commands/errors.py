"""Errors of commands.

CommandError    what was asked for cannot be done; the text says what, why and what to do
"""

from __future__ import annotations

__all__ = ["CommandError"]


class CommandError(Exception):
    """What was asked for cannot be done."""
