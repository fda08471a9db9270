"""A file's bytes to text. Pure."""

from __future__ import annotations

from geofences.catalog.faults import FaultSink

__all__ = ["as_text"]

BOM = "\ufeff"


def as_text(content: str | bytes, sink: FaultSink) -> str:
    """UTF-8 bytes as text without a byte order mark; bytes that are not UTF-8 are a fault and give an empty text."""
    if isinstance(content, bytes):
        try:
            content = content.decode("utf-8")
        except UnicodeDecodeError as e:
            line = e.object.count(b"\n", 0, e.start) + 1
            utf16 = e.object[:2] in (b"\xff\xfe", b"\xfe\xff")
            sink.error(
                -1,
                "",
                f"line {line}, byte {e.start}",
                "is UTF-16" if utf16 else f"is not UTF-8: byte 0x{e.object[e.start]:02x}",
                "names would be read as other letters",
                "save the file again with the encoding UTF-8",
            )
            return ""
    if content.startswith(BOM):
        sink.warn(
            -1,
            "",
            "line 1",
            "begins with a byte order mark",
            "it is read, but other programs may refuse the file",
            "save it as UTF-8 without BOM",
        )
        return content[len(BOM) :]
    return content
