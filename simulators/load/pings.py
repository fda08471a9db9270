"""Any messages of a load as bytes for the broker, from nothing but their numbers: what is lost can be sent again without being kept. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.load.packets import length, text
from simulators.load.schedule import Alerting, Schedule
from simulators.load.vehicles import Vehicles

__all__ = ["Pings"]

PUBLISH_QOS_1 = b"\x32"
PAYLOAD = (
    b'{"time":"%bZ","lon":%.6f,"lat":%.6f,"valid":true,"speed_kmh":%.1f,"course_deg":%d,"accuracy_m":6,"satellites":11,'
    b'"battery_pct":80,"seq":%d,"lock":"%b","mode":"awake","interval_s":%d}'
)


@dataclass(slots=True)
class Pings:
    """The messages of a schedule that began at ``started_ms`` (UTC epoch, by ``start``); ``topics`` and ``names`` by seal."""

    schedule: Schedule
    alerting: Alerting
    vehicles: Vehicles
    names: Sequence[str]
    topics: Sequence[bytes]
    started_ms: int = 0

    @classmethod
    def of(
        cls, schedule: Schedule, alerting: Alerting, vehicles: Vehicles, names: Sequence[str], root: str
    ) -> Pings:
        """Messages on ``{root}/dev/{seal}/ping``."""
        topics = [text(f"{root}/dev/{name}/ping") for name in names]
        return cls(schedule, alerting, vehicles, names, topics)

    def start(self, at_ms: int) -> None:
        """Say when the schedule begins."""
        self.started_ms = at_ms

    @property
    def interval_s(self) -> int:
        """Seconds between two pings of one seal, whole ones, as each ping says."""
        return max(1, -(-len(self.names) // max(1, int(self.schedule.rate))))

    def packets(self, messages: Sequence[int], ids: Sequence[int], version: int) -> list[bytes]:
        """Messages as PUBLISH packets with these packet ids."""
        k = np.asarray(messages, np.int64)
        seal = self.schedule.seal(k)
        due_s = self.schedule.due_s(k)
        fixes = self.vehicles.at(seal, due_s)
        times = np.datetime_as_string(self._time_ms(k).astype("datetime64[ms]")).astype("S23").tolist()
        locks = np.where(k >= self.alerting.cut_from[seal], b"cut", b"closed").tolist()
        columns = (
            times, fixes.lon.tolist(), fixes.lat.tolist(), fixes.speed_kmh.tolist(), fixes.course_deg.tolist(),
            (k // len(self.names)).tolist(), locks, [self.interval_s] * len(k),
        )  # fmt: skip
        properties = b"" if version == 3 else b"\0"  # noqa: PLR2004 - version 5 has properties, and we none
        out = []
        for number, packet_id, row in zip(seal.tolist(), ids, zip(*columns, strict=True), strict=True):
            body = b"%b%b%b%b" % (
                self.topics[number],
                packet_id.to_bytes(2, "big"),
                properties,
                PAYLOAD % row,
            )
            out.append(b"%b%b%b" % (PUBLISH_QOS_1, length(len(body)), body))
        return out

    def alert_of(self, message: int) -> tuple[str, str]:
        """By what the alert that a message raises is known: the seal, and the time of the fix, ISO 8601."""
        k = np.array([message], np.int64)
        moment = np.datetime_as_string(self._time_ms(k).astype("datetime64[ms]"))[0]
        return self.names[int(self.schedule.seal(k)[0])], f"{moment}Z"

    def _time_ms(self, messages: NDArray[np.int64]) -> NDArray[np.int64]:
        return self.started_ms + (self.schedule.due_s(messages) * 1000.0).astype(np.int64)
