"""The lines of an assessment in words, in Vietnamese and English. Read once, from ``texts.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

import msgspec

from seal_tracker.risk.score import RiskLine

__all__ = ["LANGUAGES", "TEXTS", "Words", "title_of", "words_of"]

LANGUAGES: Final = ("vi", "en")


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same in both languages."""

    vi: str
    en: str


class _Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    vi: tuple[str, str]
    en: tuple[str, str]


def _load() -> Mapping[str, _Text]:
    text = files(__package__).joinpath("texts.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, _Text])


TEXTS: Final = _load()
"""By indicator: its title and its line."""


def title_of(indicator: str) -> Words:
    """What an indicator is called."""
    text = TEXTS[indicator]
    return Words(vi=text.vi[0], en=text.en[0])


def words_of(line: RiskLine) -> Words:
    """A line in words."""
    text = TEXTS[line.indicator]
    return Words(vi=_filled(text.vi[1], line, "vi"), en=_filled(text.en[1], line, "en"))


def _filled(text: str, line: RiskLine, language: str) -> str:
    return text.format(
        count=line.count, **{name: _said(name, value, language) for name, value in line.found.items()}
    )


def _said(name: str, value: Any, language: str) -> str:
    if name == "carrier" and value is None:
        return str(getattr(TEXTS["undeclared"], language)[1])
    if value is None or value in ({}, []):
        return str(getattr(TEXTS["nothing"], language)[1])
    if isinstance(value, Mapping):
        return ", ".join(f"{type_} {n}" for type_, n in value.items())
    return str(value)
