"""A running service as its ready file says it: broker, accounts, and over HTTP an exercise space made for the load."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from simulators.errors import PlanError, SimulatorError
from simulators.publisher import Account

__all__ = ["Service", "make_space", "service_of"]

ANSWER_S = 600.0
"""A plan of 100,000 journeys is taken in within a minute or two on a small machine."""


class Service(NamedTuple):
    """Where it is; ``gateway`` may publish for any seal, ``integrator`` reads alerts."""

    http: str
    token: str
    tenant: str
    gateway: Account
    integrator: Account


def service_of(ready_file: Path) -> Service:
    """Read the file that `seal-tracker serve` writes when it is ready.

    Raises
    ------
    PlanError
        It is no such file.
    """
    try:
        ready = json.loads(ready_file.read_text())
        accounts, broker = ready["accounts"], ready["mqtt"]
        gateway, integrator = (
            Account(broker["host"], broker["port"], accounts[name]["username"], accounts[name]["password"])
            for name in ("gateway", "integrator")
        )
        return Service(
            ready["http"].rstrip("/"),
            accounts["administrator"]["token"],
            ready["tenant"],
            gateway,
            integrator,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PlanError(
            f"{ready_file}: cannot be read as a ready file: {error!r}; is the service running?"
        ) from error


def make_space(service: Service, space: str, files: Mapping[str, str]) -> bool:
    """Make an exercise space judged by these plan files; False if there is one of that name.

    Raises
    ------
    SimulatorError
        The service is away, or does not take the plan.
    """
    known = _asked(service, "GET", "/api/v1/spaces", None)
    if space in [row["space"] for row in known["items"]]:
        return False
    _asked(service, "POST", "/api/v1/spaces", {"space": space, "files": dict(files)})
    return True


def _asked(service: Service, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
    request = urllib.request.Request(  # noqa: S310 - the service's own address
        service.http + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {service.token}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as error:
        said = error.read()[:500].decode(errors="replace")
        raise SimulatorError(f"{method} {service.http}{path}: {error.code} {said}") from error
    except OSError as error:
        raise SimulatorError(f"{service.http}: {error}; is the service running?") from error
