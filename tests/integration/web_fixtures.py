"""Fixtures of the tests named ``test_web_*``: the application on a real database and a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from described import described_session
from prometheus_client import CollectorRegistry, Counter
from web_support import NOON_MS, Fleet, World, keeper_on, plan_files

from seal_tracker.checkpointing import Checkpointer
from seal_tracker.model import LIVE
from seal_tracker.plans import load_files
from seal_tracker.store import Store
from seal_tracker.web.context import WebConfig, WebContext
from seal_tracker.web.lockout import LockoutPolicy
from seal_tracker.web.runner import start_web
from seal_tracker.web.sessions import Sessions
from seal_tracker.web.sse import Hub

LEDGER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture
async def store(postgres_dsn: str) -> AsyncIterator[Store]:
    opened = await Store.open(postgres_dsn)
    yield opened
    await opened.close()


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A page as a build leaves it."""
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>page</title>")
    (folder / "assets" / "main-3f9a01bc.js").write_text("export {}")
    (folder / "icon.svg").write_text("<svg/>")
    (tmp_path / "secret.txt").write_text("not to be served")
    return folder


@pytest.fixture
def config(tmp_path: Path, page: Path) -> WebConfig:
    basemap = tmp_path / "basemap.json"
    basemap.write_text('{"region":"vn","labels":[{"name":"Hoàng Sa"}],"centre":[106,16],"zoom":5}')
    return WebConfig(
        tenant="demo",
        version="0.1",
        basemap=basemap,
        page=page,
        lockout=LockoutPolicy(per_account=3, lock_s=60),
    )


@pytest.fixture
async def world(store: Store, config: WebConfig) -> AsyncIterator[World]:
    keeper = await keeper_on(store)
    plan, faults = load_files(plan_files())
    assert plan is not None, faults
    fleet = Fleet({LIVE: plan})
    registry = CollectorRegistry()
    Counter("pings", "Pings", registry=registry).inc(3)
    hub = Hub(position_interval_s=0.02, queue_limit=100)
    signer = Checkpointer(
        store, LEDGER_KEY, f"/seal-tracker/{config.tenant}", lambda _: None, clock_ms=lambda: NOON_MS
    )
    context = WebContext(config, store, Sessions(store), keeper, fleet, hub, signer, registry)
    server = await start_web(context, "127.0.0.1", 0)
    async with described_session(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
        yield World(store, fleet, hub, keeper.accounts, registry, context, server, client)
    await server.close()
    keeper.accounts.close()
