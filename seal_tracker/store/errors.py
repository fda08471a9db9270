"""What can go wrong with the store, as a tree.

StoreError
├── StoreUnavailable     PostgreSQL cannot be reached now; nothing is half done; call again
├── WriterBusy           another writer holds the database; this one must not start
├── WriterSuperseded     another writer has committed since; this one's state is worth nothing: restart
├── SchemaMismatch       the database's schema is not the one this code was written for
└── CommitRefused        the content of a commit breaks a rule of the schema; the same again fails again
"""

from __future__ import annotations

__all__ = [
    "CommitRefused",
    "SchemaMismatch",
    "StoreError",
    "StoreUnavailable",
    "WriterBusy",
    "WriterSuperseded",
]


class StoreError(Exception):
    """Anything the store raises on purpose."""


class StoreUnavailable(StoreError):  # noqa: N818 - a state of the world, not a mistake of the caller
    """PostgreSQL cannot be reached, went away, or took longer than allowed. Calling again later is right.

    Attributes
    ----------
    commit_number
        The number of the commit that was under way when the connection broke *at COMMIT*, so that only the
        database knows whether it stands: ask ``Store.commit_outcome(number)``, or give the very same ``Commit``
        to ``Store.commit`` again, which asks by itself. None: nothing was stored.
    """

    def __init__(self, message: str, *, commit_number: int | None = None) -> None:
        super().__init__(message)
        self.commit_number = commit_number


class WriterBusy(StoreError):  # noqa: N818 - as above
    """The database has a writer already; the message names its process and application.

    Attributes
    ----------
    pid, application_name
        Of the holder: PostgreSQL's backend process, and what its client calls itself; None where the database
        does not tell.
    """

    def __init__(self, message: str, *, pid: int | None, application_name: str | None) -> None:
        super().__init__(message)
        self.pid = pid
        self.application_name = application_name


class WriterSuperseded(StoreError):  # noqa: N818 - as above
    """The last commit in the database is not this writer's: its judging state no longer fits. Restart it."""


class SchemaMismatch(StoreError):  # noqa: N818 - as above
    """The database is newer than the code, lacks a migration, or had a migration applied that reads differently now."""


class CommitRefused(StoreError):  # noqa: N818 - as above
    """PostgreSQL or the store refused the content of a commit; nothing of it was stored."""
