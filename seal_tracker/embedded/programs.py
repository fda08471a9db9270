"""Starting, recognising and ending one program, so that no crash of ours leaves it lost.

Each running program holds a lock file, inherited from whoever started it (see ``files.take_lock``). A held lock
therefore means that some process of the program still lives, even when the service that started it was killed in
the very moment of starting it; a free lock means that nothing of it is left.

Programs run in sessions of their own: a terminal's Ctrl-C reaches the service, which then ends them in order.
Nothing here is asynchronous; call from a thread where it may wait.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from .errors import PartFailed
from .files import take_lock

if TYPE_CHECKING:
    from pathlib import Path

    from .users import RunAs

__all__ = ["Process", "Program", "end_whatever_runs", "find_running", "holders", "last_words", "launch"]

POLL_S = 0.02
"""How often to look whether a process has ended, while waiting for it."""

LOG_LIMIT_BYTES = 8_000_000
"""A program's log beyond this is set aside, replacing the one set aside before, when the program is next started."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to run, and how to end it.

    Attributes
    ----------
    name
        For messages.
    argv
        Command line; names the folder's own files, so that the process can be recognised by it.
    lock, log
        Its lock file, and where its output goes.
    user
        Whom to run it as; None: as we are.
    stopping
        Signals to send, each with the seconds to wait for the end before the next.
    """

    name: str
    argv: tuple[str, ...]
    lock: Path
    log: Path
    user: RunAs | None
    stopping: tuple[tuple[signal.Signals, float], ...]


class Process:
    """A running program: our own child, or one that outlived the service that started it."""

    def __init__(
        self, program: Program, handle: psutil.Process, child: subprocess.Popen[bytes] | None
    ) -> None:
        self.program = program
        self.pid: int = handle.pid
        self._handle = handle
        self._child = child

    def alive(self) -> bool:
        """Whether it still runs; reaps it when it was our child."""
        if self._child is not None:
            return self._child.poll() is None
        with suppress(psutil.NoSuchProcess):
            return self._handle.is_running() and self._handle.status() != psutil.STATUS_ZOMBIE
        return False

    def end(self) -> None:
        """End it with its program's signals, the last resort being SIGKILL; returns when it is gone."""
        for sig, patience_s in (*self.program.stopping, (signal.SIGKILL, 10.0)):
            with suppress(psutil.NoSuchProcess, ProcessLookupError):
                self._handle.send_signal(sig)
            deadline = time.monotonic() + patience_s
            while time.monotonic() < deadline:
                if not self.alive():
                    return
                time.sleep(POLL_S)
        raise PartFailed(f"{self.program.name} (process {self.pid}) does not end, not even by SIGKILL")


def launch(program: Program) -> Process | None:
    """Start the program; None when its lock is held, so something of it is still running or just ending.

    Raises
    ------
    PartFailed
        When it cannot be executed at all.
    """
    lock = take_lock(program.lock)
    if lock is None:
        return None
    try:
        _set_aside(program.log)
        with program.log.open("ab") as log:
            child = subprocess.Popen(  # noqa: S603 - our own wheels' programs, no shell
                program.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=(lock,),
                cwd="/",
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                user=program.user.uid if program.user else None,
                group=program.user.gid if program.user else None,
                extra_groups=[] if program.user else None,
            )
        return Process(program, psutil.Process(child.pid), child)
    except OSError as error:
        raise PartFailed(f"{program.name} cannot be started: {error}") from error
    finally:
        os.close(lock)  # from here on only the program's own processes hold it


def find_running(program: Program) -> Process | None:
    """Find the program's main process left by an earlier service: the oldest that holds its lock, if its command line is ours.

    None where nothing runs, or where what runs was started by other arguments or from another installation.
    """
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        for handle in holders(program.lock)[:1]:
            if tuple(handle.cmdline()) == program.argv:
                return Process(program, handle, None)
    return None


def end_whatever_runs(program: Program, *, patience_s: float = 60.0) -> None:
    """End every process that still holds the program's lock; returns when none is left.

    Needed when what runs is not what would be started now: an older version, or other arguments.
    """
    deadline = time.monotonic() + patience_s
    while (lock := take_lock(program.lock)) is None:
        if time.monotonic() > deadline:
            raise PartFailed(
                f"{program.name}: an earlier one still holds {program.lock}; end it: fuser -k {program.lock}"
            )
        for handle in holders(program.lock)[:1]:  # the oldest is the main one, and ends the others
            Process(program, handle, None).end()
        time.sleep(POLL_S)
    os.close(lock)


def last_words(log: Path, *, limit: int = 400) -> str:
    """Return the end of a program's log, on one line, for an error message."""
    with suppress(OSError):
        return " | ".join(log.read_text(errors="replace")[-limit:].strip().splitlines())
    return "(no log)"


def holders(lock: Path) -> list[psutil.Process]:
    """List the processes that have the lock file open, oldest first; never this one."""
    found = []
    for handle in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            if handle.pid != os.getpid() and any(file.path == str(lock) for file in handle.open_files()):
                found.append((handle.create_time(), handle.pid, handle))
    return [handle for *_, handle in sorted(found, key=lambda item: item[:2])]


def _set_aside(log: Path) -> None:
    with suppress(FileNotFoundError):
        if log.stat().st_size > LOG_LIMIT_BYTES:
            log.replace(log.with_name(log.name + ".1"))
