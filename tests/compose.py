"""Reads compose files as ``docker compose`` would, so that tests can start from packages what they describe."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

VARIABLE = re.compile(r"\$\$|\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<word>[^}]*))?\}")
REPLACED = {"command", "entrypoint", "test"}
"""Lists that a later file replaces; others are added to, mounts by their target."""


class Compose:
    """Several compose files laid over each other, with variables filled in.

    Parameters
    ----------
    files
        In the order of ``-f``.
    variables
        What ``.env`` and the shell would give.
    """

    def __init__(self, files: Sequence[Path], variables: Mapping[str, str]) -> None:
        self.content: dict[str, Any] = {}
        for file in files:
            self.content = _merged(self.content, YAML(typ="safe").load(file.read_text(encoding="utf-8")))
        self.variables = variables

    def service(self, name: str) -> dict[str, Any]:
        """One service. A required variable that is missing raises KeyError with the file's message."""
        return self._filled(self.content["services"][name])

    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._filled(member) for key, member in value.items()}
        if isinstance(value, list):
            return [self._filled(member) for member in value]
        return VARIABLE.sub(self._variable, value) if isinstance(value, str) else value

    def _variable(self, match: re.Match[str]) -> str:
        if match.group() == "$$":
            return "$"
        name, kind, word = match.group("name"), match.group("kind"), match.group("word")
        if value := self.variables.get(name):
            return value
        if kind == "?":
            raise KeyError(f"{name}: {word}")
        return word or ""


def _merged(old: Any, new: Any, key: str = "") -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        return {
            name: _merged(old[name], new[name], name)
            if name in old and name in new
            else (new if name in new else old)[name]
            for name in {**old, **new}
        }
    if key == "volumes" and isinstance(old, list):
        by_target = {_target(mount): mount for mount in [*old, *new]}
        return list(by_target.values())
    if isinstance(old, list) and isinstance(new, list) and key not in REPLACED:
        return [*old, *new]
    return new


def _target(mount: str | dict[str, Any]) -> str:
    """Where a mount goes, in its short or its long form."""
    return mount.split(":")[1] if isinstance(mount, str) else str(mount["target"])
