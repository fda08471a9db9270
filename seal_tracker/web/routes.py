"""What a route of the API is: method, path, handler, the right it needs, and the types that cross it.

Each module of the API lists its own as ``ROUTES``; ``app`` joins them. The description of the API (OpenAPI) is generated from these
lists, so a route that is not described does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp.typedefs import Handler

from seal_tracker.web.accounts import Right
from seal_tracker.web.auth import Open

__all__ = ["JSON", "Route"]

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Route:
    """One route.

    Attributes
    ----------
    summary
        One sentence for who reads the description of the API.
    query, body
        msgspec types of the query's parameters and of the JSON body; None: there are none.
    path_types
        Type of each ``{name}`` in the path.
    answer
        Type of the JSON answer; None: no content (204), or not JSON (see ``media``).
    status
        Of an answer that is no problem.
    media
        Content types of the answer, the first the usual one.
    problems
        Statuses of problems this route answers with, besides 401 and 403 (where it needs a right), 400 (where it has a query or a path),
        413, 415 and 422 (where it has a body) and 503, which are understood.
    takes
        Content types of the body.
    may_make
        Answers 201 where it made what was not there.
    edits
        Needs ``If-Match`` with the object's ``ETag``: 428 without, 412 where it has changed meanwhile.
    may_match
        Takes ``If-Match`` where it is sent, and does without: 412 where it names another version than the newest.
    cached
        Its answer has an ``ETag`` and takes ``If-None-Match``.
    versioned
        Its answer has an ``ETag``, for ``If-Match``. So have the answers of what ``edits``, unless they are empty.
    says
        Headers that its answer may have, and what they say.
    leads
        Where one goes on from its answer: a path of the API to, by the name of each of its parameters (of path or query), the place in
        the answer where its value stands, as a JSON pointer.
    tag
        Heading in the description; by default the word after ``/api/v1/``.
    """

    method: str
    path: str
    handler: Handler
    right: Right | Open
    summary: str
    query: type[Any] | None = None
    body: type[Any] | None = None
    path_types: Mapping[str, Any] = field(default_factory=dict)
    answer: Any = None
    status: int = 200
    media: tuple[str, ...] = (JSON,)
    problems: tuple[int, ...] = ()
    takes: tuple[str, ...] = (JSON,)
    may_make: bool = False
    edits: bool = False
    may_match: bool = False
    cached: bool = False
    versioned: bool = False
    says: Mapping[str, str] = field(default_factory=dict)
    leads: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    tag: str = ""
