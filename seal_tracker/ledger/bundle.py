"""The evidence of one journey as a zip that proves itself. Pure.

::

    __main__.py     the check: ``python BUNDLE.zip``, or the same script from elsewhere on the bundle
    ledger.json     the journey's entries, and the path of each to a signed checkpoint
    manifest.jws    the digests of all other files, signed at the export
    …               what is given along: the track, the episodes as they stand

Entries of other journeys are not in it: a hash stands for each, and for all of a link that tells nothing of this journey. Entries are
proven to be what was recorded, when it was; what is given along is vouched for by the signature of the export alone.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final, NamedTuple

import msgspec

from seal_tracker.ledger.chain import Link, entry_hash, unpack
from seal_tracker.ledger.entries import about
from seal_tracker.model import iso_ms

__all__ = ["EVIDENCE", "Run", "make_bundle", "runs_to_checkpoints", "verifier"]

EVIDENCE: Final = "seal-tracker.evidence+jws"
"""The type in a manifest's header."""


class Run(NamedTuple):
    """Links in a row, the last one signed by the checkpoint; those that tell of the journey with their bodies."""

    links: Sequence[Link]
    jws: str


def runs_to_checkpoints(covered: Mapping[int, int]) -> list[tuple[int, int, list[int]]]:
    """The fewest runs that lead links to their checkpoints: (first link, last link, those that are to be shown).

    ``covered`` is each link's number with that of the first checkpoint at or after it.
    """
    runs: dict[int, list[int]] = {}
    for number in sorted(covered):
        runs.setdefault(covered[number], []).append(number)
    return [(numbers[0], end, numbers) for end, numbers in sorted(runs.items())]


def make_bundle(
    journey: str,
    runs: Iterable[Run],
    along: Mapping[str, bytes],
    *,
    sign: Callable[[str, dict[str, Any]], str],
    now_ms: int,
) -> bytes:
    """The zip.

    Parameters
    ----------
    along
        Further files by name.
    sign
        (type, payload) to a JWS.
    """
    ledger = {"journey": journey, "runs": [_run(run, journey) for run in runs]}
    content = {"__main__.py": verifier(), "ledger.json": msgspec.json.encode(ledger), **along}
    digests = {name: sha256(data).hexdigest() for name, data in content.items()}
    manifest = sign(EVIDENCE, {"journey": journey, "time": iso_ms(now_ms), "sha256": digests})
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as book:
        for name, data in {**content, "manifest.jws": manifest.encode()}.items():
            book.writestr(name, data)
    return packed.getvalue()


def verifier() -> bytes:
    """The script that checks a bundle with Python's standard library and ``cryptography`` alone."""
    return files(__package__).joinpath("verify_bundle.py").read_bytes()


def _run(run: Run, journey: str) -> dict[str, Any]:
    return {
        "previous": run.links[0].previous.hex(),
        "links": [_link(link, journey) for link in run.links],
        "checkpoint": run.jws,
    }


def _link(link: Link, journey: str) -> dict[str, Any]:
    """A link with the journey's entries as text; without a body only what the chain needs."""
    entries = [_entry(entry, journey) for entry in unpack(link.body)] if link.body else []
    return {
        "number": link.number,
        "recorded_ms": link.recorded_ms,
        "entries_hash": link.entries_hash.hex(),
        "entries": entries,
    }


def _entry(entry: bytes, journey: str) -> str | dict[str, str]:
    return entry.decode() if about(entry).journey == journey else {"sha256": entry_hash(entry).hex()}
