"""Webhooks: signatures that others can check, what is sent, when it is tried again, and where none may lead."""

import base64
import hashlib
import hmac
import re
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from seal_tracker.hooks.rows import HookRow, Progress
from seal_tracker.hooks.rules import (
    MOST_FAILURES,
    after_failure,
    after_success,
    is_public,
    narrowed,
    refusal_of,
    wanted,
)
from seal_tracker.hooks.signing import headers_of, new_secret, signature

ID = UUID(int=1)
HOOK = HookRow(
    ID, "live", "https://there.example/in", "integrator", "whsec_AAAA", (), (), None, "active", 1, 0, 0
)
FRESH = Progress(ID, 10, 0, 0, 0, None, None, None, None)


def event(name: str = "SEAL_TAMPER", severity: str = "critical", unit: str | None = "U1") -> dict[str, Any]:
    return {"severitytext": severity, "data": {"properties": {"event": name, "unit": unit}}}


def test_the_signature_is_that_of_the_standards_own_example() -> None:
    """The example of the Standard Webhooks reference libraries."""
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    given = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert given == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_receiver_can_check_what_it_was_sent() -> None:
    secret = new_secret()
    headers = headers_of(secret, "id-1", 1700000000, b"{}")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    said = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + b"{}"
    assert (
        headers["webhook-signature"]
        == "v1," + base64.b64encode(hmac.digest(key, said, hashlib.sha256)).decode()
    )
    assert len(key) == 32


@pytest.mark.parametrize(
    ("filters", "passes"),
    [
        ({}, True),
        ({"types": ("SEAL_TAMPER", "ALARM")}, True),
        ({"types": ("ROUTE_DEVIATION",)}, False),
        ({"severities": ("high",)}, False),
        ({"units": ("U1",)}, True),
        ({"units": ("U2",)}, False),
        ({"units": ()}, False),  # of no unit at all is not of all units
    ],
)
def test_a_hook_is_sent_what_passes_all_its_filters(filters: dict[str, Any], passes: bool) -> None:
    assert wanted(HOOK._replace(**filters), event()) is passes


def test_an_event_without_a_unit_is_for_those_who_see_all() -> None:
    assert wanted(HOOK, event(unit=None))
    assert not wanted(HOOK._replace(units=("U1",)), event(unit=None))


def test_a_step_of_an_alarm_is_sent_to_the_unit_that_answers_for_it_too() -> None:
    """An escalation reaches who was called, though the journey is another unit's."""
    step = event(unit="U9")
    step["data"]["properties"]["responsible"] = "U1"
    assert wanted(HOOK._replace(units=("U1",)), step)
    assert not wanted(HOOK._replace(units=("U2",)), step)


def test_tries_come_further_and_further_apart_and_end() -> None:
    progress, pauses = FRESH, []
    for _ in range(MOST_FAILURES):
        assert progress.gave_up_ms is None
        progress = after_failure(progress, 500, "answered 500", 1000)
        pauses.append((progress.due_ms - 1000) // 1000)
    assert pauses[:4] == [5, 10, 20, 40]
    assert max(pauses) == 3600
    assert (progress.gave_up_ms, progress.sequence, progress.last_error) == (1000, 10, "answered 500")


def test_gone_is_believed_at_once_and_a_success_forgives() -> None:
    assert after_failure(FRESH, 410, "", 5).gave_up_ms == 5
    again = after_success(after_failure(FRESH, None, "away", 5), 11, 9)
    assert (again.sequence, again.delivered, again.failures, again.last_error) == (11, 1, 0, None)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "::1",
     "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1", "::", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::10.0.0.1", "::ffff:0:10.0.0.1",
     "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b:1::1", "2002:a00:1::", "2002:7f00:1::1", "2001::1", "2001:db8::1",
     "3fff::1", "5f00::1", "ff02::1", "192.0.0.192", "198.18.0.1", "240.0.0.1", "255.255.255.255", "100.100.100.200", "2130706433",
     "0x7f.1", "127.1", "0177.0.0.1", "nonsense"],
)  # fmt: skip
def test_addresses_of_machines_and_networks_of_ones_own_are_not_public(address: str) -> None:
    assert not is_public(address)


def test_addresses_of_the_internet_are_public() -> None:
    assert is_public("93.184.215.14")
    assert is_public("2606:2800:21f:cb07:6820:80da:af6b:8b2c")
    assert is_public("64:ff9b::93.184.215.14"), "where there is IPv6 alone, IPv4 is reached so"
    assert is_public("::ffff:93.184.215.14")


@pytest.mark.parametrize(
    ("asked", "seen", "sent"),
    [
        (None, None, None),
        (("U1",), None, ("U1",)),
        (None, {"U2", "U1"}, ("U1", "U2")),
        (("U1", "U3"), {"U1", "U2"}, ("U1",)),
        (None, (), ()),
    ],
)
def test_an_owner_is_sent_no_more_than_they_see_now(asked: Any, seen: Any, sent: Any) -> None:
    """Whoever was moved to another unit, or may have no webhooks any more, hears nothing that they may not read."""
    assert narrowed(asked, seen) == sent


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://there.example/", "must begin with https"),
        ("ftp://there.example/", "must begin with https"),
        ("https://", "names no host"),
        ("https://user:word@there.example/", "user or a password"),
        ("https://127.0.0.1/x", "private address"),
        ("https://[::1]:8443/", "private address"),
        ("https://localhost/", "private address"),
        ("https://there.example:99999/", "is not a URL"),
        ("https://there.example\\@127.0.0.1/", "is not a URL"),
        ("https://127.0.0.1\\.there.example/", "is not a URL"),
        ("https://0/", "private address"),
        ("https://127.1/", "private address"),
        ("https://2130706433/", "private address"),
        ("https://[::ffff:10.0.0.1]/", "private address"),
        ("https://[64:ff9b::a00:1]/", "private address"),
        ("https://a.localhost/", "private address"),
    ],
)
def test_a_url_that_leads_where_no_webhook_may_go_is_refused_in_words(url: str, why: str) -> None:
    assert why in (refusal_of(url, private=False) or "")


def test_private_addresses_are_for_those_who_allow_them() -> None:
    assert refusal_of("http://127.0.0.1:9000/in", private=True) is None
    assert refusal_of("https://there.example/in", private=False) is None


def test_the_check_that_the_documents_give_to_receivers_works() -> None:
    """What was sent passes; with another body, an old time or another secret it does not."""
    text = (Path(__file__).parents[2] / "docs" / "integrating.md").read_text()
    (code,) = re.findall(r"<!-- verify -->\n```python\n(.*?)```", text, re.DOTALL)
    given: dict[str, Any] = {}
    exec(code, given)
    is_ours, secret, now_s = given["is_ours"], new_secret(), int(time.time())
    headers = headers_of(secret, "id-1", now_s, b"{}")
    assert is_ours(secret, headers, b"{}")
    assert not is_ours(secret, headers, b"[]")
    assert not is_ours(new_secret(), headers, b"{}")
    assert not is_ours(secret, headers_of(secret, "id-1", now_s - 600, b"{}"), b"{}")
