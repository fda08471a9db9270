"""What can be wrong with a draw.

DrawError
"""

from __future__ import annotations

__all__ = ["DrawError"]


class DrawError(ValueError):
    """One part of a draw does not follow from the others, or cannot be read; the message names it."""
