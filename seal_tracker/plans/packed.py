"""Texts that are kept for long and read seldom: compressed, and large ones in a file without a name.

A plan's files are wanted again when somebody draws or edits them, a few times a day; in memory they would lie about in tens of
megabytes for every version. Safe to read from several threads.
"""

from __future__ import annotations

import os
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from typing import IO, Final

__all__ = ["PackedTexts"]

IN_MEMORY_BYTES: Final = 256 * 1024
"""Compressed, together: below it a file and its descriptor are not worth it."""


class PackedTexts(Mapping[str, str]):
    """Texts by name. Pickled, they travel compressed; the file is gone with the last reference, or with the process."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.__setstate__({name: zlib.compress(text.encode(), level=1) for name, text in texts.items()})

    def __getitem__(self, name: str) -> str:
        return zlib.decompress(self._read(name)).decode()

    def __iter__(self) -> Iterator[str]:
        return iter(self._sizes)

    def __len__(self) -> int:
        return len(self._sizes)

    def __getstate__(self) -> dict[str, bytes]:
        return {name: self._read(name) for name in self}

    def __setstate__(self, packed: dict[str, bytes]) -> None:
        self._sizes = {name: len(content) for name, content in packed.items()}
        self._packed: dict[str, bytes] | None = packed
        self._file: IO[bytes] | None = None
        if sum(self._sizes.values()) > IN_MEMORY_BYTES:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with this object
            self._file.write(b"".join(packed.values()))
            self._file.flush()
            self._packed = None

    def _read(self, name: str) -> bytes:
        if self._packed is not None:
            return self._packed[name]
        assert self._file is not None, "where not in memory, in a file"
        at = 0
        for other, size in self._sizes.items():
            if other == name:
                return os.pread(self._file.fileno(), size, at)
            at += size
        raise KeyError(name)
