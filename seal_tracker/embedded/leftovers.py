"""Ends the parts of a folder once whoever started them is gone, though it was killed: what a demo leaves is nobody's.

``python -m seal_tracker.embedded.leftovers DIR [--remove]`` waits on its standard input, a pipe whose other end that process
holds: the kernel closes it with the process, however that ends. A byte says that it has ended its parts itself. ``serve``
does without: the broker it leaves goes on taking pings, and its next start adopts both parts.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from .files import take_lock
from .nats import NATS_STOPPING
from .postgres import POSTGRES_STOPPING
from .programs import Process, Program, holders

__all__ = ["end_leftovers", "leaving_nothing"]

LET_GO_S = 5.0
"""How long the folder's lock may outlive the pipe: the kernel closes both, one after the other."""

STOPPING = {"nats": NATS_STOPPING, "postgres": POSTGRES_STOPPING}


@contextmanager
def leaving_nothing(folder: Path, *, remove: bool) -> Iterator[None]:
    """Within, should this process be killed, the parts of ``folder`` are ended, and it is removed where ``remove``."""
    argv = [sys.executable, "-m", __name__, str(folder.resolve()), *(["--remove"] if remove else [])]
    watch = subprocess.Popen(argv, stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603 - ourselves
    assert watch.stdin is not None
    try:
        yield
    finally:
        with suppress(BrokenPipeError):
            watch.stdin.write(b".")
            watch.stdin.close()
        watch.wait()


def end_leftovers(folder: Path) -> bool:
    """End what still runs of the parts of a folder. False, and nothing is done, where a service runs on it: they are its own."""
    if not _let_go(folder / "lock"):
        return False
    for name, stopping in STOPPING.items():
        lock = folder / name / "lock"
        found = holders(lock)
        if found:
            program = Program(name, (), lock, folder / name / "log.txt", None, stopping)
            Process(program, found[0], None).end()  # the oldest is the main one, and ends the others
        for left in psutil.wait_procs(found[1:], timeout=LET_GO_S)[1]:
            with suppress(psutil.NoSuchProcess):
                left.kill()
    return True


def _let_go(lock: Path) -> bool:
    deadline = time.monotonic() + LET_GO_S
    while lock.exists():
        held = take_lock(lock)
        if held is not None:
            os.close(held)
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def main() -> None:
    """Wait for the end of the pipe, and then do what is left to do."""
    folder = Path(sys.argv[1])
    if not sys.stdin.buffer.read(1) and end_leftovers(folder) and "--remove" in sys.argv:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
