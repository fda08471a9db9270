"""What a receiver makes of a true track: correlated error, multipath, cold starts, drift at rest, lying claims, swaps.

Each number is a plain reading of how consumer receivers err, set so that the plain test "outside the corridor" errs on
these cases as often as it does on real car trips (see docs/detection.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["ENVIRONMENTS", "Environment", "Fixes", "observe", "swapped"]


@dataclass(frozen=True)
class Environment:
    """How the sky is seen.

    ``sigma_m`` and ``tau_s``: a Gauss-Markov error in each axis. ``jumps_per_h``, ``jump_m``, ``jump_s``: reflections,
    exponential in size and duration.
    """

    sigma_m: float
    tau_s: float
    jumps_per_h: float
    jump_m: float
    jump_s: float


ENVIRONMENTS = {
    "open": Environment(3.0, 150.0, 0.2, 20.0, 40.0),
    "trees": Environment(4.5, 120.0, 0.6, 25.0, 40.0),
    "town": Environment(5.0, 120.0, 1.2, 30.0, 40.0),
    "canyon": Environment(8.0, 100.0, 3.5, 35.0, 40.0),
}

WHITE_M = 1.0
COLD_SHARE, COLD_M, COLD_S = 0.15, 20.0, 25.0
"""Trips whose first fixes are still settling, how far off they begin (exponential), and how fast it fades."""
REST_FACTOR = 1.4
"""Error at rest over error in motion: the receiver no longer averages reflections away by moving."""
SWAP_SHARE = 0.01
"""Fixes that come twice within a second, in the wrong order."""


@dataclass(frozen=True)
class Fixes:
    """What a device reports: ``t_s`` float64[n] ascending, ``xy`` float64[n, 2], ``accuracy_m`` float64[n] or NaN."""

    t_s: np.ndarray
    xy: np.ndarray
    accuracy_m: np.ndarray


def observe(
    rng: np.random.Generator,
    t_s: np.ndarray,
    xy: np.ndarray,
    rests: np.ndarray,
    every_s: float,
    environment: Environment,
) -> Fixes:
    """Fixes about every ``every_s`` of a true track given every second, in whole seconds but for swapped pairs."""
    at = np.round(np.arange(rng.uniform(0, every_s), t_s[-1], every_s))
    if every_s >= 3:
        at = np.unique(np.round(at + rng.uniform(-0.15, 0.15, len(at)) * min(every_s, 10)))
    i = np.clip(np.searchsorted(t_s, at), 0, len(t_s) - 1)
    t, spread = t_s[i], np.where(rests[i], REST_FACTOR, 1.0)
    error = _gauss_markov(rng, t, environment) * spread[:, None] + _jumps(rng, t, environment, spread)
    error += _cold_start(rng, t) + rng.normal(0, WHITE_M, error.shape)
    claims = _claims(rng, np.hypot(*error.T), environment)
    return swapped(rng, Fixes(t, xy[i] + error, claims), SWAP_SHARE)


def _gauss_markov(rng, t, env):
    keep = np.exp(-np.diff(t, prepend=t[:1]) / env.tau_s)
    push = rng.normal(0, env.sigma_m, (len(t), 2)) @ np.array([1, 1j]) * np.sqrt(1 - keep**2)
    push[:1] = rng.normal(0, env.sigma_m, 2) @ np.array([1, 1j])
    state, out = 0j, []
    for k, w in zip(keep.tolist(), push.tolist(), strict=True):
        state = k * state + w
        out.append(state)
    return np.column_stack([np.real(out), np.imag(out)])


def _jumps(rng, t, env, spread):
    """Reflections: each adds one vector while it lasts; twice as many while at rest."""
    error = np.zeros((len(t), 2))
    expected = env.jumps_per_h * (t[-1] - t[0]) / 3600 * (1 + (spread > 1).mean())
    for _ in range(rng.poisson(expected)):
        begin, last = rng.uniform(t[0], t[-1]), rng.exponential(env.jump_s)
        angle, size = rng.uniform(0, 2 * np.pi), rng.exponential(env.jump_m)
        error[(t >= begin) & (t < begin + last)] += size * np.array([np.cos(angle), np.sin(angle)])
    return error


def _cold_start(rng, t):
    if rng.random() > COLD_SHARE:
        return np.zeros((len(t), 2))
    angle, size = rng.uniform(0, 2 * np.pi), rng.exponential(COLD_M)
    return (size * np.exp(-(t - t[0]) / COLD_S))[:, None] * np.array([np.cos(angle), np.sin(angle)])


def _claims(rng, error_m, env):
    """Half the devices claim nothing, a quarter tell about their error, a quarter always a few metres."""
    kind = rng.random()
    if kind < 0.5:
        return np.full(len(error_m), np.nan)
    if kind < 0.75:
        smooth = 0.5 * error_m + 0.5 * env.sigma_m
        return np.round(smooth * rng.lognormal(0, 0.3, len(error_m)) + 1, 1)
    return np.full(len(error_m), np.round(rng.uniform(2.5, 6), 1))


def swapped(rng: np.random.Generator, fixes: Fixes, share: float) -> Fixes:
    """A share of the fixes come twice within a second, the later place first."""
    twice = np.flatnonzero(rng.random(len(fixes.t_s) - 1) < share)
    gap = np.diff(fixes.t_s)
    twice = twice[gap[twice] > 2]
    ahead = 1.0 / gap[twice][:, None]
    later = fixes.xy[twice] * (1 - ahead) + fixes.xy[twice + 1] * ahead
    xy, order = (
        fixes.xy.copy(),
        np.argsort(np.concatenate([fixes.t_s, fixes.t_s[twice] + 0.5]), kind="stable"),
    )
    held = xy[twice].copy()
    xy[twice] = later
    return Fixes(
        np.concatenate([fixes.t_s, fixes.t_s[twice] + 0.5])[order],
        np.concatenate([xy, held])[order],
        np.concatenate([fixes.accuracy_m, fixes.accuracy_m[twice]])[order],
    )
