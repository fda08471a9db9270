"""The chain binds every entry; whatever is changed, moved or removed is found at the first link that does not fit."""

from __future__ import annotations

import random
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from seal_tracker.ledger.chain import GENESIS, Head, Link, LinkError, link_after, pack, unpack
from seal_tracker.ledger.checkpoints import (
    CheckpointError,
    public_bytes,
    read_checkpoint,
    sign,
    sign_checkpoint,
)
from seal_tracker.ledger.folding import Fold, Row
from seal_tracker.ledger.keys import KeyFileError, load_or_make_key, public_pem, read_public_key
from seal_tracker.ledger.verification import ChainCheck, Mark, read_marks

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
LEDGER = "/seal-tracker/demo"
NOW_MS = 1_790_000_000_000


def chain_of(links: list[list[bytes]]) -> list[Link]:
    """A chain whose links hold these entries, a second apart."""
    chain: list[Link] = []
    head = Head(0, GENESIS)
    for second, entries in enumerate(links):
        chain.append(link_after(head, NOW_MS + 1000 * second, entries))
        head = Head(chain[-1].number, chain[-1].hash)
    return chain


def mark_at(link: Link, *, held: bool = True, key: Ed25519PrivateKey = KEY) -> Mark:
    signed = sign_checkpoint(key, LEDGER, Head(link.number, link.hash), link.recorded_ms + 10)
    return Mark(read_checkpoint(signed.jws), held)


def checked(chain: list[Link], *marks: Mark, page: int = 7) -> ChainCheck:
    check = ChainCheck(marks)
    for start in range(0, len(chain), page):
        check.take(chain[start : start + page])
    check.end()
    return check


TEN = chain_of(
    [[b'{"n":%d,"e":%d,"pad":"%s"}' % (n, e, b"x" * 1500) for e in range(n % 3 + 1)] for n in range(10)]
)
"""Links of one entry, which is kept as it is, and of two and three, which are deflated."""


def test_a_whole_chain_is_whole_and_says_what_checkpoints_cover() -> None:
    """Links, entries, times, and the tail that nobody signed yet."""
    check = checked(TEN, mark_at(TEN[3]), mark_at(TEN[6], held=False))
    assert check.broken is None
    assert (check.links, check.entries) == (10, sum(n % 3 + 1 for n in range(10)))
    assert (check.held_to, check.signed_to) == (4, 7)
    assert (check.first_ms, check.last_ms, check.unsigned_since_ms) == (
        NOW_MS,
        NOW_MS + 9000,
        NOW_MS + 7000,
    )
    assert checked([]).broken is None


CHANGES: dict[str, tuple[Callable[[list[Link]], None], int, str]] = {
    "an entry": (
        lambda chain: chain.__setitem__(4, chain[4]._replace(body=pack([b'{"n":4,"e":9}']))),
        5,
        "its entries are not those",
    ),
    "an entry and what stands for it": (
        lambda chain: chain.__setitem__(
            4,
            chain[4]._replace(
                body=pack([b"{}"]), entries_hash=link_after(Head(0, GENESIS), 0, [b"{}"]).entries_hash
            ),
        ),
        5,
        "its hash is not that of its content",
    ),
    "a whole link": (
        lambda chain: chain.__setitem__(4, link_after(Head(4, chain[3].hash), NOW_MS, [b"{}"])),
        6,
        "does not follow link 5",
    ),
    "when it was recorded": (
        lambda chain: chain.__setitem__(4, chain[4]._replace(recorded_ms=NOW_MS)),
        5,
        "its hash is not that of its content recorded at 2026-",
    ),
    "two links changed places": (
        lambda chain: chain.__setitem__(
            slice(4, 6), [chain[5]._replace(number=5), chain[4]._replace(number=6)]
        ),
        5,
        "does not follow link 4",
    ),
    "one removed": (lambda chain: chain.__delitem__(4), 5, "missing: link 6 comes after link 4"),
    "the first removed": (lambda chain: chain.__delitem__(0), 1, "missing: link 2 comes after link 0"),
    "a body that is none": (
        lambda chain: chain.__setitem__(4, chain[4]._replace(body=b"scribble")),
        5,
        "cannot be unpacked",
    ),
    "a body cut short": (
        lambda chain: chain.__setitem__(4, chain[4]._replace(body=chain[4].body[:-4])),
        5,
        "cut short",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_was_changed_without_making_the_chain_anew_needs_no_checkpoint(name: str) -> None:
    """The first link that does not fit is named, and what does not fit about it."""
    change, number, what = CHANGES[name]
    chain = list(TEN)
    change(chain)
    check = checked(chain)
    assert check.broken is not None
    assert check.broken.number == number
    assert what in check.broken.what


def test_entries_come_out_of_a_body_as_they_went_in() -> None:
    """Few as they are, many deflated to a fraction; what is neither is refused."""
    few, many = [b'{"a":1}', b'{"b":2}'], [b'{"n":%d}' % n for n in range(1000)]
    assert pack(few) == b'{"a":1}\n{"b":2}'
    assert len(pack(many)) < 4000
    assert (unpack(pack(few)), unpack(pack(many))) == (few, many)
    for wrong in (b"", b"scribble", pack(many)[:-1], pack(many) + b"x"):
        with pytest.raises(LinkError):
            unpack(wrong)


def test_a_chain_made_anew_is_found_by_any_checkpoint_after_the_change() -> None:
    """It fits in itself; the signed link is another."""
    anew = chain_of([unpack(link.body) if link.number != 5 else [b'{"forged":1}'] for link in TEN])
    assert checked(anew).broken is None
    check = checked(anew, mark_at(TEN[2]), mark_at(TEN[7]))
    assert check.broken is not None
    assert check.broken.number == 8
    assert "what follows link 3 was made anew" in check.broken.what
    assert (
        checked(anew, mark_at(TEN[2])).broken is None
    )  # what comes after the last checkpoint is not covered
    assert checked(anew, mark_at(TEN[2])).held_to == 3


def test_a_tail_cut_off_is_found_by_a_checkpoint_held_elsewhere() -> None:
    """The chain fits in itself and ends too early."""
    assert checked(TEN[:6]).broken is None
    check = checked(TEN[:6], mark_at(TEN[8]))
    assert check.broken is not None
    assert check.broken.number == 7
    assert "missing: the chain ends at 6" in check.broken.what
    assert "signed link 9" in check.broken.what


@given(
    st.lists(st.lists(st.binary(max_size=40), min_size=1, max_size=4), min_size=1, max_size=6), st.randoms()
)
def test_no_bit_of_a_link_can_be_turned_unseen(links: list[list[bytes]], chance: random.Random) -> None:
    """Of any field of any link, given a checkpoint of the last one."""
    chain = chain_of([[b"{" + e.replace(b"\n", b" ") + b"}" for e in entries] for entries in links])
    last = mark_at(chain[-1])
    assert checked(chain, last).broken is None
    at, field = chance.randrange(len(chain)), chance.choice(Link._fields)
    value = getattr(chain[at], field)
    if isinstance(value, int):
        turned = value ^ 1
    else:
        i = chance.randrange(len(value))
        turned = value[:i] + bytes([value[i] ^ 1 << chance.randrange(8)]) + value[i + 1 :]
    chain[at] = chain[at]._replace(**{field: turned})
    same_entries = field == "body" and _unpacked(chain[at]) == _unpacked(chain[at]._replace(body=value))
    assert same_entries or checked(chain, last).broken is not None


def _unpacked(link: Link) -> list[bytes] | None:
    try:
        return unpack(link.body)
    except LinkError:
        return None


def test_a_checkpoint_says_what_was_signed_and_by_which_key() -> None:
    """One line of text that proves itself."""
    signed = sign_checkpoint(KEY, LEDGER, Head(7, bytes(31) + b"\1"), NOW_MS)
    assert "\n" not in signed.jws
    found = read_checkpoint(signed.jws + "\n")
    assert found == (LEDGER, 7, bytes(31) + b"\1", "2026-09-21T14:13:20.000Z", public_bytes(KEY))


@pytest.mark.parametrize("older", [0, 2])
def test_only_what_is_older_than_the_ledger_may_be_untold_and_is_counted(older: int) -> None:
    """Alarms, only where the log has events of before it; journeys never; of a hand-over that was told without its content, that it is there."""
    faults: list[str] = []
    fold = Fold(faults.append)
    said = b'{"action":"hand_over.handed","time":"","actor":"a","role":"r","subject":"hand_over/1","journey":null,"unit":null,"body":{}}'
    fold.take(1, NOW_MS, [(said, None)])
    fold.older(older)
    fold.check_alarms([Row("alarm/1", "x", 0)])
    fold.check_states([Row("hand_over/1", "x", 0), Row("journey/J-1", "x", 0)])
    fold.check_plans([Row("plan/1", "x", 1)])
    fold.check_missing()
    untold = "is in its table, and nothing recorded it"
    assert faults == (
        [f"journey/J-1: {untold}"] if older else [f"alarm/1: {untold}", f"journey/J-1: {untold}"]
    )
    of_before = {"events of before the ledger": older, "alarms of before the ledger": 1} if older else {}
    assert fold.uncovered == {
        **of_before,
        "hand_overs whose content no link says yet": 1,
        "plans of before the ledger": 1,
    }


def test_a_checkpoint_that_was_tampered_with_is_refused() -> None:
    """Each part of it, by name of what is wrong."""
    jws = sign_checkpoint(KEY, LEDGER, Head(7, bytes(32)), NOW_MS).jws
    other = sign_checkpoint(KEY, LEDGER, Head(8, bytes(32)), NOW_MS).jws
    head, payload, signature = jws.split(".")
    for wrong, why in (
        (".".join([head, other.split(".")[1], signature]), "the signature does not hold"),
        (".".join([head, payload, other.split(".")[2]]), "the signature does not hold"),
        (f"{head}.{payload}", "three words"),
        ("", "three words"),
        ("a.b.c", "not a checkpoint"),
        ("ä.b.c", "not a checkpoint"),
        (
            sign(KEY, "something else", {"ledger": "", "number": 1, "hash": "00" * 32, "time": ""}),
            "something",
        ),
        (sign(KEY, "seal-tracker.ledger.checkpoint+jws", {"number": "one"}), "not a checkpoint"),
    ):
        with pytest.raises(CheckpointError, match=why):
            read_checkpoint(wrong)


def test_checkpoints_of_another_key_are_no_proof() -> None:
    """Whoever made the chain anew can sign it anew, but not by the same key."""
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(32))
    lines = [
        ("line 1", sign_checkpoint(KEY, LEDGER, Head(1, bytes(32)), 0).jws),
        ("line 2", sign_checkpoint(stranger, LEDGER, Head(2, bytes(32)), 0).jws),
        ("line 3", "scribble"),
    ]
    marks, faults = read_marks(lines, held=True, trusted=[public_bytes(KEY)])
    assert [mark.checkpoint.number for mark in marks] == [1]
    assert [fault.partition(":")[0] for fault in faults] == ["line 2", "line 3"]
    assert len(read_marks(lines, held=True)[0]) == 2


def test_a_key_is_made_once_and_read_by_its_owner_alone(tmp_path: Path) -> None:
    """The same key at every start."""
    path = tmp_path / "ledger.key"
    made = load_or_make_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert public_bytes(load_or_make_key(path)) == public_bytes(made) == read_public_key(path)
    public = tmp_path / "public.pem"
    public.write_text(public_pem(public_bytes(made)))
    assert read_public_key(public) == public_bytes(made)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["ledger.key", "public.pem"]


def test_a_key_file_that_holds_no_such_key_is_refused_by_name(tmp_path: Path) -> None:
    """Nothing is overwritten."""
    for name, content in (("text", b"hello"), ("cut.pem", b"-----BEGIN PRIVATE KEY-----\nMC4=\n")):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(KeyFileError, match=name):
            load_or_make_key(path)
        with pytest.raises(KeyFileError, match=name):
            read_public_key(path)
        assert path.read_bytes() == content
    with pytest.raises(KeyFileError, match="neither read nor made: No such file"):
        load_or_make_key(tmp_path / "nowhere" / "ledger.key")
