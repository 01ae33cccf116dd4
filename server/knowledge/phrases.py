"""The few sentences that the embedded answers say themselves, in English and gender-neutral Hebrew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrases:
    """``source_languages`` says, by the language of a source, in which language the quotation is."""

    ask_team: str
    offer: str
    source_languages: dict[str, str]
    other_source_language: str

    def offer_of(self, titles: Sequence[str]) -> str:
        """The topics to choose from, numbered from 1."""
        choices = [f"{number}. {title}" for number, title in enumerate(titles, start=1)]
        return "\n".join([self.offer, *choices])

    def source_note(self, language: str) -> str:
        """The line above a quotation in another language than the asker's."""
        return self.source_languages.get(language, self.other_source_language)


_ENGLISH = Phrases(
    ask_team="I don't know, I have asked the team. They will answer you here.",
    offer="I am not sure which of these you mean. Please answer with a number:",
    source_languages={
        "en": "Our information on this is in English:",
        "he": "Our information on this is in Hebrew:",
    },
    other_source_language="Our information on this is in another language:",
)
_HEBREW = Phrases(
    ask_team="אין לי תשובה לשאלה הזאת, והיא הועברה לצוות. התשובה תגיע לכאן.",
    offer="לא ברור לי לאיזה נושא הכוונה. נא לענות במספר:",
    source_languages={
        "en": "המידע שלנו בנושא זה הוא באנגלית:",
        "he": "המידע שלנו בנושא זה הוא בעברית:",
    },
    other_source_language="המידע שלנו בנושא זה הוא בשפה אחרת:",
)
_BY_LANGUAGE = {"en": _ENGLISH, "he": _HEBREW}


def phrases(language: str) -> Phrases:
    """The sentences in *language*, or in English where there are none."""
    return _BY_LANGUAGE.get(language, _ENGLISH)
