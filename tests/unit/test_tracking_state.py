"""What is remembered of a seal: as bytes and back, blank where nothing is known, never shared with who asked."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from story import Core, Ground, Ping, batch, drive, moment_by_moment, one, ping, span

from seal_tracker.judge import judge, judge_now
from seal_tracker.model import NO_TIME
from seal_tracker.rules.streams import STREAM
from seal_tracker.tracking.state import ROW, SealState, SealStates, StateFormatError, blank_rows


def ground() -> Ground:
    """A plan whose state holds something of every kind."""
    made = Ground().route("R", (0, 0), (60_000, 0), checkpoints=[{"zone": "C"}])
    made.zone("C", 500, 0, 200, "checkpoint").zone("I", 12_000, 0, 1500, "interest")
    return made.journey(route="R").journey("S2", route="R")


def story() -> list[Ping]:
    """A drive with a cut lock, an empty battery, a fix that is held at the end."""
    return [*drive(0, 870, 30), ping(900, 13_500, lock="cut", battery_pct=5), ping(905, 90_000)]


def judged(pings: list[Ping]) -> Core:
    core = Core(ground().plan())
    core.tell(pings)
    return core


def test_a_state_survives_being_bytes() -> None:
    """Dumped, loaded and judged on from, it tells what the state itself would have told."""
    rest = [ping(930, 13_900, 900, battery_pct=4), ping(990, 14_400, 900), ping(1050, 15_000, 900)]
    straight = judged(story())
    restored = judged(story())
    for seal in restored.states.seals().tolist():
        restored.states.install(seal, SealState.load(restored.states.one(seal).dump()))
    assert straight.tell(rest) == restored.tell(rest)
    assert len(straight.episodes) >= 4
    assert straight.states.one(1).dump() == restored.states.one(1).dump()


def test_equal_states_are_equal_bytes_however_the_pings_were_cut() -> None:
    """One batch or ping by ping: what is remembered is the same to the byte."""
    whole, cut = judged(story()), Core(ground().plan())
    for part in moment_by_moment(batch(story(), cut.numbers)):
        cut.feed(part)
    assert whole.states.one(1).dump() == cut.states.one(1).dump()


def test_several_states_are_those_of_each() -> None:
    """Taken and installed together, with one that is not known among them; and copies, as one is."""
    core, other = judged([*story(), *(p | {"of": "S2"} for p in story()[:20])]), SealStates()
    several = core.states.several([2, 1, 77])
    assert [several[n].dump() for n in (1, 2, 77)] == [core.states.one(n).dump() for n in (1, 2, 77)]
    other.install_all(several)
    other.install_all({})
    assert [other.one(n).dump() for n in (1, 2, 77)] == [core.states.one(n).dump() for n in (1, 2, 77)]
    several[1].row["track"]["n"] += 1
    assert several[1].same(core.states.one(1))
    several[1].row["track"]["last_ms"] += 1
    assert not several[1].same(core.states.one(1))
    assert other.one(1).same(core.states.one(1))


def test_dumping_changes_nothing() -> None:
    """A checkpoint is a copy."""
    core = judged(story())
    first = core.states.one(1).dump()
    assert core.states.one(1).dump() == first
    loaded = SealState.load(first)
    loaded.row["track"]["n"] += 1
    assert core.states.one(1).dump() == first


def test_a_checkpoint_of_another_layout_is_refused() -> None:
    """Then the seal is judged again from its beginning; nothing is guessed."""
    layout, *rest = msgspec.msgpack.decode(judged(story()).states.one(1).dump())
    for data in (msgspec.msgpack.encode(["x" + layout, *rest]), b"", b"\xc1", msgspec.msgpack.encode({})):
        with pytest.raises(StateFormatError):
            SealState.load(data)


def test_an_unknown_seal_is_blank() -> None:
    """It has said nothing: no time, no place, no journey."""
    states = SealStates()
    assert len(states) == 0
    rows, blank = states.take(np.array([7, 8])), blank_rows(2)
    assert all(rows[name].tobytes() == blank[name].tobytes() for name in ROW.names)
    found = states.one(7)
    assert (found.row["track"]["through_ms"][0], len(found.streams), found.open) == (NO_TIME, 0, {})
    assert 7 not in states


def test_what_is_taken_is_a_copy() -> None:
    """Writing to rows that were taken changes no state until they are put."""
    core = judged(story())
    before = core.states.one(1).dump()
    rows = core.states.take(np.array([1]))
    rows["track"]["n"] = 99
    rows["SEAL_TAMPER"]["open"] = False
    core.states.one(1).open.clear()
    assert core.states.one(1).dump() == before


def test_judging_changes_no_state_before_it_is_installed() -> None:
    """A verdict that is thrown away has never been: the shell may judge, fail to commit, and judge again."""
    core = judged(story())
    before, episodes = core.states.one(1).dump(), dict(core.states.open[1])
    rest = batch([ping(930, 14_000, 2000), ping(1000, 15_000, 2000, lock="closed")], core.numbers)
    judge(core.states, rest, core.facts())
    judge_now(core.states, core.facts(10**14))
    assert core.states.one(1).dump() == before
    assert core.states.open[1] == episodes


def test_a_forgotten_seal_begins_anew() -> None:
    """On any doubt the shell forgets and loads again; the others stay."""
    core = judged([*story(), *(p | {"of": "S2"} for p in story())])
    kept = core.states.one(2).dump()
    core.states.forget([1, 99])
    assert core.states.one(1).dump() == SealStates().one(1).dump()
    assert core.states.one(2).dump() == kept


def test_states_grow_and_keep_their_order() -> None:
    """Thousands of seals, met in any order, each with its own row."""
    states, rng = SealStates(), np.random.default_rng(1)
    numbers = rng.permutation(3000)
    for part in np.array_split(numbers, 7):
        rows = blank_rows(len(part))
        rows["track"]["n"] = part + 1
        states.put(part, rows, np.zeros(0, STREAM), {})
    assert len(states) == 3000
    assert states.seals().tolist() == numbers.tolist()
    asked = rng.permutation(3100)
    assert states.take(asked)["track"]["n"].tolist() == [s + 1 if s < 3000 else 0 for s in asked.tolist()]
    assert states.all_rows()["track"]["n"].tolist() == (numbers + 1).tolist()


def test_a_seal_is_less_than_a_kilobyte() -> None:
    """All rules' columns, the tables that find them (32 bytes), and two watched zones."""
    assert ROW.itemsize + 32 + 2 * (STREAM.itemsize + 8) <= 1024
    assert len(judged(story()).states.one(1).dump()) < 8000


def test_what_is_closed_is_not_remembered() -> None:
    """Open episodes and running watches only: a seal that is home leaves no trace of its way."""
    made = ground()
    made.journeys[0]["disarmed_at"] = ping(2000)["time"]
    core = Core(made.plan())
    found = core.tell([*story()[:-1], ping(990, 14_000)], 2500)
    assert span(one(found, "ZONE_ENTERED")) == (720, 750, 2000, 2000)
    assert set(core.states.open.get(1, {})) <= {("BATTERY_LOW", None)}
    assert len(core.states.one(1).streams) == 0


def test_an_episode_that_came_and_went_in_one_batch_leaves_what_two_batches_leave() -> None:
    """A deviation raised and cleared: nothing of its peak stays behind, however it was cut."""
    pings = [ping(0, 0), *(ping(s, 15 * s, 900) for s in (30, 60, 90, 120)), ping(180, 2700), ping(210, 3100)]
    whole, cut = judged(pings), Core(ground().plan())
    for part in moment_by_moment(batch(pings, cut.numbers)):
        cut.feed(part)
    assert span(one(whole.episodes.values(), "ROUTE_DEVIATION"))[2:] == (180, 210)
    assert whole.states.one(1).dump() == cut.states.one(1).dump()
