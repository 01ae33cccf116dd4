"""Numbered choices: how they are put on offer, and which of them a guest means, if any."""

from __future__ import annotations

from collections.abc import Sequence

from server.knowledge.words import content_words, forms, words

_NUMBERS = (
    words("1 one first אחד אחת ראשון ראשונה"),
    words("2 two second שניים שתיים שתים שני שנייה שניה"),
    words("3 three third שלוש שלושה שלישי שלישית"),
)
_LAST = frozenset(words("last latter אחרון אחרונה"))
# What may stand around a number without making it anything but a choice.
_AROUND = frozenset(
    words(
        """
        the number no nr option choice topic answer one please thanks thank you ok okay yes i mean
        want would like
        choose take about it is its tell me
        מספר אפשרות נושא תשובה בבקשה תודה אוקיי כן את ה רוצה על זה לי נא
        """
    )
)
_MOST_WORDS = 6


def choices(titles: Sequence[str]) -> list[str]:
    """The lines that put *titles* on offer, numbered from 1."""
    return [f"{number}. {title}" for number, title in enumerate(titles, start=1)]


def offers(text: str, titles: Sequence[str]) -> bool:
    """Whether *titles* are all on offer in *text*, under their numbers."""
    lines = {line.strip() for line in text.splitlines()}
    return bool(titles) and lines.issuperset(line.strip() for line in choices(titles))


def chosen(message: str, titles: Sequence[str]) -> int | None:
    """The place in *titles*, from 0, of the one that *message* picks; None if it picks none.

    A number ("2", "the second", "מספר שתיים"), or words that only one of the titles has. A message that
    says more than that is a new question: "2 nights?" picks nothing.
    """
    said = words(message)
    if not said or len(said) > _MOST_WORDS or not titles:
        return None
    place = _by_number(said, len(titles))
    return place if place is not None else _by_title(message, titles)


def _by_number(said: Sequence[str], count: int) -> int | None:
    picked = [word for word in said if _place(word, count) is not None]
    # "The second one": here one is no number.
    if len(picked) > 1:
        picked = [word for word in picked if word != "one"]
    others = [word for word in said if word not in picked and word not in _AROUND]
    if len(picked) != 1 or others:
        return None
    return _place(picked[0], count)


def _place(word: str, count: int) -> int | None:
    """The place that *word* numbers. Hebrew ordinals mostly carry the article."""
    for form in (word, word.removeprefix("ה")):
        if form in _LAST:
            return count - 1
        for place, names in enumerate(_NUMBERS[:count]):
            if form in names:
                return place
    return None


def _by_title(message: str, titles: Sequence[str]) -> int | None:
    said = [set(forms(word)) for word in content_words(message)]
    fitting = [place for place, title in enumerate(titles) if said and _has_all(title, said)]
    return fitting[0] if len(fitting) == 1 else None


def _has_all(title: str, said: Sequence[set[str]]) -> bool:
    known = {form for word in content_words(title) for form in forms(word)}
    return all(word & known for word in said)
