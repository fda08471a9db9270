"""Checks plans on disk and says what was found, to people and to programs. Reads files, changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import msgspec

from geofences.catalog import Fault
from seal_tracker.plans.folder import PLAN_FILES, Examined, errors_of, examine, read_folder

__all__ = ["CheckReport", "check_paths", "render_faults"]

CLEAN, FAULTY, UNREADABLE = 0, 1, 2
"""Exit codes: nothing worse than a warning; at least one error; a path that could not be read at all."""

COUNTED = ("zones", "routes", "journeys", "units", "equipment")

COUNTED_TOO = ("vehicles", "calendars", "licences")
"""Told where there are some: few plans have them."""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What checking some paths gave.

    Attributes
    ----------
    faults
        every fault; ``file`` is the path of the file.
    counts
        how many sound zones, routes, journeys and so on there are.
    unreadable
        (path, reason) of each path that could not be read.
    alone
        files that were checked without the rest of their folder, so that what they name elsewhere was not looked up.
    """

    faults: tuple[Fault, ...]
    counts: Mapping[str, int]
    unreadable: tuple[tuple[str, str], ...] = ()
    alone: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0: clean, or warnings only; 1: faults; 2: a path cannot be read at all."""
        if self.unreadable:
            return UNREADABLE
        return FAULTY if errors_of(list(self.faults)) else CLEAN

    def render(self) -> str:
        """For people: faults grouped by file, then one line that sums up."""
        parts = [f"{path}\n  cannot be read: {reason}\n" for path, reason in self.unreadable]
        parts += [
            f"{path}\n  checked alone: what it names in other files was not looked up\n"
            for path in self.alone
        ]
        if self.faults:
            parts.append(render_faults(self.faults))
        return "\n".join([*parts, self._summary()])

    def to_json(self) -> bytes:
        """For programs: one JSON object with ``ok``, counts and the faults, all members always there."""
        errors, warnings = self._levels()
        return msgspec.json.encode(
            {
                "ok": self.exit_code == CLEAN,
                "exit_code": self.exit_code,
                "errors": errors,
                "warnings": warnings,
                "counts": dict(self.counts),
                "faults": self.faults,
                "unreadable": [{"path": path, "reason": reason} for path, reason in self.unreadable],
                "alone": self.alone,
            }
        )

    def _levels(self) -> tuple[int, int]:
        errors = len(errors_of(list(self.faults)))
        return errors, len(self.faults) - errors

    def _summary(self) -> str:
        errors, warnings = self._levels()
        counts = ", ".join(_counted(self.counts[name], name) for name in self.counts if self.counts[name])
        verdict = {
            CLEAN: "the plan can be used",
            FAULTY: "the plan cannot be used",
            UNREADABLE: "not everything could be read",
        }
        found = f"{_counted(errors, 'errors')}, {_counted(warnings, 'warnings')}"
        return f"{found} ({counts or 'nothing'} found sound): {verdict[self.exit_code]}"


def check_paths(paths: Sequence[Path]) -> CheckReport:
    """Check plan folders, and single files of one: a file goes by its name, else by what its name contains."""
    faults: list[Fault] = []
    counts = dict.fromkeys(COUNTED, 0)
    unreadable: list[tuple[str, str]] = []
    alone: list[str] = []
    for path in paths:
        try:
            folder = path.is_dir()
            name = "" if folder else plan_file_of(path)
            found = examine(read_folder(path)) if folder else examine({name: path.read_bytes()}, whole=False)
        except (OSError, ValueError) as e:
            unreadable.append((str(path), e.strerror or str(e) if isinstance(e, OSError) else str(e)))
            continue
        faults += [_at(fault, path / fault.file if folder else path) for fault in found.faults]
        alone += [] if folder else [str(path)]
        for what in COUNTED:
            counts[what] += len(_members(found, what))
        for what in COUNTED_TOO:
            if some := len(_members(found, what)):
                counts[what] = counts.get(what, 0) + some
    return CheckReport(tuple(faults), counts, tuple(unreadable), tuple(alone))


def plan_file_of(path: Path) -> str:
    """Which of `PLAN_FILES` a single file is: ``my-zones.geojson`` is a ``zones.geojson``.

    Raises
    ------
    ValueError
        where the name does not say.
    """
    if path.name in PLAN_FILES:
        return path.name
    for name in PLAN_FILES:
        stem, suffix = name.split(".")
        if stem.rstrip("s") in path.stem.lower() and path.suffix.lower() in (f".{suffix}", f".{suffix[-4:]}"):
            return name
    raise ValueError(f"its name is not of a plan file: {', '.join(PLAN_FILES)}")


def render_faults(faults: Sequence[Fault]) -> str:
    """Faults grouped by file, errors and warnings as they come; each says what, why, and what to do."""
    return "\n".join(
        line for file, group in groupby(faults, lambda f: f.file) for line in _file_lines(file, group)
    )


def _file_lines(file: str, faults: Iterator[Fault]) -> Iterator[str]:
    yield file
    for fault in faults:
        place = " ".join(part for part in (fault.feature, fault.where) if part)
        yield f"  {fault.level:<7}  {place}{': ' if place else ''}{fault.what}"
        yield f"           {fault.why}; {fault.remedy}"
    yield ""


def _at(fault: Fault, path: Path) -> Fault:
    return msgspec.structs.replace(fault, file=str(path))


def _members(found: Examined, what: str) -> Sequence[object]:
    members: Sequence[object] = getattr(found, what)
    return members


def _counted(n: int, plural: str) -> str:
    """`1 zone`, `2 zones`; equipment has no plural."""
    return f"{n} {plural.removesuffix('s') if n == 1 else plural}"
