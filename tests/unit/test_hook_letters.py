"""Mail about an escalation says what an officer must know before opening anything, or is not written at all."""

import msgspec
import pytest

from seal_tracker.alarms.rows import row_of
from seal_tracker.deeds import Step
from seal_tracker.hooks.letters import escalation_mail
from seal_tracker.publishing.cloudevents import AlarmState

DETAIL = {
    "to": "Trưởng",
    "unit": "HP",
    "level": 1,
    "deadline": "acknowledge",
    "was_due": "2026-11-22T03:02:00.000Z",
}


def alarm() -> AlarmState:
    known = {
        "alarm": "00000000-0000-0000-0000-000000000007", "state": "unacknowledged", "episode": "00000000-0000-0000-0000-000000000008",
        "type": "SEAL_TAMPER", "severity": "critical", "subject": "journey/J-7", "journey": "J-7", "seal": "S-7", "object": None,
        "unit": "HP", "raised_at": "2026-11-22T03:00:00.000Z", "ended_at": None, "updated_at": "2026-11-22T03:00:00.000Z", "exercise": False,
        "group": "00000000-0000-0000-0000-000000000007", "opened_at": "2026-11-22T03:00:00.000Z",
    }  # fmt: skip
    return msgspec.convert(known, AlarmState)


def step() -> Step:
    return Step(row_of(alarm(), ()), 2, "escalated", 1_795_316_520_000, "system")


@pytest.mark.parametrize("contact", ["truong@hai-quan.example", "Trưởng <truong@hai-quan.example>, 0225 123"])
def test_it_goes_to_the_units_address_and_says_what_where_since_when_and_what_to_do(contact: str) -> None:
    mail = escalation_mail(step(), alarm(), DETAIL, contact)
    assert mail is not None
    assert (mail.recipient, mail.event) == ("truong@hai-quan.example", step().id)
    assert mail.subject.startswith("[CRITICAL] SEAL_TAMPER J-7: quá hạn xác nhận")
    for said in ("J-7", "S-7", "HP", "03:00:00", "03:02:00", "00000000-0000-0000-0000-000000000007"):
        assert said in mail.body
    assert "\n" not in mail.subject


@pytest.mark.parametrize("contact", [None, "", "0225 123 456", "truong@"])
def test_a_unit_without_an_address_gets_none(contact: str | None) -> None:
    assert escalation_mail(step(), alarm(), DETAIL, contact) is None
