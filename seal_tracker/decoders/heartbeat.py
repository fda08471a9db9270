"""What a camera, scanner or reader says of itself on its status topic: that it is there, or that it is gone.

A heartbeat becomes a ping without position; that it is ``offline`` (as a broker publishes the last will of one that is
gone) becomes a fact of it. Any other word (``online``, ``degraded``…) says that it is there. Pure.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

import msgspec
import numpy as np

from seal_tracker.decoders.columns import clock_ok, time_ms
from seal_tracker.decoders.errors import DecodeError
from seal_tracker.decoders.native import NativePing
from seal_tracker.model import EPOCH, NO_TIME, Fact

__all__ = ["decode_status", "encode_status"]

OFFLINE: Final = str(Fact.OFFLINE.name).lower()

_WORD: Final = re.compile(r"[A-Za-z][A-Za-z_-]{0,31}")


class _Status(msgspec.Struct, omit_defaults=True):
    """The payload as JSON; members we do not know are ignored."""

    status: str
    time: dt.datetime | None = None


_decoder: Final = msgspec.json.Decoder(_Status)


def decode_status(payload: bytes, received_ms: int, *, check_clock: bool = True) -> NativePing:
    """A status as a ping; plain text, or JSON with ``status`` and, where the device has a clock, ``time``.

    Without ``time`` it is of when it was received; ``received_ms`` may be ``NO_TIME``, then it must say. What is replayed
    is of another time than it is received: there the clock is not checked.

    Raises
    ------
    DecodeError
        It is neither a word nor such an object, or its clock cannot be believed: a heartbeat of tomorrow would hide that
        the device has been gone since today.
    """
    status = _read(payload)
    if not _WORD.fullmatch(status.status):
        raise DecodeError(f"status {status.status[:60]!r}: must be a word, such as online or offline")
    if status.time is None and received_ms == NO_TIME:
        raise DecodeError("time is missing, and nobody noted when it was received")
    at = status.time or EPOCH + dt.timedelta(milliseconds=received_ms)
    if status.time is not None:
        _check_clock(status.time, received_ms if check_clock else NO_TIME)
    return NativePing(at, valid=False, facts=[OFFLINE] if status.status.lower() == OFFLINE else None)


def encode_status(ping: NativePing) -> bytes:
    """A status that decodes to this ping again."""
    return msgspec.json.encode(_Status(OFFLINE if OFFLINE in (ping.facts or ()) else "online", ping.time))


def _read(payload: bytes) -> _Status:
    if not payload.lstrip().startswith(b"{"):
        return _Status(payload.decode("utf-8", "replace").strip().strip('"'))
    try:
        return _decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(f"status: {error}") from error


def _check_clock(at: dt.datetime, received_ms: int) -> None:
    if at.tzinfo is None:
        raise DecodeError(f"time {at.isoformat()}: must state its zone, such as Z or +07:00")
    try:
        believed = bool(clock_ok(np.array([time_ms(at)]), np.array([received_ms]))[0])
    except OverflowError:
        believed = False
    if not believed:
        raise DecodeError(
            f"time {at.isoformat()}: cannot be believed, received {_moment(received_ms)}: set the device's clock"
        )


def _moment(received_ms: int) -> str:
    if received_ms == NO_TIME:
        return "at a time nobody noted"
    return (EPOCH + dt.timedelta(milliseconds=received_ms)).isoformat()
