"""A bundle proves a journey's entries to whoever has Python and one package, and shows nothing of other journeys."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seal_tracker.ledger.bundle import Run, make_bundle, runs_to_checkpoints, verifier
from seal_tracker.ledger.chain import GENESIS, Head, Link, link_after
from seal_tracker.ledger.checkpoints import public_bytes, sign, sign_checkpoint
from seal_tracker.ledger.entries import About, Index, about, index_entry, sequence_of
from seal_tracker.ledger.keys import public_pem

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NOW_MS = 1_790_000_000_000
OURS, OTHERS = "J-ours", "J-others"


def event(journey: str, number: int) -> bytes:
    return json.dumps(
        {"type": "vn.eseal.ROUTE_DEVIATION.raised", "time": "2026-11-22T03:00:00.000Z", "subject": f"journey/{journey}",
         "data": {"type": "Feature", "properties": {"journey": journey, "unit": "HP", "place": f"Cảng {number}"}}},
        ensure_ascii=False,
    ).encode()  # fmt: skip


def action(journey: str, kind: str = "alarm.close") -> bytes:
    return json.dumps(
        {
            "action": kind,
            "time": "2026-11-22T04:00:00.000Z",
            "actor": "lan",
            "subject": "alarm/1",
            "journey": journey,
        }
    ).encode()


def chain(indexed_from: int = 1) -> list[Link]:
    """Twelve links; ours are in the 3rd (with another's), the 4th and the 10th, which is the export.

    Links before ``indexed_from`` are an earlier release's, which kept no index.
    """
    links: list[Link] = []
    head, last = Head(0, GENESIS), {OURS: 0, OTHERS: 0}
    for number in range(1, 13):
        told = {
            3: [(OTHERS, event(OTHERS, 3)), (OURS, event(OURS, 3)), (OURS, event(OURS, 33))],
            4: [(OURS, event(OURS, 4))],
            10: [(OURS, action(OURS, "ledger.exported")), (OTHERS, event(OTHERS, 10))],
        }.get(number, [(OTHERS, event(OTHERS, number))])
        counted = Counter(journey for journey, _ in told)
        index = [index_entry(Index(journey, last[journey], n)) for journey, n in counted.items()]
        last |= dict.fromkeys(counted, number)
        entries = [entry for _, entry in told] + (index if number >= indexed_from else [])
        links.append(link_after(head, NOW_MS + number, entries))
        head = Head(number, links[-1].hash)
    return links


def bundle(
    key: Ed25519PrivateKey = KEY,
    manifest_key: Ed25519PrivateKey | None = None,
    *,
    indexed_from: int = 1,
    shown: Sequence[int] = (3, 4, 10),
) -> bytes:
    links = chain(indexed_from)
    jws = {n: sign_checkpoint(key, "t", Head(n, links[n - 1].hash), NOW_MS).jws for n in (6, 11)}
    runs = [
        Run(
            [link if link.number in own else link._replace(body=b"") for link in links[first - 1 : last]],
            jws[last],
        )
        for first, last, own in runs_to_checkpoints({n: 6 if n <= 6 else 11 for n in shown})
    ]
    return make_bundle(
        OURS,
        runs,
        {"track.geojson": b"{}", "episodes.ndjson": b""},
        sign=lambda typ, payload: sign(manifest_key or key, typ, payload),
        now_ms=NOW_MS,
    )


def verified(content: bytes, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """What the script inside says, run by a Python that knows nothing of the project."""
    path = folder / "bundle.zip"
    path.write_bytes(content)
    return subprocess.run(
        [sys.executable, "-I", path, *words], check=False, capture_output=True, text=True, cwd=folder
    )


def changed(content: bytes, changes: Mapping[str, bytes]) -> bytes:
    """The bundle with other files, and no manifest to tell: as by somebody who has the key's file but not the key."""
    before, after = zipfile.ZipFile(io.BytesIO(content)), io.BytesIO()
    with zipfile.ZipFile(after, "w") as book:
        for name in before.namelist():
            book.writestr(name, changes.get(name, before.read(name)))
    return after.getvalue()


def resigned(content: bytes, **changes: bytes) -> bytes:
    """As `changed`, with a manifest that fits: what is left is the chain itself."""
    old = zipfile.ZipFile(io.BytesIO(content))
    files = {name: old.read(name) for name in old.namelist() if name != "manifest.jws"} | changes
    digests = {name: __import__("hashlib").sha256(data).hexdigest() for name, data in files.items()}
    manifest = sign(KEY, "seal-tracker.evidence+jws", {"journey": OURS, "time": "now", "sha256": digests})
    return changed(content, {**changes, "manifest.jws": manifest.encode()})


def test_a_bundle_proves_its_entries_and_shows_no_others(tmp_path: Path) -> None:
    """Ours in words, theirs as hashes; the path is no longer than to the next checkpoint."""
    content = bundle()
    done = verified(content, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Journey J-ours: 4 entries proven, none left out since link 3; exported " in done.stdout
    assert "ledger.exported by lan  alarm/1" in done.stdout
    text = zipfile.ZipFile(io.BytesIO(content)).read("ledger.json").decode()
    assert "Cảng 3" in text
    assert OTHERS not in text
    assert [link["number"] for run in json.loads(text)["runs"] for link in run["links"]] == [
        3,
        4,
        5,
        6,
        10,
        11,
    ]


def test_the_script_is_short_and_needs_one_package() -> None:
    """What a court is to trust, it can read."""
    script = verifier().decode()
    assert len(script.splitlines()) <= 50
    modules = {
        line.split()[1].split(".")[0].rstrip(",")
        for line in script.splitlines()
        if line.startswith(("import", "from"))
    }
    assert modules - {"cryptography"} <= set(sys.stdlib_module_names)


def test_a_bundle_is_held_against_a_key_from_elsewhere(tmp_path: Path) -> None:
    """Who forges a whole bundle can sign it, but not by this key."""
    key = tmp_path / "key.pem"
    key.write_text(public_pem(public_bytes(KEY)))
    done = verified(bundle(), tmp_path, str(key))
    assert done.returncode == 0, done.stderr
    assert "compare it" not in done.stdout
    forged = verified(bundle(Ed25519PrivateKey.from_private_bytes(bytes(32))), tmp_path, str(key))
    assert forged.returncode != 0
    assert "none of those given" in forged.stderr


def test_a_bundle_may_be_signed_by_the_key_of_before_and_that_of_now(tmp_path: Path) -> None:
    """A key that was replaced signed what is before; both are told, and both must be known where one is asked for."""
    replaced = Ed25519PrivateKey.from_private_bytes(bytes(32))
    content = bundle(manifest_key=replaced)
    told = verified(content, tmp_path)
    assert told.returncode == 0, told.stderr
    assert told.stdout.count("Signed by the key") == 2
    files = [tmp_path / "now.pem", tmp_path / "before.pem"]
    for file, key in zip(files, (KEY, replaced), strict=True):
        file.write_text(public_pem(public_bytes(key)))
    assert verified(content, tmp_path, *map(str, files)).returncode == 0
    assert verified(content, tmp_path, str(files[0])).returncode == 1


LEDGER = {
    "an entry": lambda book: book["runs"][0]["links"][1]["entries"].__setitem__(0, event(OURS, 5).decode()),
    "when it was recorded": lambda book: book["runs"][0]["links"][1].__setitem__("recorded_ms", NOW_MS),
    "a link left out": lambda book: book["runs"][0]["links"].pop(2),
    "an entry left out": lambda book: book["runs"][0]["links"][0]["entries"].pop(),
    "an entry hidden": lambda book: book["runs"][1]["links"][0]["entries"].__setitem__(
        0, {"sha256": "00" * 32}
    ),
    "another's checkpoint": lambda book: book["runs"][0].__setitem__(
        "checkpoint", book["runs"][1]["checkpoint"]
    ),
}


@pytest.mark.parametrize("name", LEDGER)
def test_a_bundle_whose_chain_was_changed_proves_nothing(tmp_path: Path, name: str) -> None:
    """Even with a manifest that fits it."""
    book = json.loads(zipfile.ZipFile(io.BytesIO(bundle())).read("ledger.json"))
    LEDGER[name](book)
    done = verified(resigned(bundle(), **{"ledger.json": json.dumps(book).encode()}), tmp_path)
    assert done.returncode == 1
    assert "NOT PROVEN: links up to " in done.stderr


def hidden(book: Any, run: int, link: int, *entries: int) -> None:
    """Put their hashes in place of entries: the chain holds all the same."""
    told = book["runs"][run]["links"][link]["entries"]
    for i in entries:
        told[i] = {"sha256": sha256(told[i].encode()).hexdigest()}


LEFT_OUT: dict[str, tuple[Callable[[Any], object], str]] = {
    "an entry": (lambda book: hidden(book, 0, 0, 1), "entries up to link 3 were left out"),
    "an entry and the index": (lambda book: hidden(book, 0, 1, 0, 1), "entries up to link 10 were left out"),
    "the index alone": (lambda book: hidden(book, 0, 1, 1), "entries up to link 4 were left out"),
    "a whole link": (
        lambda book: book["runs"][0]["links"][1].__setitem__("entries", []),
        "entries up to link 10 were left out",
    ),
    "the first run": (lambda book: book["runs"].pop(0), "entries up to link 10 were left out"),
    "the last run": (lambda book: book["runs"].pop(), "the end was left out"),
    "the export": (lambda book: hidden(book, 1, 0, 0, 2), "the end was left out"),
}


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_is_left_out_of_a_bundle_shows(tmp_path: Path, name: str) -> None:
    """Each link of the journey names the one before and counts its entries, and the export itself is the last: all in the chain."""
    change, why = LEFT_OUT[name]
    book = json.loads(zipfile.ZipFile(io.BytesIO(bundle())).read("ledger.json"))
    change(book)
    done = verified(resigned(bundle(), **{"ledger.json": json.dumps(book).encode()}), tmp_path)
    assert done.returncode == 1
    assert f"NOT PROVEN: {why}" in done.stderr


def test_links_of_an_earlier_release_are_proven_and_not_said_to_be_all(tmp_path: Path) -> None:
    """They keep no count; from the first that does, nothing can be left out, the one before it included."""
    done = verified(bundle(indexed_from=4), tmp_path)
    assert done.returncode == 0, done.stderr
    assert "4 entries proven, none left out since link 4 (of those before nobody kept count)" in done.stdout
    without = verified(bundle(indexed_from=4, shown=(4, 10)), tmp_path)
    assert "NOT PROVEN: entries up to link 4 were left out" in without.stderr


@pytest.mark.parametrize("name", ["track.geojson", "ledger.json", "__main__.py"])
def test_no_file_of_a_bundle_is_changed_unseen(tmp_path: Path, name: str) -> None:
    """The track is vouched for by the export's signature."""
    before = zipfile.ZipFile(io.BytesIO(bundle())).read(name)
    done = verified(changed(bundle(), {name: before + b" "}), tmp_path)
    assert done.returncode == 1
    assert f"NOT PROVEN: {name} is not as it was exported" in done.stderr


def test_links_share_the_way_to_their_checkpoint() -> None:
    """Each run begins at its first link that is shown, and ends at the checkpoint."""
    assert runs_to_checkpoints({}) == []
    assert runs_to_checkpoints({9: 12, 3: 5, 5: 5, 12: 12, 13: 20}) == [
        (3, 5, [3, 5]),
        (9, 12, [9, 12]),
        (13, 20, [13]),
    ]


def test_an_event_says_its_sequence_and_an_action_none() -> None:
    """What is neither has none."""
    assert sequence_of(b'{"sequence":"00000000000000000017","data":{}}') == 17
    assert sequence_of(action(OURS)) is sequence_of(b"scribble") is sequence_of(b'{"sequence":"x"}') is None


def test_an_entry_says_what_it_is_about() -> None:
    """An event in its properties, an action by itself; what cannot be read is about nothing."""
    assert about(event(OURS, 1)) == About(OURS, "HP")
    assert about(action(OURS)) == About(OURS, None)
    assert about(b'{"data":{"properties":{}}}') == about(b"scribble") == About(None, None)
