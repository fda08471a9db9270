"""What can go wrong where alerts leave.

::

    PublishingError
    └── TopicError       a topic that is none of ours, or an id that fits no topic
"""

from __future__ import annotations

__all__ = ["PublishingError", "TopicError"]


class PublishingError(Exception):
    """Anything of this package."""


class TopicError(PublishingError, ValueError):
    """A topic or a level of one that breaks the rules; its text names the value and the rule."""
