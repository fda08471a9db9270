"""What each type of alarm means is written down, in both languages, and is more than a word."""

from __future__ import annotations

from itertools import chain

import msgspec
import pytest

from seal_tracker.alarms.texts import LANGUAGES, TEXTS
from seal_tracker.rules.across_facts import FACT_KEYS
from seal_tracker.rules.catalog import PAIR_RULES, RULES

TYPES = [*(rule.name for rule in chain(RULES, PAIR_RULES)), *FACT_KEYS]


def test_every_type_has_its_texts_and_there_are_no_others() -> None:
    """A rule is not finished before a person knows what to do about it."""
    assert set(TEXTS) == set(TYPES)


@pytest.mark.parametrize("name", TYPES)
def test_each_says_cause_consequence_and_response_in_both_languages(name: str) -> None:
    """Sentences, each another; in Vietnamese with its own letters."""
    by_language = {language: msgspec.structs.asdict(getattr(TEXTS[name], language)) for language in LANGUAGES}
    texts = [text for of in by_language.values() for text in of.values()]
    assert len(set(texts)) == 6
    assert all(text.endswith(".") and len(text.split()) >= 4 for text in texts)
    assert all(
        set(text) & set("ăâđêôơưạảấầẩậắặẹẻếềểễệịỉọỏốồổộớờởợụủứừửữựýỳ") for text in by_language["vi"].values()
    )
    assert all(text.isascii() or "…" in text for text in by_language["en"].values())
