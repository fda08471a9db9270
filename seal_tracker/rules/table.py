"""Which thresholds a journey is judged by: tables of keys, the nearest table wins. Immutable, no I/O.

``[default.RULE]`` is overridden by ``[REGIME.RULE]``, that by ``[route.ID.RULE]``, that by ``[zone.ID.RULE]``.
A key that only one value serves is returned as a scalar, so that the usual policy costs no array.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from seal_tracker.rules.keys import PolicyKey, PolicyValue

__all__ = ["Policies", "Values", "per", "whole"]

Values = NDArray[Any] | PolicyValue


def per(values: Values, index: NDArray[Any]) -> Any:
    """``values`` picked at ``index``; a scalar stays one."""
    return values[index] if isinstance(values, np.ndarray) else values


def whole(values: Values, per_unit: float) -> Any:
    """``values`` in whole smaller units (seconds in ms: 1000), rounded to even; a scalar stays one. None is no number."""
    if isinstance(values, np.ndarray):
        return np.rint(values * per_unit).astype(np.int64)
    return round(float(values) * per_unit)  # type: ignore[arg-type]


class Policies:
    """The policy of one plan version, resolved for any regime, route and zone.

    Parameters
    ----------
    keys
        every rule's keys, which carry the defaults.
    tables
        as read from ``policies.toml``, already checked.
    regimes, routes, zones
        names in the order of the indexes that `value` takes.
    """

    def __init__(
        self,
        keys: Mapping[str, Mapping[str, PolicyKey]],
        tables: Mapping[str, Any],
        *,
        regimes: Sequence[str],
        routes: Sequence[str],
        zones: Sequence[str],
    ) -> None:
        self._keys = keys
        self._n_routes = len(routes)
        self._default: Mapping[str, Any] = tables.get("default", {})
        self._regime = {i: tables[name] for i, name in enumerate(regimes) if name in tables}
        self._route = _by_index(tables.get("route", {}), routes)
        self._zone = _by_index(tables.get("zone", {}), zones)
        self._n_regimes = len(regimes)
        self._grids: dict[tuple[str, str], Values] = {}
        self._everywhere: dict[tuple[str, tuple[str, ...]], tuple[PolicyValue, ...] | None] = {}
        self._zone_values: dict[tuple[str, str], dict[int, PolicyValue]] = {}

    def has(self, rule: str, key: str) -> bool:
        """Whether ``rule`` knows ``key``."""
        return key in self._keys[rule]

    def default(self, rule: str, key: str) -> PolicyValue:
        """The value where no regime, route or zone says otherwise."""
        found = self._default.get(rule, {}).get(key)
        return self._keys[rule][key].default if found is None else _coerced(self._keys[rule][key], found)

    def value(
        self,
        rule: str,
        key: str,
        regime: NDArray[np.integer[Any]],
        route: NDArray[np.integer[Any]],
        zone: NDArray[np.integer[Any]] | None = None,
    ) -> Values:
        """Values for rows of (regime, route[, zone]) indexes; -1 is none. A scalar where all rows agree."""
        grid = self._grid(rule, key)
        out: Values = grid if not isinstance(grid, np.ndarray) else grid[regime, route]
        if zone is None:
            return out
        overrides = self._zone_overrides(rule, key)
        if not overrides:
            return out
        full = np.array(np.broadcast_to(np.asarray(out, _dtype(self._keys[rule][key])), zone.shape))
        for index, value in overrides.items():
            full[zone == index] = _numeric(value)
        return full

    def everywhere(self, rule: str, keys: tuple[str, ...]) -> tuple[PolicyValue, ...] | None:
        """Values that hold for every regime, route and zone; None where one of them differs somewhere."""
        found = self._everywhere.get((rule, keys), ())
        if found == ():
            values = [self._grid(rule, key) for key in keys]
            differ = any(isinstance(value, np.ndarray) for value in values)
            differ = differ or any(self._zone_overrides(rule, key) for key in keys)
            found = None if differ else tuple(cast("list[PolicyValue]", values))
            self._everywhere[rule, keys] = found
        return found

    def at(self, rule: str, key: str, regime: int, route: int, zone: int | None = None) -> PolicyValue:
        """The value for one regime, route and zone index; -1 is none."""
        if zone is not None:
            overrides = self._zone_overrides(rule, key)
            if zone in overrides:
                return overrides[zone]
        grid = self._grid(rule, key)
        value = grid[regime, route] if isinstance(grid, np.ndarray) else grid
        return cast("PolicyValue", value.item() if isinstance(value, np.generic) else value)

    def _grid(self, rule: str, key: str) -> Values:
        """Scalar, or an array [regime + 1, route + 1] whose last row is "no regime", the last column "no route"."""
        known = self._grids.get((rule, key))
        if known is not None:
            return known
        if (rule, key) not in self._grids:
            default = self.default(rule, key)
            spec = self._keys[rule][key]
            by_regime = {i: t[rule][key] for i, t in self._regime.items() if key in t.get(rule, {})}
            by_route = {i: t[rule][key] for i, t in self._route.items() if key in t.get(rule, {})}
            grid: Values = default
            if by_regime or by_route:
                grid = np.full((self._n_regimes + 1, self._n_routes + 1), _numeric(default), _dtype(spec))
                for i, value in by_regime.items():
                    grid[i, :] = _numeric(_coerced(spec, value))
                for i, value in by_route.items():
                    grid[:, i] = _numeric(_coerced(spec, value))
            self._grids[rule, key] = grid
        return self._grids[rule, key]

    def _zone_overrides(self, rule: str, key: str) -> dict[int, PolicyValue]:
        if (rule, key) not in self._zone_values:
            spec = self._keys[rule][key]
            self._zone_values[rule, key] = {
                i: _coerced(spec, t[rule][key]) for i, t in self._zone.items() if key in t.get(rule, {})
            }
        return self._zone_values[rule, key]


def _by_index(tables: Mapping[str, Any], names: Sequence[str]) -> dict[int, Mapping[str, Any]]:
    if not tables:
        return {}
    index = {name: i for i, name in enumerate(names)}
    return {index[name]: table for name, table in tables.items() if name in index}


def _coerced(spec: PolicyKey, value: PolicyValue) -> PolicyValue:
    return float(value) if spec.kind == "number" and value is not None else value


def _dtype(spec: PolicyKey) -> Any:
    return {"flag": np.bool_, "count": np.int64, "number": np.float64, "severity": object}[spec.kind]


def _numeric(value: PolicyValue) -> Any:
    """None is NaN inside an array."""
    return np.nan if value is None else value
