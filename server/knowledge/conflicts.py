"""Two documents about one thing that say different things: the newer counts.

Told apart is what can be checked: times, dates, prices, numbers with what they count, and whether something
is so or not. A document that says less than the other contradicts nothing, nor does one in other words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from server.domain.knowledge import Document, Passage
from server.knowledge.claims import Claim, Kind, claims
from server.knowledge.index import topic
from server.knowledge.numerals import in_digits
from server.knowledge.policies import negates
from server.knowledge.reading import canonical, sentences
from server.knowledge.seasons import can_hold_together
from server.knowledge.words import content_words, forms, words


def _all_forms(text: str) -> frozenset[str]:
    return frozenset(form for word in words(text) for form in forms(word))


# How many of those found may contradict the best.
_COMPARED = 4
_COMPARED_KINDS = (Kind.TIME, Kind.DATE, Kind.PRICE, Kind.PERCENT, Kind.PHONE)
# Words of a title that name no thing of their own.
_GENERIC = _all_forms(
    """
    hours hour time times opening open closing price prices cost costs fee fees rate rates charge charges
    policy policies rule rules information info details bring use take guest guests new updated our
    שעות שעת זמנים פתיחה פתוח פתוחה מחיר מחירים עלות מדיניות כללים כללי נהלים מידע פרטים להביא להשתמש
    אורחים חדש מעודכן
    """
)
# Words of a sentence that say whether something is so, or may come in, and not what.
_STANCE = _all_forms(
    """
    no none never without cannot cant dont doesnt isnt arent wont forbidden prohibited banned permitted
    welcome accept accepted admit admitted enter entry bring unfortunately only always strictly
    אסור אסורה אסורים אסורות מותרת מותרים מותרות אינו אינה אינם אינן איננו בלי ללא כניסה כניסת להכניס להביא
    להיכנס מתקבל מתקבלת מתקבלים יתקבלו בברכה מקבלים לצערנו בהחלט
    """
)
_COUNTED = re.compile(r"(?<![\d.,:/])(\d+(?:\.\d+)?)[\s-]*([a-z]+|[א-ת]+)")
_NUMBERS = re.compile(r"\S*\d\S*")
_YES = re.compile(r"\s*(?:yes\b|כן(?![א-ת]))")
_NO = re.compile(r"\s*(?:no\b(?=\s*[,.;!-]|\s*$)|sorry\b|unfortunately\b|לא(?=\s*[,.;!-]|\s*$)|לצערנו)")

# A word in all the base forms that it may have.
_Word = frozenset[str]


@dataclass(frozen=True, slots=True)
class Resolved:
    """``passages`` with the newer of two that contradict one another first.

    ``conflict`` are the ids of the two, the newer first; None where nothing contradicts the best.
    """

    passages: Sequence[Passage]
    conflict: tuple[str, str] | None


def together(passages: Sequence[Passage]) -> list[Passage]:
    """*passages* with the probabilities of those under the same title put together, best first.

    Two documents about one thing share the probability that it is asked about.
    """
    pooled = [
        replace(
            passage,
            score=sum(
                other.score
                for other in passages
                if other is passage or _same_thing(passage.document.title, other.document.title)
            ),
        )
        for passage in passages
    ]
    return sorted(pooled, key=lambda passage: -passage.score)


def newer_of(passages: Sequence[Passage]) -> Resolved:
    """*passages*, best first, with the best's place and score given to a newer one that contradicts it.

    Where it cannot be told which of the two is newer, the best stays and is named first.
    """
    for place, other in enumerate(passages[1:_COMPARED], start=1):
        best = passages[0]
        if not conflicting(best.document, other.document):
            continue
        if not _is_newer(other.document.changed_at, best.document.changed_at):
            return Resolved(passages, (best.document.id, other.document.id))
        reordered = list(passages)
        reordered[0] = replace(other, score=best.score)
        reordered[place] = replace(best, score=other.score)
        return Resolved(reordered, (other.document.id, best.document.id))
    return Resolved(passages, None)


def conflicting(one: Document, other: Document) -> bool:
    """Whether the two are about the same thing, may hold on the same day, and cannot both be right."""
    if one.id == other.id or not can_hold_together(one, other):
        return False
    if one.language != other.language:
        return topic(one) == topic(other) and _states_otherwise(one.body, other.body)
    return _same_thing(one.title, other.title) and (
        _states_otherwise(one.body, other.body)
        or _counts_otherwise(one.body, other.body)
        or _denies(one.body, other.body)
        or _denies(other.body, one.body)
        or _yes_and_no(one.body, other.body)
    )


def _is_newer(changed_at: datetime | None, than: datetime | None) -> bool:
    return changed_at is not None and than is not None and changed_at > than


def _same_thing(one: str, other: str) -> bool:
    """Whether two titles have the same words, but for those that name nothing."""
    if words(one) == words(other):
        return True
    first, second = _naming(one), _naming(other)
    return bool(first) and _covered(first, second) and _covered(second, first)


def _naming(title: str) -> list[_Word]:
    return [word for word in _contents(title) if not word & _GENERIC]


def _contents(text: str) -> list[_Word]:
    return [frozenset(forms(word)) for word in content_words(text)]


def _covered(some: Sequence[_Word], others: Sequence[_Word]) -> bool:
    """Whether each of *some* is alike to one of *others*."""
    return all(any(word & other for other in others) for word in some)


def _states_otherwise(one: str, other: str) -> bool:
    """Whether each has a time, price or the like that the other, though it has some, has not."""
    return any(_differ(_values(one, kind), _values(other, kind)) for kind in _COMPARED_KINDS)


def _values(text: str, kind: Kind) -> set[str]:
    return {claim.value for claim in claims(text) if claim.kind is kind}


def _differ(one: set[str], other: set[str]) -> bool:
    return bool(one - other) and bool(other - one)


def _counts_otherwise(one: str, other: str) -> bool:
    """Whether both count the same ("10 kg", "3 nights") to different numbers."""
    first, second = _counts(one), _counts(other)
    return any(_differ(numbers, second.get(counted, set())) for counted, numbers in first.items())


def _counts(text: str) -> dict[str, set[str]]:
    """The numbers that are no times or prices, by the word that follows them."""
    numbers = {claim for claim in claims(text) if claim.kind is Kind.NUMBER}
    counts: dict[str, set[str]] = {}
    for number, counted in _COUNTED.findall(in_digits(canonical(text))):
        if Claim(Kind.NUMBER, number) in numbers:
            counts.setdefault(forms(counted)[-1], set()).add(number)
    return counts


def _denies(one: str, other: str) -> bool:
    """Whether *one* says that something is not so which *other* says is so, and neither says both."""
    denied, affirmed = _told(one, negates), _told(other, _affirms)
    also_affirmed, also_denied = _told(one, _affirms), _told(other, negates)
    return any(
        # What is denied of a part ("not in the pool") leaves the whole ("we have a pool") as it is.
        _covered(no, yes)
        for no in denied
        for yes in affirmed
        if not any(_covered(no, told) for told in also_affirmed)
        and not any(_covered(told, yes) for told in also_denied)
    )


def _told(text: str, is_so: Callable[[str], bool]) -> list[list[_Word]]:
    """What each sentence that *is_so* is about: its words, but for those that say whether it is so."""
    said = (_contents(_NUMBERS.sub(" ", sentence)) for sentence in sentences(text) if is_so(sentence))
    told = ([word for word in sentence if not word & _STANCE] for sentence in said)
    return [sentence for sentence in told if sentence]


def _affirms(sentence: str) -> bool:
    return not negates(sentence) and not sentence.endswith("?")


def _yes_and_no(one: str, other: str) -> bool:
    """Whether one begins with yes and the other with no, as answers do."""
    first, second = canonical(one), canonical(other)
    return any(_YES.match(yes) and _NO.match(no) for yes, no in ((first, second), (second, first)))
