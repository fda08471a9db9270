"""A draw can be recomputed by anybody, and nobody could know it before."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from seal_tracker.cli import cli
from seal_tracker.risk.draw import (
    LEVELS,
    Quota,
    Subject,
    commitment_of,
    drawn_of,
    frame_of,
    frame_subjects,
    new_secret,
    number_of,
    seed_of,
    verified,
)
from seal_tracker.risk.errors import DrawError
from seal_tracker.risk.hits import Inspected, hit_rate, worths_of

DOCUMENT = Path(__file__).parents[2] / "docs" / "risk.md"
QUOTAS = {"high": Quota(50, 1), "medium": Quota(10, 2), "low": Quota(1)}
FRAME = [Subject(f"J-{i:03}", LEVELS[i % 3], i) for i in range(100)]

ids = st.text("abcXYZ019_.:-", min_size=1, max_size=64)
subjects = st.lists(
    st.builds(Subject, ids, st.sampled_from(LEVELS), st.integers(0, 500)), unique_by=lambda one: one.id
)


def told(secret: str = "s" * 64, public: str = "48213") -> dict[str, Any]:
    """A draw as the API tells it."""
    frame = frame_of(FRAME)
    seed = seed_of(secret, public, frame)
    drawn = [
        {"id": d.id, "level": d.level, "score": d.score, "ticket": d.ticket, "drawn": d.drawn, "of": d.of}
        for d in drawn_of(seed, FRAME, QUOTAS)
    ]
    quotas = {level: {"share_pct": q.share_pct, "least": q.least} for level, q in QUOTAS.items()}
    return {
        "state": "drawn", "commitment": commitment_of(secret), "secret": secret, "public": public, "frame": frame,
        "frame_hash": commitment_of(frame), "seed": seed, "quotas": quotas, "drawn": drawn, "reason": "week 49",
    }  # fmt: skip


def test_of_each_level_its_quota_is_drawn() -> None:
    """A share rounded up, at least so many, and never more than there are."""
    assert [number_of(QUOTAS["high"], n) for n in (0, 1, 3, 34)] == [0, 1, 2, 17]
    assert [number_of(QUOTAS["medium"], n) for n in (1, 5, 21)] == [1, 2, 3]
    drawn = told()["drawn"]
    assert Counter(one["level"] for one in drawn) == {"high": 17, "medium": 4, "low": 1}
    assert {one["id"] for one in drawn} <= {one.id for one in FRAME}


@given(subjects, st.randoms())
def test_the_draw_depends_on_who_may_be_drawn_and_on_no_order(all_: list[Subject], random: Any) -> None:
    """The frame is the same text for the same subjects, and says them all."""
    mixed = random.sample(all_, len(all_))
    assert frame_of(mixed) == frame_of(all_)
    assert sorted(frame_subjects(frame_of(mixed))) == sorted(all_)
    seed = seed_of("s", "", frame_of(all_))
    assert drawn_of(seed, mixed, QUOTAS) == drawn_of(seed, all_, QUOTAS)


def test_everybody_of_a_level_is_as_likely() -> None:
    """Over 3,000 secrets; 10 of 50 each time, so 600 times each, give or take 4.5 standard deviations of 22."""
    frame = [Subject(f"J-{i}", "high", 60) for i in range(50)]
    text = frame_of(frame)
    counts = Counter(
        one.id for n in range(3000) for one in drawn_of(seed_of(str(n), "", text), frame, {"high": Quota(20)})
    )
    assert len(counts) == 50
    assert all(500 < count < 700 for count in counts.values())
    assert len({new_secret() for _ in range(100)}) == 100


def test_a_draw_that_was_told_holds() -> None:
    """What the API says of more than is recomputed is no hindrance."""
    assert [one.id for one in verified(json.dumps(told()).encode()).drawn] == [
        one["id"] for one in told()["drawn"]
    ]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"secret": "t" * 64}, "commitment"),
        ({"public": "48214"}, "seed"),
        ({"frame": frame_of(FRAME[:-1])}, "frame_hash"),
        ({"drawn": told()["drawn"][1:]}, "drawn"),
        ({"quotas": {"high": {"share_pct": 100, "least": 0}}}, "drawn"),
        ({"frame": frame_of(FRAME)[:-1]}, "frame"),
        ({"frame": "J 1\thigh\t1\n"}, "frame, line 1"),
        ({"frame": "b\thigh\t1\na\thigh\t1\n"}, "frame, line 2"),
        ({"state": "committed"}, "no draw that was made"),
    ],
)
def test_a_draw_that_was_bent_is_found_out(change: dict[str, Any], named: str) -> None:
    """The first part that does not follow is named."""
    with pytest.raises(DrawError, match=named):
        verified(json.dumps(told() | change).encode())


def test_the_command_and_the_note_agree(tmp_path: Path) -> None:
    """The fifteen lines of the note draw the same as the service, and `draw verify` says that it holds."""
    file = tmp_path / "draw.json"
    file.write_text(json.dumps(told()))
    (program,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", program, str(file)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[:-1] == [f"{one['level']} {one['id']}" for one in told()["drawn"]]
    noted = commitment_of("s" * 64)
    held = CliRunner().invoke(cli, ["draw", "verify", str(file), "--commitment", noted])
    assert (held.exit_code, held.output.split(":")[0]) == (0, "holds")
    other = CliRunner().invoke(cli, ["draw", "verify", str(file), "--commitment", "0" * 64, "--json"])
    assert (other.exit_code, json.loads(other.output)["holds"]) == (1, False)


def test_hit_rates_are_bounded_as_wilson_says() -> None:
    """Against values of the literature: 1 of 10 is 1.8 % to 40.4 %; of none nothing is said."""
    one = hit_rate([Inspected("low", frozenset(), i == 0) for i in range(10)])
    assert one.low is not None
    assert one.high is not None
    assert (one.inspected, one.found, round(one.low, 4), round(one.high, 4)) == (10, 1, 0.0179, 0.4042)
    assert hit_rate([]).rate is None


def test_an_indicator_is_worth_what_is_found_where_it_holds() -> None:
    """And a drawn one stands for those of its level that were not."""
    made = [
        Inspected("high", frozenset({"night"}), found=True, stands_for=1.0),
        Inspected("high", frozenset({"night"}), found=False, stands_for=1.0),
        Inspected("low", frozenset(), found=False, stands_for=50.0),
        Inspected("low", frozenset({"gaps"}), found=True, stands_for=50.0),
    ]
    indicators, levels = worths_of(made)
    night = next(one for one in indicators if one.name == "night")
    assert (night.where.rate, night.elsewhere.rate) == (0.5, 0.5)
    assert hit_rate(made).weighted == pytest.approx(51 / 102)
    low = next(one for one in levels if one.name == "low")
    assert (low.where.inspected, low.elsewhere.inspected) == (2, 2)
