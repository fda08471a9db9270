"""The options by which every command finds its broker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

__all__ = ["account_options", "broker_options"]

Command = TypeVar("Command", bound=Callable[..., Any])

BROKER = (
    click.option("--host", default="127.0.0.1", show_default=True, envvar="SEAL_SIM_HOST", show_envvar=True),
    click.option(
        "--port",
        type=click.IntRange(1, 65535),
        default=1883,
        show_default=True,
        envvar="SEAL_SIM_PORT",
        show_envvar=True,
    ),
)

ACCOUNT = (
    click.option(
        "--username",
        envvar="SEAL_SIM_USERNAME",
        show_envvar=True,
        help="An account that may publish for any seal.",
    ),
    click.option(
        "--password-env",
        default="SEAL_SIM_PASSWORD",
        show_default=True,
        metavar="NAME",
        help="The environment variable that holds its password.",
    ),
)


def broker_options(command: Command) -> Command:
    """``--host`` and ``--port``."""
    for option in reversed(BROKER):
        command = option(command)
    return command


def account_options(command: Command) -> Command:
    """``--username`` and ``--password-env`` of an account that publishes for any seal."""
    for option in reversed(ACCOUNT):
        command = option(command)
    return command
