"""The commands of a walk-through, run as a reader would type them: one shell, line by line."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from running import INSTALLED, MAIN, ROOT

BLOCK = re.compile(r"^```console *(?P<needs>[a-z_]*)\n(?P<lines>.*?)^```$", re.MULTILINE | re.DOTALL)
END = "end-of-command"


@dataclass(frozen=True)
class Block:
    """A console block: under which heading, the program it needs (else empty), its commands."""

    heading: str
    needs: str
    commands: tuple[str, ...]


def blocks_of(document: Path) -> list[Block]:
    """The console blocks of a document."""
    text = document.read_text()
    found = []
    for match in BLOCK.finditer(text):
        heading = text[: match.start()].rpartition("\n## ")[2].partition("\n")[0]
        commands = [line.removeprefix("$ ") for line in match["lines"].splitlines() if line.startswith("$ ")]
        found.append(Block(heading, match["needs"], tuple(commands)))
    return found


class Shell:
    """A bash in the project's folder, in which ``seal-tracker`` and ``python`` are ours."""

    def __init__(self, folder: Path, **environment: str) -> None:
        programs = folder / "bin"
        programs.mkdir()
        if not INSTALLED.exists():
            script = programs / "seal-tracker"
            script.write_text(f"#!/bin/sh\nexec '{sys.executable}' -c '{MAIN}' \"$@\"\n")
            script.chmod(0o755)
        path = os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]])
        self.process = subprocess.Popen(
            ["bash"],
            cwd=ROOT,
            env=os.environ | environment | {"PATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, command: str) -> str:
        """Output of a command; it must end with 0."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{command}\necho {END} $?\n")
        self.process.stdin.flush()
        said = []
        for line in self.process.stdout:
            if line.startswith(END):
                status = int(line.split()[1])
                assert status == 0, f"{command}: ended with {status}: {''.join(said)}"
                return "".join(said)
            said.append(line)
        raise AssertionError(f"{command}: the shell ended: {''.join(said)}")

    def run_block(self, block: Block) -> list[str]:
        """Output of each command; nothing where the program it needs is absent."""
        if block.needs and shutil.which(block.needs) is None:
            return []
        return [self.run(command) for command in block.commands]

    def end(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
