"""Everything the HTTP side refuses, as RFC 9457 problems.

    Problem
    ├── BadParameter        400  a query parameter or header, named
    ├── BadBody             400  not JSON at all
    ├── InvalidBody         422  JSON, but not what is expected; the member is named
    ├── NotSignedIn         401
    ├── Forbidden           403
    │   └── MustChangePassword   signed in with a password that somebody else knows
    ├── Missing             404
    ├── Conflict            409
    ├── Outdated            412  ``If-Match`` names a version that is no longer the newest
    ├── NoVersion           428  an edit without ``If-Match``
    ├── TooLarge            413
    ├── WrongContentType    415
    ├── TooManyAttempts     429
    └── Unavailable         503
    CursorError                  a cursor that is not one of ours (ValueError)

A problem is raised where the fault is found and becomes a response in one place, ``middlewares.problems``.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar

import msgspec

__all__ = [
    "BadBody",
    "BadParameter",
    "Conflict",
    "CursorError",
    "Forbidden",
    "InvalidBody",
    "Missing",
    "MustChangePassword",
    "NoVersion",
    "NotSignedIn",
    "Outdated",
    "Problem",
    "TooLarge",
    "TooManyAttempts",
    "Unavailable",
    "WrongContentType",
    "encode_problem",
]

TYPE_ROOT = "urn:seal-tracker:problem:"
"""Root of problem types; ``about:blank`` where the status says it all."""


class CursorError(ValueError):
    """A cursor that this service did not give, or gave in a version it no longer reads."""


class Problem(Exception):  # noqa: N818 - the word of RFC 9457
    """One refusal.

    Attributes
    ----------
    detail
        What was wrong, what was expected and what to do, for a person.
    field
        The parameter, header or body member at fault, or None.
    members
        Further members of the problem object, JSON values only.
    headers
        Response headers that belong to it, such as ``Retry-After``.
    """

    status: ClassVar[int] = 500
    kind: ClassVar[str | None] = None

    def __init__(
        self,
        detail: str,
        *,
        field: str | None = None,
        members: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field
        self.members = dict(members or {})
        self.headers = dict(headers or {})


class BadParameter(Problem):
    """A query parameter or header that cannot be used."""

    status = 400
    kind = "bad-parameter"


class BadBody(Problem):
    """A body that is not JSON."""

    status = 400
    kind = "bad-body"


class InvalidBody(Problem):
    """A JSON body that says something that cannot be accepted."""

    status = 422
    kind = "invalid-body"


class NotSignedIn(Problem):
    """No session and no token, or one that does not hold."""

    status = 401
    kind = "not-signed-in"


class Forbidden(Problem):
    """Known who, but not allowed."""

    status = 403
    kind = "forbidden"


class MustChangePassword(Forbidden):
    """Signed in with a password that somebody else has given: nothing else may be done before it is changed."""

    kind = "must-change-password"


class Missing(Problem):
    """What was asked for does not exist."""

    status = 404
    kind = "missing"


class Conflict(Problem):
    """The request contradicts what is already there."""

    status = 409
    kind = "conflict"


class Outdated(Problem):
    """Somebody else has changed it since: it must be read again."""

    status = 412
    kind = "outdated"


class NoVersion(Problem):
    """An edit that does not say which version it is of."""

    status = 428
    kind = "no-version"


class TooLarge(Problem):
    """A body over its limit."""

    status = 413
    kind = "too-large"


class WrongContentType(Problem):
    """A body of a content type this route does not read."""

    status = 415
    kind = "wrong-content-type"


class TooManyAttempts(Problem):
    """Too many failed sign-ins; ``Retry-After`` says how long to wait."""

    status = 429
    kind = "too-many-attempts"


class Unavailable(Problem):
    """A part this answer needs cannot be reached now."""

    status = 503
    kind = "unavailable"


def encode_problem(
    status: int,
    detail: str,
    instance: str,
    *,
    kind: str | None = None,
    field: str | None = None,
    members: Mapping[str, Any] | None = None,
) -> bytes:
    """The ``application/problem+json`` body; whatever the client sent that is not text is written escaped."""
    body: dict[str, Any] = {
        "type": TYPE_ROOT + kind if kind else "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": printable(detail),
        "instance": printable(instance),
    }
    if field is not None:
        body["field"] = printable(field)
    return msgspec.json.encode(body | dict(members or {}))


def printable(text: str) -> str:
    """Text that can be encoded as UTF-8: lone surrogates, which JSON lets through, are escaped."""
    return text.encode("utf-8", "backslashreplace").decode()
