"""What is answered when NATS asks who a connecting client is (authorization call-out, ADR-26). Pure.

NATS sends a signed request with the name and password that the client gave; the answer is a token (JWT) signed with the key whose
public half stands in the broker's configuration: what the client may publish and subscribe, or why it may not come in.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any, Final

import msgspec
import nkeys  # type: ignore[import-untyped]

from seal_tracker.publishing.topics import EXERCISE_ROOT, LIVE_ROOT

__all__ = ["Issuer", "new_seed", "public_key"]

ACCOUNT: Final = "$G"
"""The account of all who speak MQTT: the broker's global one."""

HEADER: Final = {"typ": "JWT", "alg": "ed25519-nkey"}
VERSION: Final = 2
UNLIMITED: Final = -1

Json = dict[str, Any]


def new_seed(entropy: bytes) -> str:
    """The seed of a signing key from 32 random bytes; whoever has it can let anybody in."""
    seed: bytes = nkeys.encode_seed(entropy, nkeys.PREFIX_BYTE_ACCOUNT)
    return seed.decode()


def public_key(seed: str) -> str:
    """The public half, for the broker's configuration."""
    key: bytes = nkeys.from_seed(seed.encode()).public_key
    return key.decode()


class Issuer:
    """Answers the broker's questions for one tenant. No state but the key."""

    def __init__(
        self, seed: str, tenant: str, knows: Callable[[str, str], bool], *, commands: bool = False
    ) -> None:
        self._key = nkeys.from_seed(seed.encode())
        self._tenant = tenant
        self._knows = knows
        self._commands = commands

    def answer(self, request: bytes, now_s: int) -> tuple[bytes, str | None]:
        """The answer to a question, and the seal that was let in, None where nobody was.

        Raises
        ------
        ValueError
            It is no question of a broker.
        """
        asked = _claims(request)
        try:
            client, server = asked["user_nkey"], asked["server_id"]["id"]
            given = asked["connect_opts"]
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a question of a broker: {error!r} is missing") from error
        name, password = str(given.get("user", "")), str(given.get("pass", ""))
        said: Json = {"type": "authorization_response", "version": VERSION}
        known = bool(name) and self._knows(name, password)
        if known:
            said["jwt"] = self._signed(
                {"sub": client, "aud": ACCOUNT, "name": name, "nats": self._allowed(name)}, now_s
            )
        else:
            said["error"] = "unknown account, or a wrong password"
        return self._signed(
            {"sub": client, "aud": server, "nats": said}, now_s
        ).encode(), name if known else None

    def _allowed(self, seal: str) -> Json:
        """A seal publishes under its own id, live and in exercises, and reads nothing but, where there are any, its own commands.

        Dots within a level become ``//``.
        """
        own, tenant = seal.replace(".", "//"), self._tenant.replace(".", "//")
        live, exercise = (base.replace("/", ".") for base in (LIVE_ROOT, EXERCISE_ROOT))
        publish = [f"{live}.{tenant}.dev.{own}.>", f"{exercise}.{tenant}.*.dev.{own}.>"]
        return {
            "type": "user",
            "version": VERSION,
            "pub": {"allow": publish},
            "sub": {"allow": [f"{live}.{tenant}.cmd.{own}"]} if self._commands else {"deny": [">"]},
            "subs": UNLIMITED,
            "data": UNLIMITED,
            "payload": UNLIMITED,
        }

    def _signed(self, claims: Json, now_s: int) -> str:
        """Claims as a token, with the id that NATS wants: a hash of the rest."""
        claims = claims | {"iat": now_s, "iss": self._key.public_key.decode()}
        hashed = hashlib.sha256(msgspec.json.encode(claims)).digest()
        claims["jti"] = base64.b32encode(hashed).decode().rstrip("=")
        signed = f"{_packed(msgspec.json.encode(HEADER))}.{_packed(msgspec.json.encode(claims))}"
        return f"{signed}.{_packed(self._key.sign(signed.encode()))}"


def _claims(token: bytes) -> Json:
    """What a token of the broker says about NATS; the broker's connection is what makes it believed."""
    try:
        body = token.split(b".")[1]
        claims: Json = msgspec.json.decode(base64.urlsafe_b64decode(body + b"=" * (-len(body) % 4)))["nats"]
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise ValueError("not a token") from error
    return claims


def _packed(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
