"""Scenario files to scenarios: TOML, included and merged, checked. Every fault says file, key, what, why and what to write.

``include`` names files beside the file that says it. Tables are merged member by member, the including file wins; lists of tables are
joined, and of entries with an ``id`` the later is laid over the earlier of that id. So a file may say only what is its own.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import msgspec

from simulators.errors import ScenarioError
from simulators.lab import acts
from simulators.lab.doable import check_acts
from simulators.lab.language import Scenario

__all__ = ["LIBRARY", "find_scenario", "library", "load_scenario", "parse_scenario"]

LIBRARY = Path(__file__).resolve().parents[1] / "scenarios"
"""The scenarios shipped with the package; those in ``base`` are for including."""
KINDS = {a.__struct_config__.tag: a for a in get_args(acts.Act)}
ONLY_ROUTE = "R-SIM"
"""What the route of a scenario with one is called."""
DEPTH = 8
"""Files that may include one another in a chain: deeper is a circle."""


def library() -> dict[str, Path]:
    """Scenarios shipped with the package, by name."""
    return {path.stem: path for path in sorted(LIBRARY.glob("*.toml"))}


def find_scenario(name: str) -> Path:
    """A scenario's file by its path, or by its name in the library."""
    path = Path(name)
    if path.is_file():
        return path
    shipped = library()
    if name in shipped:
        return shipped[name]
    near = difflib.get_close_matches(name, shipped, 3) or list(shipped)[:3]
    raise ScenarioError(
        name,
        "",
        "there is no such scenario",
        "it is neither a file nor in the library",
        f"try {', '.join(near)}",
    )


def load_scenario(path: Path) -> Scenario:
    """A scenario from its file.

    Raises
    ------
    ScenarioError
        It cannot be read, or says what cannot be.
    """
    return parse_scenario(_merged(path, 0), str(path))


def parse_scenario(tables: Mapping[str, Any], file: str) -> Scenario:
    """A scenario from its tables, checked; ``file`` is said in faults."""
    for key in ("title", "about", "case", "minutes", "route"):
        if key not in tables:
            raise ScenarioError(file, key, "is missing", "every scenario needs it", f"write {key} = …")
    script = tables.get("script", [])
    for i, act in enumerate(script if isinstance(script, list) else ()):
        _check_act(act, i, file)
    try:
        scenario = msgspec.convert(tables, Scenario)
    except msgspec.ValidationError as error:
        raise _told(error, file) from error
    _check(scenario, file)
    return scenario


def _merged(path: Path, depth: int) -> dict[str, Any]:
    if depth > DEPTH:
        raise ScenarioError(
            str(path), "include", "files include one another", "there would be no end", "take one of them out"
        )
    try:
        own = tomllib.loads(path.read_text("utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(
            str(path), "", f"is no TOML: {error}", "the file is read as TOML 1.0", "mend that line"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(
            str(path),
            "",
            f"cannot be read: {error}",
            "a scenario is a text file",
            "look at its name and rights",
        ) from error
    if isinstance(own.get("route"), dict):  # the only route needs neither list nor id
        own["route"] = [{"id": ONLY_ROUTE} | own["route"]]
    tables: dict[str, Any] = {}
    names = own.pop("include", [])
    if not isinstance(names, list):
        raise ScenarioError(
            str(path), "include", f"is {names!r}", "it is a list", f"write include = [{names!r}]"
        )
    for name in names:
        base = path.parent / str(name)
        if not base.is_file():
            raise ScenarioError(
                str(path),
                "include",
                f"there is no {base}",
                "included files lie beside the file",
                "correct the name",
            )
        tables = _over(tables, _merged(base, depth + 1))
    return _over(tables, own)


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """One table laid over another."""
    out = dict(below)
    for key, value in above.items():
        mine = out.get(key)
        if isinstance(mine, dict) and isinstance(value, dict):
            out[key] = _over(mine, value)
        elif isinstance(mine, list) and isinstance(value, list) and _are_tables([*mine, *value]):
            out[key] = _joined(mine, value)
        else:
            out[key] = value
    return out


def _are_tables(values: Iterable[Any]) -> bool:
    return all(isinstance(v, dict) for v in values)


def _joined(below: list[dict[str, Any]], above: list[dict[str, Any]]) -> list[dict[str, Any]]:
    out = list(below)
    for table in above:
        at = next((i for i, b in enumerate(out) if "id" in table and b.get("id") == table["id"]), None)
        if at is None:
            out.append(table)
        else:
            out[at] = _over(out[at], table)
    return out


def _check_act(act: Any, i: int, file: str) -> None:
    """What msgspec would say of a wrong word or member is little help."""
    key = f"script[{i}]"
    do = act.get("do") if isinstance(act, dict) else None
    if do not in KINDS:
        near = difflib.get_close_matches(str(do), KINDS, 1)
        known = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(map(str, KINDS)))}"
        raise ScenarioError(file, f"{key}.do", f"is {do!r}", "nothing of that name can happen", known)
    kind = KINDS[do]
    strange = sorted(set(act) - {"do", *kind.__struct_fields__})
    if strange:
        members = ", ".join(kind.__struct_fields__)
        raise ScenarioError(
            file,
            f"{key}.{strange[0]}",
            "is no member of it",
            f"{do!r} does not read it",
            f"its members are {members}",
        )
    if issubclass(kind, acts.TimedAct) and ("at_min" in act) == ("at_km" in act):
        raise ScenarioError(
            file,
            key,
            f"{do!r} has {'both' if 'at_min' in act else 'neither'} of at_min and at_km",
            "it happens at one moment",
            "write one of them",
        )


def _told(error: msgspec.ValidationError, file: str) -> ScenarioError:
    """What msgspec says, with the key in front."""
    what, _, where = str(error).partition(" - at `$")
    key = re.sub(r"^\.|`$", "", where)
    if "unknown field" in what:
        return ScenarioError(
            file,
            key,
            what,
            "the language does not know it",
            "look it up in docs/testers-lab.md, or leave it out",
        )
    return ScenarioError(file, key, what, "a value of another kind or size is needed", "correct it")


def _check(scenario: Scenario, file: str) -> None:
    """Names must be of something that is there, and shapes whole."""
    ids = {
        kind: {one.id for one in getattr(scenario, kind)}
        for kind in ("route", "zone", "vehicle", "device", "journey", "equipment", "licence")
    }
    for kind, key, name in _names(scenario):
        if name is not None and name not in ids[kind]:
            known = ", ".join(sorted(ids[kind]))
            remedy = f"known are {known}" if known else f"add a [[{kind}]] of that id"
            raise ScenarioError(file, key, f"{name!r} is no {kind}", f"it must be the id of a {kind}", remedy)
    _check_shapes(scenario, file)
    check_acts(scenario, file)


def _names(scenario: Scenario) -> Iterator[tuple[str, str, str | None]]:
    """(what it must be the id of, key, name) of all references."""
    for i, r in enumerate(scenario.route):
        yield from (
            ("zone", f"route[{i}].checkpoints[{k}].zone", c.zone) for k, c in enumerate(r.checkpoints)
        )
    for i, z in enumerate(scenario.zone):
        yield "route", f"zone[{i}].route", z.route
    for i, v in enumerate(scenario.vehicle):
        yield "route", f"vehicle[{i}].route", v.route
        yield "vehicle", f"vehicle[{i}].follows", v.follows
    for i, d in enumerate(scenario.device):
        yield "vehicle", f"device[{i}].on", d.on
    for i, j in enumerate(scenario.journey):
        yield "route", f"journey[{i}].route", j.route
        yield "zone", f"journey[{i}].origin_zone", j.origin_zone
        yield "zone", f"journey[{i}].destination_zone", j.destination_zone
        yield from (("device", f"journey[{i}].devices[{k}].id", m.id) for k, m in enumerate(j.devices))
        if j.minerals is not None:
            yield "licence", f"journey[{i}].minerals.licence", str(j.minerals.get("licence"))
        for k, structure in enumerate((j.permit or {}).get("structures") or ()):
            yield "zone", f"journey[{i}].permit.structures[{k}].zone", str(structure.get("zone"))
    for i, act in enumerate(scenario.script):
        yield _is_about(act), f"script[{i}].who", act.who
        yield "vehicle", f"script[{i}].onto", getattr(act, "onto", None)
        yield "zone", f"script[{i}].zone", getattr(act, "zone", None)
        yield "route", f"script[{i}].route", getattr(act, "route", None)
        yield "journey", f"script[{i}].journey", getattr(act, "journey", None)
    yield from (("zone", f"equipment[{i}].zone", e.zone) for i, e in enumerate(scenario.equipment))
    for i, licence in enumerate(scenario.licence):
        yield from (("zone", f"licence[{i}].mines[{k}]", z) for k, z in enumerate(licence.mines))
        yield from (("zone", f"licence[{i}].yards[{k}]", z) for k, z in enumerate(licence.yards))


def _check_shapes(scenario: Scenario, file: str) -> None:
    for i, r in enumerate(scenario.route):
        if (r.road is None) == (r.line is None):
            remedy = 'write road = "R-HP-LC" with from_km and to_km, or line = [[lon, lat], …]'
            raise ScenarioError(
                file, f"route[{i}]", "needs one of road and line", "it must lie somewhere", remedy
            )
    led = {v.id for v in scenario.vehicle if v.follows is not None}
    for i, v in enumerate(scenario.vehicle):
        if v.follows in led:
            remedy = "let both follow the same, each at its own distance"
            raise ScenarioError(
                file,
                f"vehicle[{i}].follows",
                f"{v.follows!r} follows another itself",
                "a leader drives",
                remedy,
            )
    for i, z in enumerate(scenario.zone):
        circle = z.at_km is not None and z.radius_m is not None
        strip = z.from_km is not None and z.to_km is not None
        if circle == strip:
            remedy = "write at_km and radius_m, or from_km, to_km and width_m"
            raise ScenarioError(
                file, f"zone[{i}]", f"{z.id!r} has no shape", "a zone is a circle or a strip", remedy
            )


def _is_about(act: acts.Act) -> str:
    if isinstance(act, acts.TimedAct):
        return "device"
    if isinstance(act, acts.Authorise | acts.Divert | acts.Suspend | acts.Reset | acts.Load | acts.Swap):
        return "journey"
    return "equipment" if isinstance(act, acts.Fail | acts.Weigh | acts.Read) else "vehicle"
