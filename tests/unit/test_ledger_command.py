"""``seal-tracker ledger``: what it says where there is nothing to verify, and what it hands to a superuser."""

from __future__ import annotations

from pathlib import Path

import pytest

from seal_tracker.commands.ledger import prepare, verify


def test_verify_says_why_it_cannot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2: neither whole nor broken."""
    nowhere, nobodys = tmp_path / "nowhere", "postgresql://nobody:x@127.0.0.1:1/none"
    for embedded, dsn, why in (
        (nowhere, None, "no embedded service ever ran there"),
        (None, nobodys, "could not connect"),
        (None, None, "say where"),
    ):
        assert verify(embedded=embedded, dsn=dsn, checkpoints=[], keys=[], as_json=False) == 2
        assert why in capsys.readouterr().err
    key = tmp_path / "key.pem"
    key.write_text("no key")
    assert verify(embedded=None, dsn=nobodys, checkpoints=[], keys=[key], as_json=True) == 2
    assert "expected an Ed25519 key" in capsys.readouterr().err


def test_prepare_prints_what_a_superuser_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """To be piped into psql."""
    assert prepare() == 0
    assert "CREATE SCHEMA IF NOT EXISTS ledger AUTHORIZATION seal_tracker_ledger" in capsys.readouterr().out
