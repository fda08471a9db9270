"""``policies.toml``, and what zones and routes say of their own policy, to one set of tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from geofences.catalog import Fault, FaultSink, Ids, RouteFeature, ZoneFeature
from seal_tracker.plans.references import References
from seal_tracker.plans.toml import tables_of
from seal_tracker.rules.policy import REGIMES, PolicyFault, check_policies

__all__ = ["merge_policies", "read_policies"]


def read_policies(text: str | bytes, file: str, references: References) -> tuple[dict[str, Any], list[Fault]]:
    """The tables as written and every fault of them; no tables where the text is not TOML."""
    sink = FaultSink(file)
    tables = tables_of(text, sink)
    if tables is None:
        return {}, sink.in_order()
    found = check_policies(
        tables,
        regimes=REGIMES,
        routes=_nameable(references.routes, tables.get("route")),
        zones=_nameable(references.zones, tables.get("zone")),
    )
    for fault in found:
        note = sink.error if fault.level == "error" else sink.warn
        note(0, fault.where, "", fault.what, fault.why, fault.remedy)
    return tables, sink.in_order()


def _nameable(ids: Ids, named: object) -> set[str]:
    """The ids there are; where that could not be read, whatever is named."""
    return {*ids.known, *(named if not ids.complete and isinstance(named, Mapping) else ())}


def merge_policies(
    tables: Mapping[str, Any],
    zones: Sequence[ZoneFeature],
    routes: Sequence[RouteFeature],
    *,
    zones_file: str,
    routes_file: str,
) -> tuple[dict[str, Any], list[Fault]]:
    """``tables`` with each feature's ``policy`` as ``[zone.ID.RULE]`` or ``[route.ID.RULE]``, and their faults."""
    merged = dict(tables)
    faults: list[Fault] = []
    groups: tuple[tuple[str, str, Sequence[ZoneFeature] | Sequence[RouteFeature]], ...] = (
        ("zone", zones_file, zones),
        ("route", routes_file, routes),
    )
    for kind, file, features in groups:
        for feature in features:
            if not feature.policy:
                continue
            own = {kind: {feature.id: feature.policy}}
            found = check_policies(own, regimes=REGIMES, routes=(feature.id,), zones=(feature.id,))
            faults += [_of_feature(fault, file, feature.id, kind) for fault in found]
            written = merged.get(kind)
            if isinstance(written, Mapping) and feature.id in written:
                what, why = f"policies.toml has [{kind}.{feature.id}] too", "one of the two would be ignored"
                remedy = "keep one of them"
                faults.append(Fault(file, feature.id, "properties.policy", what, why, remedy))
            merged[kind] = {**(written if isinstance(written, Mapping) else {}), feature.id: feature.policy}
    return merged, faults


def _of_feature(fault: PolicyFault, file: str, feature: str, kind: str) -> Fault:
    where = fault.where.removeprefix(f"{kind}.{feature}").removeprefix(".")
    where = f"properties.policy.{where}" if where else "properties.policy"
    return Fault(file, feature, where, fault.what, fault.why, fault.remedy, fault.level)
