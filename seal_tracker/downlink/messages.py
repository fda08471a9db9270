"""What a seal is told, and what it answers: the payloads of ``cmd/{seal}`` and ``dev/{seal}/answer``. Pure."""

from __future__ import annotations

from typing import Annotated, Final, Literal, NamedTuple

import msgspec

from seal_tracker.sources.framing import RawMessage

__all__ = [
    "CommandAnswer",
    "CommandId",
    "CommandMessage",
    "Kind",
    "Result",
    "SealAnswer",
    "decode_answer",
    "encode_message",
]

Kind = Literal["position", "interval", "unlock"]
Result = Literal["done", "refused"]

CommandId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*\Z")]


class CommandMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A command as the seal receives it: perhaps more than once, perhaps late.

    A seal does it at most once for an ``id``, answers each time, and refuses (``expired``) from ``expires_at`` on, and
    (``clock_unknown``) where it does not know the time. ``interval_s`` is of the kind ``interval`` alone.
    """

    id: CommandId
    kind: Kind
    seal: str
    issued_at: str
    expires_at: str
    interval_s: int | None = None


class CommandAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a seal answers, under the command's own ``id``: done, or refused and why; ``time`` is the seal's own, ISO 8601."""

    id: CommandId
    result: Result
    time: Word
    reason: Word | None = None


class SealAnswer(NamedTuple):
    """A message on a seal's answer topic, as it came."""

    seal: str
    message: RawMessage


_answer: Final = msgspec.json.Decoder(CommandAnswer)
_encoder: Final = msgspec.json.Encoder()


def decode_answer(payload: bytes) -> CommandAnswer:
    """An answer, members that are not known left out.

    Raises
    ------
    ValueError
        It is none; the text says where and why.
    """
    try:
        answer = _answer.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not an answer to a command: {error}") from error
    if answer.result == "refused" and answer.reason is None:
        raise ValueError("not an answer to a command: refused without `reason`; say why")
    return answer


def encode_message(message: CommandMessage) -> bytes:
    """The message as it is published."""
    return _encoder.encode(message)
