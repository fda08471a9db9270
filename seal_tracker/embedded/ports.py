"""Loopback ports: chosen once, remembered with the folder.

A port is chosen *below* the range from which the kernel takes source ports. Inside it, any outgoing connection
could occupy the broker's port while the broker restarts, and a client that keeps dialling a loopback port nobody
listens on can even connect to itself.
"""

from __future__ import annotations

import random
import socket
from pathlib import Path

from .errors import EmbeddedError
from .files import read_text

__all__ = ["LOOPBACK", "choose_port", "is_free"]

LOOPBACK = "127.0.0.1"
"""The only address that embedded parts listen on."""

LOWEST_PORT = 12_000
"""Below lie the ports that well-known programs use."""

DEFAULT_EPHEMERAL_FLOOR = 32_768
"""Where the kernel's range of source ports begins unless /proc says otherwise."""

TRIES = 200


def choose_port(avoid: tuple[int, ...] = ()) -> int:
    """Pick a port of the loopback address on which nobody listens now.

    Raises
    ------
    EmbeddedError
        When none of 200 tries is free.
    """
    floor = max(_ephemeral_floor(), LOWEST_PORT + 1000)
    for _ in range(TRIES):
        port = random.SystemRandom().randrange(LOWEST_PORT, floor)
        if port not in avoid and is_free(port):
            return port
    raise EmbeddedError(f"no free loopback port between {LOWEST_PORT} and {floor} in {TRIES} tries")


def is_free(port: int) -> bool:
    """Tell whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # as both servers do: TIME_WAIT is no stranger
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def _ephemeral_floor() -> int:
    text = read_text(Path("/proc/sys/net/ipv4/ip_local_port_range"))
    return int(text.split()[0]) if text else DEFAULT_EPHEMERAL_FLOOR
