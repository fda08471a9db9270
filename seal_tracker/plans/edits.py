"""Edits of a plan's zones, routes, vehicles, calendars, equipment and licences, object by object; what differs between two versions; and joining two. Pure.

A plan is its files, so an edit gives new files, which are read and checked as any plan's. Objects keep their order; new ones come last.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

__all__ = [
    "COLLECTIONS",
    "LINES",
    "Conflict",
    "Differences",
    "differences",
    "edited",
    "feature_tag",
    "features_of",
    "joined",
    "objects_in",
]

COLLECTIONS: Final[Mapping[str, str]] = {"zones": "zones.geojson", "routes": "routes.geojson"}
"""Files of features, by the name of their collection."""

LINES: Final[Mapping[str, str]] = {
    "vehicles": "vehicles.jsonl",
    "calendars": "calendars.jsonl",
    "equipment": "equipment.jsonl",
    "licences": "licences.jsonl",
}
"""Files of an object a line, by the name of their collection."""

FILES: Final = {**COLLECTIONS, **LINES}

Feature = dict[str, Any]
Files = Mapping[str, str]

encode: Final = msgspec.json.Encoder(order="sorted").encode
as_is: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Conflict:
    """An object that was changed here and there since the two were the same; ours stands."""

    file: str
    id: str
    what: str


@dataclass(frozen=True, slots=True)
class Differences:
    """Ids of a collection's features that one version has and another has not, or has otherwise."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


def features_of(text: str) -> dict[str, Feature]:
    """The features of a sound collection by id, in their order."""
    found = msgspec.json.decode(text)["features"]
    return {id_of(feature): feature for feature in found}


def objects_in(files: Files, collection: str) -> dict[str, Feature]:
    """The objects of a collection of a sound plan by id, in their order; none where its file is absent."""
    text = files.get(FILES[collection])
    if text is None:
        return {}
    if collection in COLLECTIONS:
        return features_of(text)
    return {
        one["id"]: one for line in text.split("\n") if line.strip() for one in [msgspec.json.decode(line)]
    }


class _Named(msgspec.Struct):
    id: Any = None


class _Head(msgspec.Struct):
    id: Any = None
    properties: _Named | None = None


class _Unread(msgspec.Struct):
    features: list[msgspec.Raw]


def _unread(text: str, collection: str) -> dict[str, msgspec.Raw]:
    """Objects by id as they are written: a plan's million positions need not become objects to see that they are the same."""
    found = {}
    for raw in _raw(text, collection):
        head = msgspec.json.decode(raw, type=_Head)
        name = head.id if head.id is not None or head.properties is None else head.properties.id
        found[str(name)] = raw
    return found


def _raw(text: str, collection: str) -> Iterable[msgspec.Raw]:
    if collection in COLLECTIONS:
        return msgspec.json.decode(text, type=_Unread).features
    return [msgspec.Raw(line.encode()) for line in text.split("\n") if line.strip()]


def _says_the_same(a: msgspec.Raw, b: msgspec.Raw) -> bool:
    return bytes(a) == bytes(b) or encode(msgspec.json.decode(a)) == encode(msgspec.json.decode(b))


def id_of(feature: Mapping[str, Any]) -> str:
    """The feature's id, where GeoJSON or its properties have it."""
    name = feature.get("id")
    return str(name if name is not None else (feature.get("properties") or {}).get("id"))


def feature_tag(feature: Mapping[str, Any]) -> str:
    """What changes whenever the feature does: its ``ETag``."""
    return hashlib.sha256(encode(feature)).hexdigest()[:32]


def edited(
    files: Files, collection: str, put: Iterable[Feature], remove: Iterable[str] = ()
) -> dict[str, str]:
    """The files with some objects put (in the place of those with the same id) and some removed."""
    objects = objects_in(files, collection)
    for gone in remove:
        objects.pop(gone, None)
    objects |= {id_of(one): one for one in put}
    return {**files, FILES[collection]: _written(objects.values(), collection)}


def differences(before: Files, after: Files) -> dict[str, Differences]:
    """What differs, by collection; of other files under their name, as changed as a whole. Nothing for what does not."""
    found: dict[str, Differences] = {}
    for collection, name in FILES.items():
        if before.get(name) == after.get(name):
            continue
        old, new = (_unread(files[name], collection) if name in files else {} for files in (before, after))
        changed = tuple(key for key in new if key in old and not _says_the_same(old[key], new[key]))
        added, removed = tuple(k for k in new if k not in old), tuple(k for k in old if k not in new)
        found[collection] = Differences(added, changed, removed)
    others = (before.keys() | after.keys()) - set(FILES.values())
    for name in sorted(others):
        if before.get(name) != after.get(name):
            found[name] = Differences(changed=(name,))
    return {key: value for key, value in found.items() if value}


def joined(base: Files, ours: Files, theirs: Files) -> tuple[dict[str, str], list[Conflict]]:
    """What ``theirs`` changed since ``base``, put into ``ours``; objects that ours changed too are left as they are here.

    So a folder that is imported again does not undo what was edited meanwhile. Files without features are taken whole.
    """
    out, conflicts = dict(ours), []
    for collection, name in FILES.items():
        missing = name not in theirs and (collection in COLLECTIONS or name not in base)
        if missing or theirs.get(name) == base.get(name):
            continue
        was, mine, their = (objects_in(files, collection) for files in (base, ours, theirs))
        merged, found = _joined_features(was, mine, their)
        conflicts += [
            Conflict(name, key, f"this {collection.removesuffix('s')} {what}; it is left as it is here")
            for key, what in found
        ]
        out[name] = _written(merged.values(), collection)
    for name in sorted((theirs.keys() | base.keys()) - set(FILES.values())):
        if theirs.get(name) == base.get(name):
            continue
        if ours.get(name) != base.get(name):
            conflicts.append(
                Conflict(
                    name, "", "this file was changed here too since the last import; it is left as it is here"
                )
            )
        elif name in theirs:
            out[name] = theirs[name]
        else:
            out.pop(name, None)
    return out, conflicts


def _joined_features(
    was: Mapping[str, Feature], mine: Mapping[str, Feature], their: Mapping[str, Feature]
) -> tuple[dict[str, Feature], list[tuple[str, str]]]:
    """Features joined, and (id, what) of each conflict."""
    out, conflicts = dict(mine), []
    for key in [*their, *(k for k in was if k not in their)]:
        new, old, here = their.get(key), was.get(key), mine.get(key)
        if _same(new, old) or _same(new, here):
            continue
        if not _same(here, old):
            what = "was removed" if here is None else "was changed"
            conflicts.append((key, f"{what} here and differs in the folder since the last import"))
        elif new is None:
            out.pop(key, None)
        else:
            out[key] = new
    return out, conflicts


def _same(a: Feature | None, b: Feature | None) -> bool:
    return a is b or (a is not None and b is not None and encode(a) == encode(b))


def _written(objects: Iterable[Feature] | Sequence[Feature], collection: str) -> str:
    if collection in LINES:
        return "".join(as_is(one).decode() + "\n" for one in objects)
    return as_is({"type": "FeatureCollection", "features": list(objects)}).decode()
