"""By which words a task is found: whatever accents and capitals somebody types. Pure."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["searched", "words_of"]

WORD: Final = re.compile(r"[^\W_]+")
LONGEST: Final = 60
"""Characters of a word that count; no word is longer, and what is longer is none."""

BARRED: Final = str.maketrans("đĐ", "dD")
"""The one Vietnamese letter that Unicode does not take apart."""


def words_of(*texts: str | None) -> list[str]:
    """The words of texts, each once, in order: small letters, without accents."""
    bare = unicodedata.normalize("NFD", " ".join(text for text in texts if text)).translate(BARRED)
    plain = "".join(letter for letter in bare if not unicodedata.combining(letter)).lower()
    return list(dict.fromkeys(word[:LONGEST] for word in WORD.findall(plain)))


def searched(text: str) -> str:
    """What finds all that has words beginning with each word of the text, as PostgreSQL's ``tsquery``; nothing, where it has no word."""
    return " & ".join(f"'{word}':*" for word in words_of(text))
