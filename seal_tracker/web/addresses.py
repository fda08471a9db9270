"""From where somebody asks, as far as it can be told: what failed sign-ins are counted by. Pure."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

__all__ = ["client_address"]

UNKNOWN: Final = "unknown"

ONE_CUSTOMER: Final = 64
"""Bits of an IPv6 address that a provider gives to one customer at most: who has one such network has all its addresses."""


def client_address(remote: str | None, forwarded: str, *, proxied: bool) -> str:
    """The address of the client; for IPv6 its network.

    Parameters
    ----------
    remote
        who is connected to us.
    forwarded
        ``X-Forwarded-For``: each proxy adds whom it heard, so that the last entry is our own proxy's word; all before may be made up.
    proxied
        whether a proxy of ours is in front; else the header is anybody's word, and is not heard.
    """
    heard = forwarded.rpartition(",")[2].strip() if proxied else ""
    for text in (heard, remote or ""):
        try:
            address = ip_address(text)
        except ValueError:
            continue
        if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
            return str(IPv6Network((int(address), ONE_CUSTOMER), strict=False))
        return str(getattr(address, "ipv4_mapped", None) or address)
    return UNKNOWN
