"""``seal-tracker export``: the evidence of one journey, from a running service, as a file that proves itself."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import quote

import click

from seal_tracker.commands.client import ServiceClient, service_at
from seal_tracker.commands.errors import CommandError

__all__ = ["export"]


def export(
    journey: str,
    *,
    output: Path | None,
    ready_file: Path | None,
    embedded: Path | None,
    url: str | None,
    token_file: Path | None,
) -> int:
    """Write the bundle and say where; 0."""
    if url is None:
        ready = service_at(ready_file, embedded)
        url, token = ready["http"], ready["accounts"]["auditor"]["token"]
    elif token_file is None:
        raise CommandError("--url needs --token-file FILE, with the token of an account that may audit")
    else:
        token = token_file.read_text(encoding="utf-8").strip()
    content = asyncio.run(_fetched(url, token, journey))
    path = output or Path(f"{journey}.zip")
    path.write_bytes(content)
    click.echo(f"{path}: {len(content):,} bytes; check it by: python {path}")
    return 0


async def _fetched(url: str, token: str, journey: str) -> bytes:
    async with ServiceClient(url, token) as client:
        return await client.read(f"/api/v1/ledger/bundles/{quote(journey, safe='')}")
