"""What a probe sends, and what an answer says. HTTP/1.1 (RFC 9112) and RTSP/1.0 (RFC 2326) are alike in all that is read here. Pure.

Credentials are sent by Digest (RFC 7616; MD5, which is what cameras have, or SHA-256), by Basic over verified TLS alone.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from seal_tracker.plans.probes import Where

__all__ = ["AnswerError", "Credentials", "Head", "authorization", "head_of", "request_of", "verdict"]

AGENT: Final = "seal-tracker"

STATUS_LINE: Final = re.compile(r"(HTTP|RTSP)/\d\.\d (\d{3})(?: (.*))?")
PARAMETER: Final = re.compile(r'([A-Za-z]+)\s*=\s*(?:"([^"]*)"|([^\s",]+))')

UNAUTHORIZED: Final = 401
FAULTY: Final = 400
"""From this status on what was asked for is not there."""

DIGESTS: Final[dict[str, Callable[[bytes], object]]] = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


class AnswerError(ValueError):
    """What came back is no answer of the protocol that was spoken; the text says what came."""


class Credentials(NamedTuple):
    """Who asks. Shown nowhere."""

    username: str
    password: str

    def __repr__(self) -> str:
        return "Credentials(…)"


class Head(NamedTuple):
    """The head of an answer: its status, the word for it, and its headers in order, names in lower case."""

    status: int
    reason: str
    headers: Sequence[tuple[str, str]]

    def first(self, name: str) -> str | None:
        """A header's first value."""
        return next((value for key, value in self.headers if key == name), None)

    @property
    def body_bytes(self) -> int | None:
        """How long the body is; None: it ends with the connection, or in chunks."""
        if self.first("transfer-encoding") or (self.first("connection") or "").lower() == "close":
            return None
        said = self.first("content-length")
        return 0 if said is None else int(said) if said.isdecimal() else None


def request_of(method: str, where: Where, number: int, credentials: str | None = None) -> bytes:
    """A request; of RTSP ``number`` is its place in the conversation. ``credentials`` is the header that carries them."""
    lines = [f"Authorization: {credentials}"] if credentials else []
    if where.scheme.startswith("rtsp"):
        accept = ["Accept: application/sdp"] if method == "DESCRIBE" else []
        lines = [
            f"{method} {uri_of(where)} RTSP/1.0",
            f"CSeq: {number}",
            f"User-Agent: {AGENT}",
            *accept,
            *lines,
        ]
    else:
        lines = [f"{method} {where.target} HTTP/1.1", f"Host: {_host(where)}", f"User-Agent: {AGENT}", "Accept: */*", *lines]  # fmt: skip
    return "\r\n".join([*lines, "", ""]).encode("ascii")


def uri_of(where: Where) -> str:
    """What a request asks for, as Digest signs it: of RTSP the whole address."""
    return (
        f"{where.scheme}://{_host(where)}{where.target}" if where.scheme.startswith("rtsp") else where.target
    )


def head_of(data: bytes) -> Head:
    """The head of an answer, up to its empty line.

    Raises
    ------
    AnswerError
        It is none.
    """
    first, *lines = data.decode("latin-1").split("\r\n")
    found = STATUS_LINE.fullmatch(first)
    if found is None:
        raise AnswerError(f"answers {plain(first)!r}, which is neither HTTP nor RTSP")
    headers = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines if line)]  # fmt: skip
    return Head(int(found[2]), plain(found[3] or ""), headers)


def authorization(
    head: Head, method: str, where: Where, credentials: Credentials, cnonce: str, *, basic: bool
) -> str | None:
    """The header that answers a 401; None: nothing that it offers is spoken here (Basic unless ``basic``)."""
    offers = [value for name, value in head.headers if name == "www-authenticate"]
    for offer in offers:
        scheme, _, rest = offer.partition(" ")
        if scheme.lower() == "digest":
            said = {key.lower(): quoted or bare for key, quoted, bare in PARAMETER.findall(rest)}
            if (answer := _digest(said, method, where, credentials, cnonce)) is not None:
                return answer
    if basic and any(offer.lower().startswith("basic") for offer in offers):
        pair = f"{credentials.username}:{credentials.password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"
    return None


def verdict(head: Head, asked: str, *, with_credentials: bool) -> tuple[bool, str]:
    """Whether who answers so is there, and what to tell of it. Who asks for credentials that there are none of is there."""
    said = f"{asked} answered {head.status} {head.reason}".rstrip()
    if head.status == UNAUTHORIZED:
        return (False, f"{said}: refuses the credentials") if with_credentials else (True, said)
    return head.status < FAULTY, said


def plain(text: str) -> str:
    """What somebody else said, as it may stand in a log: one line, short, printable."""
    return "".join(c if " " <= c <= "~" else "?" for c in text)[:80]


def _host(where: Where) -> str:
    host = f"[{where.host}]" if ":" in where.host else where.host
    return f"{host}:{where.port}"


def _digest(
    said: dict[str, str], method: str, where: Where, credentials: Credentials, cnonce: str
) -> str | None:
    name = said.get("algorithm", "MD5")
    hasher = DIGESTS.get(name.upper())
    nonce, realm = said.get("nonce"), said.get("realm", "")
    offered = [one.strip() for one in said.get("qop", "").split(",") if one.strip()]
    if hasher is None or nonce is None or (offered and "auth" not in offered):
        return None

    def h(*parts: str) -> str:
        return str(hasher(":".join(parts).encode()).hexdigest())  # type: ignore[attr-defined]

    uri = uri_of(where)
    ha1, ha2 = h(credentials.username, realm, credentials.password), h(method, uri)
    fields = {"username": credentials.username, "realm": realm, "nonce": nonce, "uri": uri}
    bare = {"algorithm": name}
    if offered:
        fields["cnonce"], bare = cnonce, {**bare, "qop": "auth", "nc": "00000001"}
        fields["response"] = h(ha1, nonce, "00000001", cnonce, "auth", ha2)
    else:
        fields["response"] = h(ha1, nonce, ha2)
    if "opaque" in said:
        fields["opaque"] = said["opaque"]
    if any('"' in value or "\\" in value for value in fields.values()):
        return None  # a quote in what the other end says, or in the user's name, cannot be told apart from the end of a value
    told = [f'{key}="{value}"' for key, value in fields.items()] + [f"{k}={v}" for k, v in bare.items()]
    return f"Digest {', '.join(told)}"
