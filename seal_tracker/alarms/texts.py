"""What each type of alarm means: cause, consequence and response, in Vietnamese and English. Read once, from ``texts.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

import msgspec

__all__ = ["LANGUAGES", "TEXTS", "AlarmText", "AlarmTexts", "texts_of"]

LANGUAGES: Final = ("vi", "en")


class AlarmText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What it comes from, what follows if nobody acts, and what to do; one language."""

    cause: str
    consequence: str
    response: str


class AlarmTexts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The texts of one type."""

    vi: AlarmText
    en: AlarmText


def load_texts() -> Mapping[str, AlarmTexts]:
    """The texts of every type, by type."""
    text = files(__package__).joinpath("texts.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, AlarmTexts])


TEXTS: Final = load_texts()


def texts_of(type_: str) -> AlarmTexts | None:
    """The texts of a type; None for one that no release of ours raises."""
    return TEXTS.get(type_)
