"""What commands ask of a running service over HTTP."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Self

import aiohttp
import msgspec

from seal_tracker.commands.errors import CommandError

__all__ = ["ServiceClient", "service_at"]

ANY_VERSION: Final = {"If-Match": "*"}


class ServiceClient:
    """A client with an API token. Use as an async context manager."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(headers=self._headers)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._session.close()

    async def get(self, path: str) -> Any:
        """The JSON of a path.

        Raises
        ------
        CommandError
            The service is not there, or answers with a problem.
        """
        return await self._ask("GET", path)

    async def read(self, path: str) -> bytes:
        """The bytes of a path. Raises as `get` does."""
        async with self._answer("GET", path) as answer:
            return await answer.read()

    async def post(self, path: str, body: Mapping[str, Any], *, edits: bool = False) -> Any:
        """The JSON that answers a JSON body; ``edits``: of what it changes any version. Raises as `get` does."""
        return await self._ask("POST", path, json=body, headers=ANY_VERSION if edits else None)

    async def post_text(self, path: str, text: str, content_type: str, *, edits: bool = False) -> Any:
        """The JSON that answers a text. Raises as `get` does."""
        headers = {"Content-Type": content_type, **(ANY_VERSION if edits else {})}
        return await self._ask("POST", path, data=text.encode(), headers=headers)

    async def episodes_by_type(self, space: str) -> dict[str, int]:
        """How many episodes a space has of each type, by name. Raises as `get` does."""
        async with self._answer("GET", f"/api/v1/episodes?format=ndjson&space={space}") as answer:
            kinds = Counter([msgspec.json.decode(line, type=_Typed).type async for line in answer.content])
        return dict(sorted(kinds.items()))

    async def _ask(self, method: str, path: str, **more: Any) -> Any:
        async with self._answer(method, path, **more) as answer:
            body = await answer.read()
        return msgspec.json.decode(body) if body else None

    @asynccontextmanager
    async def _answer(self, method: str, path: str, **more: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        try:
            async with self._session.request(method, self._url + path, **more) as answer:
                if answer.status >= 400:  # noqa: PLR2004 - HTTP's errors
                    raise CommandError(f"{method} {path}: {answer.status} {_problem(await answer.read())}")
                yield answer
        except aiohttp.ClientError as fault:
            raise CommandError(f"{self._url}: {fault}; is the service running?") from fault


def service_at(ready_file: Path | None, embedded: Path | None) -> Mapping[str, Any]:
    """The ready file of the service that is meant: where it is, and its accounts.

    Raises
    ------
    CommandError
        Neither was given, or no service runs there.
    """
    file = ready_file or (embedded / "ready.json" if embedded else None)
    if file is None:
        raise CommandError(
            "say where the service is: --ready-file FILE, or --embedded DIR as it was started with"
        )
    try:
        found: dict[str, Any] = msgspec.json.decode(file.read_bytes())
    except (OSError, msgspec.DecodeError) as fault:
        raise CommandError(f"{file}: {fault}; is the service running?") from fault
    return found


class _Typed(msgspec.Struct):
    """An episode of which only the type matters."""

    type: str


def _problem(body: bytes) -> str:
    """The readable part of problem+json."""
    try:
        problem = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return body[:200].decode(errors="replace")
    faults = problem.get("faults", [])
    lines = [str(problem.get("detail") or problem.get("title"))]
    lines += [
        f"  {f.get('file')} {f.get('feature')}: {f.get('what')}: {f.get('why')}; {f.get('remedy')}"
        for f in faults
    ]
    return "\n".join(lines)
