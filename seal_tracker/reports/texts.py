"""What reports say, in Vietnamese and English, out of ``texts.toml``. Read once, at the first report."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final, Literal

__all__ = ["LANGUAGES", "Language", "named", "say", "texts"]

Language = Literal["vi", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("vi", "en")


@cache
def texts() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """Every text: by table, key and language."""
    return tomllib.loads(files(__package__).joinpath("texts.toml").read_text(encoding="utf-8"))


def say(language: Language, table: str, key: str, **values: object) -> str:
    """A text with its values in their places.

    Raises
    ------
    KeyError
        There is none of that name.
    """
    return texts()[table][key][language].format(**values)


def named(language: Language, table: str, name: str) -> str:
    """The name of what others may add to, such as a type of episodes; as it is called itself where there is none."""
    return texts()[table].get(name, {}).get(language, name)
