"""Special situations: which step follows which, what the ledger is told of them, and that the document says the same."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from seal_tracker.config import load_settings
from seal_tracker.ledger.entries import is_restricted, states_entry
from seal_tracker.model import iso_ms
from seal_tracker.situations.kinds import DEFAULT_KINDS
from seal_tracker.situations.states import (
    MOST_FOLLOW_UPS,
    Situation,
    Verb,
    action_of,
    change_of,
    closed,
    corrected,
    followed_up,
    reopened,
)
from seal_tracker.store.ledger_rows import action_entry
from seal_tracker.supervision.errors import WrongState
from seal_tracker.supervision.journey_changes import Actor
from seal_tracker.web.situations import ROUTES

NOW = 1_795_316_400_000
AN, BINH = Actor("an", "operator"), Actor("binh", "supervisor")
ID = "6f1c2a34-9b1d-4c57-8a52-0d4be9a1c001"
DOCUMENT = (Path(__file__).parents[2] / "docs" / "situations.md").read_text()


def situation(**changes: Any) -> Situation:
    fields: dict[str, Any] = {
        "id": ID, "kind": "complaint", "severity": "high", "unit": "u1", "restricted": False, "occurred_at": iso_ms(NOW),
        "narrative": "Xe chờ quá lâu", "journeys": ("J-1",), "registered_by": "an", "registered_at": iso_ms(NOW),
        "changed_by": "an", "changed_at": iso_ms(NOW),
    }  # fmt: skip
    return Situation(**fields | changes)


def test_each_step_is_a_version_that_keeps_what_was_said() -> None:
    """Who took it and when; a reason stands with the version that it is of."""
    told = followed_up(situation(), "đã gọi", BINH, NOW + 1)
    said = corrected(told, {"severity": "low"}, "nhầm", AN, NOW + 2)
    over = closed(said, "đã xin lỗi", BINH, NOW + 3)
    again = reopened(over, "chưa xong", AN, NOW + 4)
    assert [one.version for one in (told, said, over, again)] == [2, 3, 4, 5]
    assert [(f.by, f.text) for f in again.follow_ups] == [("binh", "đã gọi")]
    assert (said.reason, over.reason, over.outcome, over.closed_at) == (
        "nhầm",
        None,
        "đã xin lỗi",
        iso_ms(NOW + 3),
    )
    assert (again.state, again.outcome, again.closed_at, again.reason) == ("open", None, None, "chưa xong")
    assert (again.narrative, again.severity, again.registered_by) == ("Xe chờ quá lâu", "low", "an")


def test_what_is_closed_is_neither_closed_again_nor_added_to() -> None:
    """It may be corrected and reopened; what is open is not reopened; and one has so many follow-ups at most."""
    over = closed(situation(), "xong", AN, NOW)
    corrected(over, {"narrative": "khác"}, "nhầm", AN, NOW)
    for step in (lambda: closed(over, "x", AN, NOW), lambda: followed_up(over, "x", AN, NOW)):
        with pytest.raises(WrongState, match="closed"):
            step()
    with pytest.raises(WrongState, match="open"):
        reopened(situation(), "x", AN, NOW)
    full = situation()
    for n in range(MOST_FOLLOW_UPS):
        full = followed_up(full, str(n), AN, NOW)
    with pytest.raises(WrongState, match="200 follow-ups"):
        followed_up(full, "x", AN, NOW)


def test_the_ledger_is_told_all_of_a_situation_but_of_a_restricted_one_a_salted_hash() -> None:
    """Neither narrative, kind, unit nor journey; another salt is another hash, so no guess can be tried."""
    open_ = action_of(change_of(situation(), "registered", AN, None))
    assert (open_.subject, open_.unit, msgspec.json.decode(open_.body)["narrative"]) == (
        f"situation/{ID}", "u1", "Xe chờ quá lâu",
    )  # fmt: skip
    secret = situation(kind="misconduct", restricted=True)
    one, other = (action_of(change_of(secret, "registered", AN, salt)) for salt in ("a", "b"))
    assert (one.subject, one.unit, one.journey) == (f"restricted/{ID}", None, None)
    assert set(msgspec.json.decode(one.body)) == {"version", "sha256"}
    assert one.body != other.body
    assert [is_restricted(action_entry(a)) for a in (open_, one)] == [False, True]
    assert [is_restricted(states_entry({name: "x"})) for name in (open_.subject, one.subject)] == [
        False,
        True,
    ]


def test_the_document_names_the_kinds_steps_and_routes_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And its settings are taken as they stand."""
    rows = re.findall(r"^\| `(\w+)` \| (.+) \| (.+) \| (yes|no) \|$", DOCUMENT, re.MULTILINE)
    assert {name: (vi, en, restricted == "yes") for name, vi, en, restricted in rows} == {
        name: (kind.vi, kind.en, kind.restricted) for name, kind in DEFAULT_KINDS.items()
    }
    assert set(re.findall(r"^\| `((?:GET|POST) [^`]+)` \|", DOCUMENT, re.MULTILINE)) == {
        f"{route.method} {route.path}" for route in ROUTES
    }
    assert all(f"`{verb}`" in DOCUMENT for verb in Verb.__args__)  # type: ignore[attr-defined]
    text = re.search(r"<!-- kinds -->\n```toml\n(.*?)```", DOCUMENT, re.DOTALL)
    assert text is not None
    (tmp_path / "settings.toml").write_text(text[1])
    monkeypatch.setenv("SEAL_TRACKER_CONFIG", str(tmp_path / "settings.toml"))
    kinds = load_settings().kinds
    assert set(kinds) == set(tomllib.loads(text[1])["situation_kinds"])
    assert kinds["misconduct"].restricted
    assert not kinds["strike"].restricted
