"""Episodes as the world outside reads them: one JSON object a line, in one order. Pure.

This is what must converge: byte-equal for any arrival order and batching.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from seal_tracker.model import Episode, iso_ms, iso_or_none

__all__ = ["episode_line", "episode_members", "in_file_order"]

_encoder = msgspec.json.Encoder()


def episode_members(episode: Episode) -> dict[str, Any]:
    """The members of an episode, in the order they are written."""
    return {
        "episode": str(episode.episode),
        "type": episode.type,
        "severity": episode.severity,
        "journey": episode.journey,
        "seal": episode.seal,
        "object": episode.object,
        "started_at": iso_ms(episode.started_at_ms),
        "raised_at": iso_ms(episode.raised_at_ms),
        "ended_at": iso_or_none(episode.ended_at_ms),
        "cleared_at": iso_or_none(episode.cleared_at_ms),
        "inferred": episode.inferred,
        "latched": episode.latched,
        "evidence": episode.evidence,
    }


def episode_line(episode: Episode) -> bytes:
    """One line of the file, with its newline."""
    return _encoder.encode(episode_members(episode)) + b"\n"


def in_file_order(episodes: Iterable[Episode]) -> list[Episode]:
    """Episodes by journey (else seal), rule, object, start."""
    return sorted(
        episodes, key=lambda e: (e.journey or e.seal, e.type, e.object or "", e.started_at_ms, str(e.episode))
    )
