"""As whom the broker and the database run, and that they can reach their files.

PostgreSQL refuses to run as root, rightly. An ordinary user's parts run as that user. Root's parts run as a system
user without a login, made when first needed; folders on the way to their files then get the right to be *passed
through* (``o+x``), never to be listed or read, and each such change is logged.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from .errors import EmbeddedError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["RunAs", "allow_passage", "allow_reading", "run_as"]

SYSTEM_USER = "seal-tracker"
"""Made by root when missing; owns the database and the broker's store, and can log in nowhere."""

READ_AND_RUN = 0o005
"""Permission bits by which everybody else may read a file, and run it or enter a folder."""

FALLBACK_USER = "nobody"
"""For machines where no user can be made; every Linux has it."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RunAs:
    """A user that programs run as and that owns their files."""

    name: str
    uid: int
    gid: int

    @property
    def owner(self) -> tuple[int, int]:
        """(uid, gid) for ``os.chown``."""
        return self.uid, self.gid


def run_as() -> RunAs | None:
    """Return the user to change to when root starts a part; None for an ordinary user, who changes to nobody."""
    if os.geteuid() != 0:
        return None
    entry = _entry(SYSTEM_USER) or _made(SYSTEM_USER) or _entry(FALLBACK_USER)
    if entry is None:
        raise EmbeddedError(
            f"running as root, and there is neither a user {SYSTEM_USER!r} nor {FALLBACK_USER!r} to run PostgreSQL as: "
            f"it refuses to run as root. Start as an ordinary user, or make one: useradd --system {SYSTEM_USER}"
        )
    return RunAs(entry.pw_name, entry.pw_uid, entry.pw_gid)


def allow_passage(path: Path, user: RunAs | None) -> None:
    """Let the user walk through every folder above ``path``; those it may already pass stay as they are."""
    if user is None:
        return
    for folder in path.absolute().parents:
        status = folder.stat()
        if status.st_uid == user.uid or status.st_mode & 0o001:
            continue
        try:
            folder.chmod((status.st_mode & 0o7777) | 0o001)
        except OSError as error:
            raise EmbeddedError(
                f"user {user.name!r} cannot pass through {folder}, which PostgreSQL needs on its way to {path}: "
                f"choose a folder elsewhere, or: chmod o+x {folder}"
            ) from error
        log.warning("embedded.passage_allowed", folder=str(folder), user=user.name, why=str(path))


def allow_reading(tree: Path, user: RunAs | None) -> None:
    """Let the user read and run an installed program's files, where a strict umask installed them for root alone."""
    if user is None or tree.stat().st_mode & READ_AND_RUN == READ_AND_RUN:
        return
    for path in [tree, *tree.rglob("*")]:
        mode = path.stat().st_mode & 0o7777
        path.chmod(mode | (READ_AND_RUN if mode & 0o100 else 0o004))
    log.warning("embedded.reading_allowed", folder=str(tree), user=user.name)


def _entry(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _made(name: str) -> pwd.struct_passwd | None:
    useradd = shutil.which("useradd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if useradd is None:
        return None
    subprocess.run(  # noqa: S603 - a fixed command with a constant name
        [useradd, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", name],
        check=False,
        capture_output=True,
        timeout=20,
    )
    return _entry(name)  # a second root process may have made it meanwhile: what counts is that it is there
