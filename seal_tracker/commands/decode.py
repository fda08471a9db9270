"""``seal-tracker decode``: frames as devices send them, to native pings, one JSON object a line."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple

import click
import msgspec

from seal_tracker.decoders.errors import DecodeError, FrameError
from seal_tracker.decoders.formats import formats
from seal_tracker.decoders.frame import Answer, Format

__all__ = ["INPUTS", "decode"]

INPUTS: Final = ("auto", "lines", "hex", "raw")

NOT_TEXT: Final = re.compile(rb"[^\t\r\n\x20-\x7e\x80-\xff]")
"""A byte that no line of text holds: then the whole is one payload."""

HEX: Final = re.compile(rb"(?:0x)?((?:[0-9A-Fa-f]{2}[ :]?)+)")

LOG_TIME: Final = re.compile(rb"\s*\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?\s*$")
"""Some gateways' logs have the time behind a frame."""


class Given(NamedTuple):
    """A payload, and where it stood."""

    where: str
    payload: bytes


def decode(name: str, files: tuple[Path, ...], *, device: str | None, given: str) -> int:
    """Decode what ``files`` or standard input hold; 0 where no frame was refused, else 1."""
    found = formats()[name]
    refused = 0
    for label, data in _contents(files):
        for item in _joined(found, _payloads(found, label, data, given)):
            refused += _told(found, item, device)
    sys.stdout.flush()
    return 1 if refused else 0


def _contents(files: tuple[Path, ...]) -> Iterator[tuple[str, bytes]]:
    for file in files or (Path("-"),):
        if str(file) == "-":
            yield "standard input", sys.stdin.buffer.read()
            continue
        try:
            yield str(file), file.read_bytes()
        except OSError as error:
            raise click.UsageError(f"{file}: cannot be read: {error.strerror}") from error


def _payloads(found: Format, label: str, data: bytes, given: str) -> Iterator[Given]:
    if given == "raw" or (given == "auto" and _is_one(found, data)):
        yield Given(label, data)
        return
    for number, line in enumerate(data.splitlines(), 1):
        if line.strip():
            yield Given(
                f"{label}:{number}",
                line.strip() if given == "lines" else _of_line(found, line.strip(), given),
            )


def _is_one(found: Format, data: bytes) -> bool:
    """Whether all of it is one payload: bytes that are no text, or a document of JSON over several lines."""
    if NOT_TEXT.search(data):
        return True
    if b"{" not in found.start:
        return False
    try:
        msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _of_line(found: Format, line: bytes, given: str) -> bytes:
    """Take hex as the bytes it stands for, where it begins as frames of the format do; any other line as it is."""
    text = LOG_TIME.sub(b"", line)
    whole = HEX.fullmatch(text + b" ") or HEX.fullmatch(text)
    if whole:
        data = bytes.fromhex(re.sub(rb"[ :]", b"", whole[1]).decode())
        if given == "hex" or data.startswith(found.start):
            return data
    return b"" if given == "hex" else line


def _joined(found: Format, items: Iterator[Given]) -> Iterator[Given]:
    """Put the parts of a message, which stand in lines of their own, into one payload; those without their others come last."""
    waiting: dict[str, dict[int, Given]] = {}
    for item in items:
        part = found.part(item.payload) if found.part else None
        if part is None:
            yield item
            continue
        parts = waiting.setdefault(part.message, {})
        if (
            part.number in parts and parts[part.number].payload != item.payload
        ):  # another message of the same number
            yield _one(waiting.pop(part.message))
            parts = waiting.setdefault(part.message, {})
        parts[part.number] = item
        if len(parts) == part.total:
            yield _one(waiting.pop(part.message))
    yield from map(_one, waiting.values())


def _one(parts: dict[int, Given]) -> Given:
    """Parts in their order as one payload, which stands where the last that came does."""
    payload = b"".join(parts[number].payload for number in sorted(parts))
    return Given([*parts.values()][-1].where, payload)


def _told(found: Format, item: Given, device: str | None) -> int:
    """Write what a payload holds; return how much of it was refused."""
    try:
        if not item.payload:
            raise FrameError(0, "is no hex: expected two hexadecimal digits a byte")
        answer = found.decode(item.payload, device)
    except DecodeError as error:
        click.echo(f"{item.where}: {error.reason}", err=True)
        return 1
    _write(sys.stdout.buffer, answer, device)
    for name in answer.nothing:
        click.echo(f"{item.where}: nothing to store: {name}", err=True)
    for fault in answer.faults:
        click.echo(f"{item.where}: {fault.reason}", err=True)
    return len(answer.faults)


def _write(stream: IO[bytes], answer: Answer, device: str | None) -> None:
    for ping, named in zip(answer.pings, answer.devices, strict=True):
        ping.seal = device or named
        stream.write(msgspec.json.encode(ping) + b"\n")
