"""From where somebody asks."""

from __future__ import annotations

import pytest

from seal_tracker.web.addresses import client_address


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
