"""The native ping of the interface document, written down once more: what a receiver may rely on."""

from __future__ import annotations

import re
from typing import Any

LOCKS = {"closed", "open", "cut", "unknown"}
FACTS = {
    "rope_cut",
    "shell_opened",
    "removed",
    "vibration",
    "illegal_card",
    "wrong_password",
    "unlock_ok",
    "unlock_refused",
    "cover_open",
    "motor_stuck",
    "jamming",
    "charging",
    "low_battery",
    "restarted",
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
NUMBERS = {
    "lon": (102.0, 110.0),
    "lat": (8.0, 24.0),
    "speed_kmh": (0, 110),
    "course_deg": (0, 359),
    "accuracy_m": (1, 30),
    "satellites": (0, 20),
    "battery_pct": (1, 100),
    "seq": (0, 100_000),
    "interval_s": (5, 1800),
}
MEMBERS = {"time", "valid", "lock", "facts", "mode", "buffered", "cell", *NUMBERS}


def faults(ping: dict[str, Any]) -> list[str]:
    """Everything wrong with a ping; none for a valid one."""
    found = [f"unknown member {m}" for m in set(ping) - MEMBERS]
    found += [f"{m} is {ping.get(m)!r}" for m in ("valid",) if not isinstance(ping.get(m), bool)]
    if not TIME.fullmatch(ping.get("time", "")):
        found.append(f"time is {ping.get('time')!r}")
    if ping.get("valid") and not {"lon", "lat"} <= set(ping):
        found.append("valid without a position")
    for member, (least, most) in NUMBERS.items():
        value = ping.get(member, least)
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            found.append(f"{member} is {value!r}")
    found += [
        f"{m} has more than 7 decimals" for m in ("lon", "lat") if m in ping and round(ping[m], 7) != ping[m]
    ]
    if ping.get("lock") not in LOCKS or ping.get("mode") not in {"awake", "asleep"}:
        found.append(f"lock {ping.get('lock')!r}, mode {ping.get('mode')!r}")
    if not set(ping.get("facts", [])) <= FACTS:
        found.append(f"facts {ping['facts']!r}")
    return found
