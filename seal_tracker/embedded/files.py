"""Small files that must never be seen half-written, and the locks that say who is alive.

A lock is a ``flock`` on an open file: the kernel drops it with the last process that holds the file open, so a
lock can never be left over by a crash and never needs a person.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_text", "take_lock", "write_atomic"]


def read_text(path: Path) -> str | None:
    """Return the text of a file, or None where there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def write_atomic(path: Path, text: str, *, mode: int = 0o600, owner: tuple[int, int] | None = None) -> None:
    """Write a file so that a crash leaves the old text or the new one, on disk before this returns.

    Parameters
    ----------
    path
        The file; its folder exists.
    text
        What it shall hold.
    mode, owner
        Permission bits, and (uid, gid) where it shall belong to somebody else.
    """
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        os.fchmod(fd, mode)
        if owner is not None:
            os.fchown(fd, *owner)
        file.write(text)
        file.flush()
        os.fsync(fd)
    new.replace(path)
    _sync_folder(path.parent)


def take_lock(path: Path) -> int | None:
    """Return an open descriptor that holds the lock of ``path``, or None while another process holds it.

    Whoever inherits the descriptor holds the lock too; it ends with the last of them.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    except BaseException:
        os.close(fd)
        raise
    return fd


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):  # some file systems cannot sync a folder; the rename is atomic all the same
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
