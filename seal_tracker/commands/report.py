"""``seal-tracker report``: the weekly report from a running service, as files."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode

import click

from seal_tracker.commands.client import ServiceClient, service_at
from seal_tracker.commands.errors import CommandError

__all__ = ["report"]


def report(
    *,
    formats: Sequence[str],
    lang: str,
    unit: str | None,
    each_unit: bool,
    begin: str | None,
    end: str | None,
    restricted: bool,
    output: Path,
    ready_file: Path | None,
    embedded: Path | None,
    url: str | None,
    token_file: Path | None,
) -> int:
    """Write the files and say where; 0."""
    if url is None:
        ready = service_at(ready_file, embedded)
        url, token = ready["http"], ready["accounts"]["auditor"]["token"]
    elif token_file is None:
        raise CommandError("--url needs --token-file FILE, with the token of an account that may read")
    else:
        token = token_file.read_text(encoding="utf-8").strip()
    asked = {"lang": lang, "alone": "true"} | ({"restricted": "true"} if restricted else {})
    asked |= {name: value for name, value in (("from", begin), ("to", end)) if value is not None}
    for path, content in asyncio.run(
        _fetched(url, token, asked, unit, formats or ["html"], each_unit=each_unit)
    ):
        output.mkdir(parents=True, exist_ok=True)
        (output / path).write_bytes(content)
        click.echo(f"{output / path}: {len(content):,} bytes")
    return 0


async def _fetched(
    url: str, token: str, asked: dict[str, str], unit: str | None, formats: Sequence[str], *, each_unit: bool
) -> list[tuple[str, bytes]]:
    """The files by their names: of all that the account sees, or of a unit; and of each unit, where asked for."""
    found = []
    async with ServiceClient(url, token) as client:
        units = [unit]
        if each_unit:
            units += [one["id"] for one in (await client.get("/api/v1/units"))["items"]]
        for name in units:
            for form in formats:
                of_unit = {} if name is None else {"unit": name}
                query = urlencode(asked | of_unit | {"format": form})
                content = await client.read(f"/api/v1/reports/weekly?{query}")
                file = "-".join(
                    part for part in ("weekly", (name or "").replace(":", "_"), asked["lang"]) if part
                )
                found.append((f"{file}.{form}", content))
    return found
