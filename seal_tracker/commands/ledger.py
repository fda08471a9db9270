"""``seal-tracker ledger``: whether the chain of evidence is whole, and what a database needs to hold it."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from importlib.resources import files
from pathlib import Path
from typing import Final

import asyncpg  # type: ignore[import-untyped]
import click
import msgspec
from tqdm import tqdm

from seal_tracker.config import load_settings
from seal_tracker.embedded import EmbeddedError, EmbeddedParts
from seal_tracker.embedded.folder import postgres_dsn_of
from seal_tracker.ledger.checkpoints import fingerprint
from seal_tracker.ledger.folding import Fold
from seal_tracker.ledger.keys import KeyFileError, read_public_key
from seal_tracker.ledger.verification import (
    MAX_FAULTS,
    ChainCheck,
    LogCheck,
    Mark,
    Told,
    events_digest,
    read_marks,
)
from seal_tracker.logs import set_up_logs
from seal_tracker.model import iso_or_none
from seal_tracker.store import StoreError, StoreUnavailable
from seal_tracker.store.connections import Connection, connect
from seal_tracker.store.ledger_reads import (
    all_checkpoints,
    all_links,
    events_before,
    events_beyond,
    links_of_journeys,
    logged_actions,
    logged_digest,
    logged_events,
    rows_to_verify,
)

__all__ = ["Found", "prepare", "verified_ledger", "verify"]

WHOLE: Final = 0
BROKEN: Final = 1
NOT_VERIFIED: Final = 2

TIMEOUT_S: Final = 60.0
"""For one page of links; a database that is so slow is not there."""


class Found(msgspec.Struct, kw_only=True):
    """What a verification found: the object of ``--json``. Times are ISO 8601.

    ``uncovered`` counts rows that no entry vouches for since they are older than it, by what they are; they are no fault.
    """

    whole: bool
    links: int
    entries: int
    first_at: str | None
    last_at: str | None
    broken_at: int | None
    broken_what: str | None
    faulty_checkpoints: list[str]
    log_faults: list[str]
    log_faults_found: int
    uncovered: dict[str, int]
    signed_to: int
    held_to: int
    unsigned_links: int
    unsigned_since: str | None
    keys: list[str]
    seconds: float


def prepare() -> int:
    """Print what a superuser runs once in a database that is to hold a ledger."""
    script = files("seal_tracker.store").joinpath("ledger_owner.sql")
    sys.stdout.write(script.read_text(encoding="utf-8"))
    return 0


def verify(
    *,
    embedded: Path | None,
    dsn: str | None,
    checkpoints: Sequence[Path],
    keys: Sequence[Path],
    as_json: bool,
) -> int:
    """Print what was found; 0 whole, 1 broken or not what the logs say, 2 could not be verified."""
    try:
        held = [line for path in checkpoints for line in _lines(path)]
        trusted = _trusted(keys, embedded)
        found = asyncio.run(_verified(embedded, dsn, held, trusted))
    except (StoreError, EmbeddedError, KeyFileError, OSError, asyncpg.PostgresError) as fault:
        click.echo(f"not verified: {_reason(fault)}", err=True)
        return NOT_VERIFIED
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(found) + b"\n")
    else:
        _print(found, held=bool(held))
    return WHOLE if found.whole else BROKEN


def _lines(path: Path) -> list[tuple[str, str]]:
    """The checkpoints of a file, a line each, with where they stand."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return [(f"{path}, line {number}", line) for number, line in enumerate(lines, 1) if line.strip()]


def _trusted(keys: Sequence[Path], embedded: Path | None) -> list[bytes]:
    """The keys that checkpoints may be signed by; none: any."""
    own = embedded / "ledger.key" if embedded else None
    if not keys and own is not None and own.exists():
        keys = [own]
    return [read_public_key(path) for path in keys]


async def _verified(
    embedded: Path | None, dsn: str | None, held: Sequence[tuple[str, str]], trusted: Sequence[bytes]
) -> Found:
    async with AsyncExitStack() as stack:
        return await verified_ledger(await _connected(embedded, dsn, stack), held, trusted)


async def verified_ledger(
    connection: Connection, held: Sequence[tuple[str, str]], trusted: Sequence[bytes]
) -> Found:
    """What there is to say of a database's ledger; ``held`` are (where it stands, JWS)."""
    began = time.monotonic()
    await connection.execute(
        "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
    )  # one moment, though it takes a minute
    kept = [(f"checkpoint of link {c.number}", c.jws) for c in await all_checkpoints(connection)]
    ours, faults = read_marks(kept, held=False, trusted=trusted)
    theirs, more = read_marks(held, held=True, trusted=trusted)
    check, log, fold = await _checked(connection, [*ours, *theirs])
    await connection.execute("COMMIT")
    return _found(check, log, fold, [*ours, *theirs], [*faults, *more], time.monotonic() - began)


async def _connected(embedded: Path | None, dsn: str | None, stack: AsyncExitStack) -> Connection:
    """A connection to the database that is meant; an embedded one that does not run is started for it."""
    settings = load_settings()
    if embedded is None:
        told = settings.database_dsn
        address = dsn or (told.get_secret_value() if told else None)
        if address is None:
            raise StoreUnavailable("say where: --embedded DIR, --dsn DSN, or SEAL_TRACKER_DATABASE_DSN")
        connection = await connect(address, "seal-tracker ledger verify", TIMEOUT_S)
    else:
        if not (embedded / "postgres").is_dir():
            raise StoreUnavailable(f"{embedded}: no embedded service ever ran there")
        try:
            connection = await connect(postgres_dsn_of(embedded), "seal-tracker ledger verify", TIMEOUT_S)
        except StoreUnavailable:
            set_up_logs("text", "warning")  # to standard error: its start is no part of the answer
            parts = await stack.enter_async_context(EmbeddedParts(embedded, tenant=settings.tenant))
            connection = await connect(parts.postgres_dsn, "seal-tracker ledger verify", TIMEOUT_S)
    stack.push_async_callback(connection.close)
    return connection


async def _checked(connection: Connection, marks: Sequence[Mark]) -> tuple[ChainCheck, LogCheck, Fold]:
    """The chain, and as far as it is whole, the logs and the tables that people see."""
    log = LogCheck()
    fold = Fold(log.fault)
    check = ChainCheck(marks, fold.take)
    before: Sequence[Told] = ()
    last_action = 0
    with tqdm(unit=" links", disable=None, leave=False) as bar:
        async for page in all_links(connection):
            bar.update(len(page))
            comparing = asyncio.create_task(_compare(connection, log, before))
            await asyncio.sleep(0)  # the database works on its question while we check
            check.take(page)
            await comparing
            if check.broken is not None:
                return check, log, fold
            before = [Told(*event, row) for event, row in zip(check.events, fold.logged(), strict=True)]
            if check.actions:
                actions = await logged_actions(connection, last_action, len(check.actions))
                log.actions(check.actions, actions)
                last_action = actions[-1][0] if actions else last_action
    check.end()
    await _compare(connection, log, before)
    if log.last is not None:
        log.unrecorded(await events_beyond(connection, log.last))
    log.more_actions([number for number, _ in await logged_actions(connection, last_action, MAX_FAULTS)])
    older, recorded = await events_before(connection, fold.first_event, check.first_ms)
    log.unrecorded(recorded)
    fold.older(older - len(recorded))
    await _hold_tables(connection, fold)
    return check, log, fold


async def _hold_tables(connection: Connection, fold: Fold) -> None:
    """Hold the tables that show what was done and told, and the ledger's index, against what the entries lead to."""
    fold.check_journeys(await links_of_journeys(connection))
    for query, check in (
        ("episodes_to_verify", fold.check_episodes),
        ("alarms_to_verify", fold.check_alarms),
        ("journeys_to_verify", fold.check_states),
        ("hand_overs_to_verify", fold.check_states),
        ("suppressions_to_verify", fold.check_states),
        ("kept_reports_to_verify", fold.check_states),
        ("situations_to_verify", fold.check_states),
        ("situation_versions_to_verify", fold.check_states),
        ("draws_to_verify", fold.check_states),
        ("inspections_to_verify", fold.check_states),
        ("plans_to_verify", fold.check_plans),
        ("tasks_to_verify", fold.check_states),
        ("attachments_to_verify", fold.check_states),
        ("assets_to_verify", fold.check_states),
        ("movements_to_verify", fold.check_states),
        ("journey_versions_to_verify", fold.check_versions),
    ):
        async for rows in rows_to_verify(connection, query):
            check(rows)
    fold.check_missing()


async def _compare(connection: Connection, log: LogCheck, told: Sequence[Told]) -> None:
    """Hold the ledger's next events against the log; one by one only where they differ."""
    if not told:
        return
    first, last = log.next_event(told), told[-1].sequence
    if await logged_digest(connection, first, last) == events_digest(told):
        log.equal(told)
    else:
        log.events(told, await logged_events(connection, first, last))


def _found(
    check: ChainCheck, log: LogCheck, fold: Fold, marks: Sequence[Mark], faults: list[str], seconds: float
) -> Found:
    return Found(
        whole=check.broken is None and not faults and not log.found,
        links=check.links,
        entries=check.entries,
        first_at=iso_or_none(check.first_ms),
        last_at=iso_or_none(check.last_ms),
        broken_at=check.broken.number if check.broken else None,
        broken_what=check.broken.what if check.broken else None,
        faulty_checkpoints=faults,
        log_faults=log.faults,
        log_faults_found=log.found,
        uncovered=dict(fold.uncovered),
        signed_to=check.signed_to,
        held_to=check.held_to,
        unsigned_links=check.links - check.signed_to,
        unsigned_since=iso_or_none(check.unsigned_since_ms),
        keys=sorted({fingerprint(mark.checkpoint.key) for mark in marks}),
        seconds=round(seconds, 2),
    )


def _print(found: Found, *, held: bool) -> None:
    span = f", {found.first_at} to {found.last_at}" if found.first_at else ""
    fits = "links" if found.whole else "links fit"
    click.echo(f"{found.links:,} {fits}, {found.entries:,} entries{span} ({found.seconds:.1f} s)")
    for fault in found.faulty_checkpoints:
        click.echo(f"FAULTY CHECKPOINT: {fault}")
    for fault in found.log_faults:
        click.echo(f"NOT AS RECORDED: {fault}")
    if found.log_faults_found > len(found.log_faults):
        click.echo(f"NOT AS RECORDED: {found.log_faults_found - len(found.log_faults):,} more")
    for what, count in found.uncovered.items():
        click.echo(f"NOT COVERED: {count:,} {what}: whether they are as they were does not show")
    if found.broken_at is not None:
        click.echo(f"BROKEN at link {found.broken_at:,}: {found.broken_what}")
    click.echo(
        f"signed up to link {found.signed_to:,}; "
        + (
            f"{found.unsigned_links:,} links after it, since {found.unsigned_since}, no checkpoint covers yet"
            if found.unsigned_links
            else "no link is uncovered"
        )
    )
    if held:
        click.echo(f"checkpoints held elsewhere cover it up to link {found.held_to:,}")
    else:
        click.echo(
            "no checkpoint held elsewhere was given (--checkpoint): a tail cut off with its checkpoints does not show"
        )
    for key in found.keys:
        click.echo(f"signing key: SHA-256 {key}")


def _reason(fault: Exception) -> str:
    if isinstance(fault, asyncpg.UndefinedTableError | asyncpg.InvalidSchemaNameError):
        return "this database has no ledger; `seal-tracker ledger prepare` prints what makes one"
    return str(fault)
