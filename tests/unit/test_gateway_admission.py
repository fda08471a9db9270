"""Who may come to the gateway: the list of devices, one connection a device, and nothing that grows without end."""

from __future__ import annotations

import os
from collections import Counter, OrderedDict
from pathlib import Path

import pytest

from seal_tracker.commands.gateway import DeviceList
from seal_tracker.config import ConfigError
from seal_tracker.gateway.admission import (
    DEVICES_HELD,
    MAX_TOLD,
    TELL_AGAIN_S,
    DeviceListError,
    Door,
    devices_in,
    names_in,
)

FORMATS = ("eseal", "jointech", "jt808")


class Line:
    """A connection."""

    def __init__(self, address: str = "192.0.2.1", certified: frozenset[str] = frozenset()) -> None:
        self.address = address
        self.certified = certified
        self.devices: OrderedDict[tuple[str, str], None] = OrderedDict()
        self.is_stopped = False

    def stop(self) -> None:
        self.is_stopped = True


class Clock:
    """A clock that is set."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def door() -> Door:
    return Door(Counter(), Clock())


def test_a_list_has_a_device_a_line() -> None:
    """Of one format or of any, with remarks."""
    text = "# locks of the port\n8000620011\n\njt808 0139123A  # spare\n"
    assert devices_in(text, FORMATS) == {
        (None, "8000620011"): frozenset(),
        ("jt808", "139123a"): frozenset(),
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("8000620011\n80/62", "line 2, '80/62': expected ID, FORMAT ID or"),
        ("morse 12", "line 1, 'morse 12': expected ID, FORMAT ID or"),
        ("jt808 12 13", "line 1"),
        ("# nobody", "names no device"),
        (
            "jt808 12 cert=",
            "line 1, 'jt808 12 cert=': expected ID, FORMAT ID or either with cert=NAME behind it",
        ),
        ("cert=terminator", "line 1"),
    ],
)
def test_a_line_that_is_none_is_named(text: str, said: str) -> None:
    with pytest.raises(DeviceListError, match=said):
        devices_in(text, FORMATS)


def test_ids_are_compared_without_padding_zeros(door: Door) -> None:
    door.allow(devices_in("13912345678\neseal 77", FORMATS))
    assert door.admits("jt808", "013912345678", Line())
    assert not door.admits("jt808", "77", Line())
    assert not door.admits("jt808", None, Line())


def test_a_device_whose_certificate_is_named_comes_by_that_alone(door: Door) -> None:
    """Whoever knows its id, and holds another device's certificate or none, is refused; a terminator may speak for several."""
    door.allow(
        devices_in(
            "jt808 12 cert=lock-12\njt808 12 cert=spare\n13 cert=terminator\n14\n15 cert=a\njt808 15", FORMATS
        )
    )
    own, spare, relay, none = (
        Line(certified=frozenset(n)) for n in ({"lock-12"}, {"spare", "x"}, {"terminator"}, ())
    )
    assert [door.admits("jt808", "012", line) for line in (own, spare, relay, none)] == [
        True,
        True,
        False,
        False,
    ]
    assert [door.admits("eseal", "13", line) for line in (relay, own)] == [True, False]
    assert [door.admits("jt808", "14", line) for line in (own, none)] == [True, True]
    assert not door.admits("jt808", "15", none), "the stricter line holds"
    assert not door.admits("eseal", "12", own)


def test_a_certificate_has_its_common_name_and_its_names_of_hosts() -> None:
    """As ``ssl`` gives them; no certificate, or none that was asked for, has none."""
    shown = {
        "subject": ((("organizationName", "customs"),), (("commonName", "lock-12"),)),
        "subjectAltName": (("DNS", "l12.port"), ("IP Address", "10.0.0.1")),
    }
    assert names_in(shown) == {"lock-12", "l12.port"}
    assert names_in(None) == names_in({}) == frozenset()


def test_without_a_list_everybody_may_come(door: Door) -> None:
    assert door.admits("jt808", None, Line())
    assert not door.asks


def test_a_device_is_heard_by_its_newest_connection(door: Door) -> None:
    """Protocols are kept apart; one that speaks for several loses them one by one."""
    old, relay, new = Line(), Line(), Line()
    door.admits("jt808", "12", old)
    door.admits("eseal", "12", relay)
    door.admits("jt808", "0012", relay)
    assert (old.is_stopped, list(relay.devices)) == (True, [("eseal", "12"), ("jt808", "12")])
    door.admits("jt808", "12", new)
    assert not relay.is_stopped
    door.leave(new)
    door.admits("jt808", "12", relay)
    assert list(relay.devices) == [("eseal", "12"), ("jt808", "12")]


def test_what_a_connection_speaks_for_is_bounded(door: Door) -> None:
    line = Line()
    for number in range(DEVICES_HELD + 5):
        door.admits("jt808", f"1{number}", line)
    assert len(line.devices) == DEVICES_HELD
    again = Line()
    door.admits("jt808", "10", again)
    assert len(line.devices) == DEVICES_HELD, "it had been let go before"


def test_the_log_is_told_of_a_device_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    """Of whoever tries one id after another not without end."""
    clock, counts = Clock(), Counter[str]()
    door = Door(counts, clock)
    door.allow(devices_in("1", FORMATS))
    for number in range(2 * MAX_TOLD):
        door.admits("jt808", f"9{number}", Line())
        door.admits("jt808", f"9{number}", Line())
    assert capsys.readouterr().out.count("gateway.refused_device") == MAX_TOLD
    clock.now_s = TELL_AGAIN_S
    door.admits("jt808", "90", Line("192.0.2.9"))
    assert "192.0.2.9" in capsys.readouterr().out
    assert counts["refused_device"] == 4 * MAX_TOLD + 1


def test_a_list_that_has_changed_is_read_again(tmp_path: Path) -> None:
    """One that is wrong, or gone, leaves the last good one in force."""
    file = tmp_path / "devices.txt"
    file.write_text("12\n")
    found = DeviceList(file)
    assert not found.changed()
    for time_s, text, changed in ((1, "12\n13\n", True), (2, "# none\n", False), (3, "13\n", True)):
        file.write_text(text)
        os.utime(file, (time_s, time_s))
        assert found.changed() == changed
    file.unlink()
    assert not found.changed()
    assert found.devices == {(None, "13"): frozenset()}
    with pytest.raises(ConfigError, match="No such file"):
        DeviceList(file)
