"""From where somebody asks, as far as it can be told, which failed sign-ins are counted by; and at which address of ours. Pure."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

__all__ = ["client_address", "own_address"]

UNKNOWN: Final = "unknown"

ONE_CUSTOMER: Final = 64
"""Bits of an IPv6 address that a provider gives to one customer at most: who has one such network has all its addresses."""

HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")
"""A name or an address, and a port."""


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


def own_address(host: str, forwarded: str, *, tls: bool, proxied: bool) -> str:
    """Where the client found us, as ``https://HOST:PORT``; empty where nobody says so in a way that can be an address.

    Parameters
    ----------
    host
        ``Host``, as the client, or the proxy in front, says it.
    forwarded
        ``X-Forwarded-Host``: what a proxy of ours heard; heard only where ``proxied``.
    tls
        whether clients come by https, to us or to the proxy.
    """
    heard = forwarded.rpartition(",")[2].strip() if proxied else ""
    for text in (heard, host):
        if HOST.fullmatch(text):
            return f"{'https' if tls else 'http'}://{text}"
    return ""
