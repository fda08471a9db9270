"""From where somebody asks."""

from __future__ import annotations

import pytest

from seal_tracker.web.addresses import client_address, own_address


@pytest.mark.parametrize(
    ("remote", "forwarded", "proxied", "address"),
    [
        ("203.0.113.9", "", False, "203.0.113.9"),
        ("203.0.113.9", "10.0.0.1", False, "203.0.113.9"),
        ("127.0.0.1", "203.0.113.9", True, "203.0.113.9"),
        ("127.0.0.1", "10.9.9.9, 203.0.113.9", True, "203.0.113.9"),
        ("127.0.0.1", "203.0.113.9, made up", True, "127.0.0.1"),
        ("127.0.0.1", "", True, "127.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "", False, "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "", False, "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "", False, "203.0.113.9"),
        ("fe80::1%eth0", "", False, "fe80::/64"),
        (None, "", False, "unknown"),
        ("/run/a.sock", "", False, "unknown"),
    ],
)
def test_an_address_is_that_of_the_client_not_of_what_it_says(
    remote: str | None, forwarded: str, proxied: bool, address: str
):
    """Only our own proxy's word counts, and a network that one customer has counts as one."""
    assert client_address(remote, forwarded, proxied=proxied) == address


@pytest.mark.parametrize(
    ("host", "forwarded", "tls", "proxied", "address"),
    [
        ("seals.example.vn:8443", "", True, False, "https://seals.example.vn:8443"),
        ("[::1]:8080", "", False, False, "http://[::1]:8080"),
        ("inner:8080", "made-up, seals.example.vn", True, True, "https://seals.example.vn"),
        ("inner:8080", "made-up.example", True, False, "https://inner:8080"),
        ("inner:8080", "no host/at all", True, True, "https://inner:8080"),
        ('a"><script>', "", False, False, ""),
        ("", "", False, False, ""),
    ],
)
def test_our_own_address_is_what_the_client_or_our_proxy_says_it_is(
    host: str, forwarded: str, tls: bool, proxied: bool, address: str
) -> None:
    assert own_address(host, forwarded, tls=tls, proxied=proxied) == address
