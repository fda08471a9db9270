"""Which episodes a driver's comment is about: one that it names, or those of its journey at its time."""

from __future__ import annotations

import json

import pytest
from story import Ground, iso, one, ping, told

from seal_tracker.comments import Comment, concerning
from seal_tracker.ledger.versions import Deed, deed_in

STOP_S = 3600
"""From where the truck of the story stands, until it has driven on an hour later."""


def comment(at_s: float, journey: str = "J-S1", episode: str | None = None) -> Comment:
    return Comment(
        id="C", journey=journey, kind="stop_reason", text="nghỉ", at=iso(at_s), recorded_at=iso(at_s), by="op", role="operator",
        episode=episode,
    )  # fmt: skip


@pytest.fixture(scope="module")
def stop():
    standing = [ping(STOP_S + s, 0) for s in range(0, 3601, 300)]
    return one(told(Ground().journey(), [*standing, ping(7500, 900), ping(7560, 1800)]), "STOP_UNPLANNED")


@pytest.mark.parametrize(
    ("at_s", "is_about"),
    [
        (STOP_S - 901, False),
        (STOP_S - 900, True),
        (STOP_S + 60, True),
        (7500 + 1800, True),
        (7500 + 1801, False),
    ],
)
def test_a_comment_is_about_what_was_then(stop, at_s, is_about):
    """From a quarter of an hour before it began to half an hour after it ended."""
    assert (concerning(stop, [comment(at_s)]) != []) is is_about
    assert not concerning(stop, [comment(at_s, journey="J-2")])


def test_a_comment_that_names_an_episode_is_about_that_alone(stop):
    assert concerning(stop, [comment(0, episode=str(stop.episode))])
    assert not concerning(stop, [comment(STOP_S + 60, episode="another")])


def test_the_ledger_takes_a_comment_for_no_version_of_the_journey():
    """Its entry tells of the journey, and of no row that must be there."""
    body = {
        "action": "comment.added",
        "time": iso(0),
        "actor": "op",
        "role": "operator",
        "subject": "comment/J-1",
        "journey": "J-1",
    }
    entry = json.dumps(
        body | {"unit": None, "body": {"id": "C", "text": "nghỉ"}}, separators=(",", ":")
    ).encode()
    assert deed_in(entry) == Deed("J-1")
